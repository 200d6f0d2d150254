#include "translator/emit/module/freestanding_source.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "translator/emit/freestanding.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/memory_view.h"
#include "translator/emit/module/module_source.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using wasm::ExternKind;
using wasm::FuncType;
using wasm::Module;

bool HasPlainImports(const ModuleContext& context) {
  return std::any_of(context.immediate.begin(), context.immediate.end(), [](bool b) { return b; });
}

// What Context::results must have room for, in slots.
uint32_t ResultSlots(const ModuleContext& context, const SiteTable& sites) {
  const Module& module = context.module;
  uint32_t slots = 0;
  for (const FuncType& type : module.types) {
    if (context.graph.uses_tail_calls || context.graph.uses_exceptions) {
      slots = std::max(slots, SlotsOf(type.params));
    }
    if (type.results.size() > 1 || (type.results.size() == 1 && !ReturnsSlot(type))) {
      slots = std::max(slots, SlotsOf(type.results));
    }
  }
  // They are resumed by a call, with any arguments.
  for (const SiteTable::Group& group : sites.groups()) {
    if (group.shared) slots = std::max(slots, SlotsOf(module.TypeOf(group.function).params));
  }
  return slots;
}

void EmitSelf(const ModuleContext& context, const SiteTable& sites, Writer& out) {
  const Module& module = context.module;
  out.Put("struct Self : Instance {\n");
  // First, which accesses in code for size rely on (fermata/core/memory.h).
  for (size_t i = 0; i < module.memories.size(); ++i) out.Emit("  MemoryField memory$0;\n", i);
  if (HasPlainImports(context)) out.Put("  const Imports* imports;\n");
  for (uint32_t i = 0; i < module.tables.size(); ++i) {
    if (IsConstantTable(context, i)) continue;
    const bool functions =
        wasm::RepOf(module, module.tables[i].type.element) == wasm::ValType::kFuncRef;
    out.Emit("  Table* table$0;\n  Table table$0_record;\n  $1 table$0_elements[$2];\n", i,
             functions ? "Function" : "ref",
             std::max<uint64_t>(1, module.tables[i].type.limits.min));
  }
  for (size_t i = 0; i < module.globals.size(); ++i) {
    out.Emit("  $0 g$1;\n", CType(module.globals[i].type.type.kind()), i);
  }
  for (size_t i = 0; i < module.tags.size(); ++i) out.Emit("  u32 tag$0;\n", i);
  for (size_t i = 0; i < module.datas.size(); ++i) {
    if (context.graph.named_datas[i]) out.Emit("  u64 data_size$0;\n", i);
  }
  for (size_t i = 0; i < module.elements.size(); ++i) {
    if (!context.graph.named_elements[i]) continue;
    const bool passive = module.elements[i].mode == wasm::SegmentMode::kPassive;
    out.Emit("  u32 elem_size$0;\n  ref elem$0[$1];\n", i,
             std::max<uint32_t>(1, passive ? module.elements[i].size() : 0));
  }
  if (NeedsHandles(context) && !context.graph.referenced.empty()) {
    out.Emit("  Function functions[$0];\n", context.graph.referenced.size());
  }
  if (const uint32_t slots = ResultSlots(context, sites); slots != 0) {
    out.Emit("  u64 results[$0];\n", slots);
  }
  if (context.options.Pauses()) out.Put("  u32 interrupt_word;\n");
  out.Put("};\n");
  if (!module.memories.empty()) {
    out.Put("static_assert(offsetof(Self, memory0) == sizeof(Instance), \"first\");\n");
  }
}

// ", u32 a0, f64 a1".
std::string Parameters(const FuncType& type) {
  std::string text;
  for (size_t i = 0; i < type.params.size(); ++i) {
    absl::StrAppend(&text, ", ", CType(type.params[i].kind()), " a", i);
  }
  return text;
}
// ", a0, a1".
std::string Arguments(const FuncType& type) {
  std::string text;
  for (size_t i = 0; i < type.params.size(); ++i) absl::StrAppend(&text, ", a", i);
  return text;
}

void EmitImportCalls(const ModuleContext& context, Writer& out) {
  const Module& module = context.module;
  for (uint32_t f = 0; f < module.imported_functions; ++f) {
    const FuncType& type = module.TypeOf(f);
    const std::string parameters = Parameters(type), arguments = Arguments(type);
    const char* result = ReturnType(type).data();
    out.Emit("$0 $1(Instance* base$2);\n", result, CodeOf(context, f), parameters);
    out.Emit("FERMATA_INLINE $0 $1(Self& self$2) {\n  return ", result, ImportName(module, f),
             parameters);
    if (context.immediate[f]) {
      out.Emit("self.imports->import_$0(&self$1);\n}\n", f, arguments);
    } else {
      out.Emit("suspend_$0(&self$1);\n}\n", f, arguments);
    }
  }
}

std::string Quoted32(const std::array<uint8_t, 32>& hash) {
  std::string text;
  for (const uint8_t byte : hash) absl::StrAppend(&text, byte, ", ");
  return text;
}

}  // namespace

std::string FreestandingDeclarations(const ModuleContext& context, const SiteTable& sites) {
  const Module& module = context.module;
  Writer out;
  out.Put(OpenCodeNamespace(context), "using namespace fermata::core;\n\n");
  if (HasPlainImports(context)) {
    out.Put("// The imports that are plain calls.\nstruct Imports {\n");
    for (uint32_t f = 0; f < module.imported_functions; ++f) {
      if (!context.immediate[f]) continue;
      out.Emit("  $0 (*import_$1)(Instance* base$2);\n", ReturnType(module.TypeOf(f)), f,
               Parameters(module.TypeOf(f)));
    }
    out.Put("};\n");
  }
  EmitSelf(context, sites, out);
  out.Put("extern const ModuleInfo info;\n");
  for (size_t i = 0; i < module.exports.size(); ++i) {
    if (module.exports[i].kind == ExternKind::kFunction)
      out.Emit("extern const Entry entry_$0;\n", i);
  }
  if (module.has_start) out.Put("extern const Entry entry_start;\n");
  out.Put(CloseCodeNamespace(context));
  return out.Take();
}

std::string EmitFreestandingModuleHeader(const ModuleContext& context) {
  const Module& module = context.module;
  const std::string guard =
      absl::StrCat("FERMATA_GUEST_", context.options.class_name, "_MODULE_H_");
  Writer out;
  out.Put(Banner(context, "internal header"));
  out.Emit(R"(#ifndef $0
#define $0

#ifndef FERMATA_FREESTANDING
#define FERMATA_FREESTANDING 1
#endif
#include "$1.h"
#include "fermata/core/generated.h"
)",
           guard, context.options.file_stem);
  if (context.graph.uses_wide) out.Put("#include \"fermata/core/wide.h\"\n");
  out.Put("\n", OpenCodeNamespace(context), "using fermata::Trap;\n\n");
  for (uint32_t t = 0; t < module.types.size(); ++t) {
    if (module.type_defs[t].kind != wasm::TypeDef::kFunc) continue;
    out.Emit("using T$0 = $1($2);\n", t, ReturnType(module.types[t]), ParamTypes(module.types[t]));
    if (context.graph.canonical_type[t] == t) {
      out.Emit("u64 invoke_$0(Instance*, AnyFunction, const u64*);\n", t);
    }
  }
  EmitImportCalls(context, out);
  for (uint32_t i = 0; i < module.tables.size(); ++i) {
    if (!IsConstantTable(context, i)) continue;
    out.Emit("extern const ConstantFunction table$0_elements[];\n", i);
  }
  EmitDataDeclarations(context, out);
  out.Put(CloseCodeNamespace(context), "\n#endif  // ", guard, "\n");
  return out.Take();
}

void EmitConstantTables(const ModuleContext& context, Writer& out) {
  const Module& module = context.module;
  // What a plain import is where it is called otherwise than by its name.
  for (uint32_t f = 0; f < module.imported_functions; ++f) {
    if (!context.immediate[f]) continue;
    const FuncType& type = module.TypeOf(f);
    out.Emit(
        "$0 via_$1(Instance* base$2) {\n  SELF;\n  return self.imports->import_$1(base$3);\n}\n",
        ReturnType(type), f, Parameters(type), Arguments(type));
  }
  for (uint32_t i = 0; i < module.tables.size(); ++i) {
    if (!IsConstantTable(context, i)) continue;
    out.Emit("const ConstantFunction table$0_elements[] = {\n", i);
    for (const uint32_t f : ConstantElements(context, i)) {
      if (f == ir::kNone) {
        out.Put("  {nullptr, kNoType},\n");
      } else {
        out.Emit("  {CODE($0), $1},\n", CodeOf(context, f),
                 TypeNumber(context, module.functions[f].type));
      }
    }
    out.Put("  {nullptr, kNoType},\n};\n");
  }
}

void EmitFreestandingFunctions(const ModuleContext& context, Writer& out) {
  if (!NeedsHandles(context)) return;
  const Module& module = context.module;
  out.Put("const FunctionInfo functions[] = {\n");
  for (const uint32_t f : context.graph.referenced) {
    const bool tail = !module.functions[f].imported && context.has_tail_calls(f);
    out.Emit("  {CODE($0), $1, $2, false, false, $3},\n", CodeOf(context, f),
             TypeNumber(context, module.functions[f].type), f,
             tail ? absl::StrCat("CODE(", BodyName(context, f), ")") : "nullptr");
  }
  out.Put("  {},\n};\n");
}

void EmitFreestandingSetUp(const ModuleContext& context, const SiteTable& sites, Writer& out) {
  const Module& module = context.module;
  if (context.options.Pauses()) {
    out.Put("  base->interrupt = base->store->interrupt = &self.interrupt_word;\n");
  }
  if (const uint32_t slots = ResultSlots(context, sites); slots != 0) {
    out.Emit("  base->context->results = self.results;\n  base->context->results_capacity = $0;\n",
             slots);
  }
  for (size_t i = 0; i < module.tags.size(); ++i) out.Emit("  self.tag$0 = $0;\n", i);
  if (NeedsHandles(context) && !context.graph.referenced.empty()) {
    out.Emit(R"(  for (u32 i = 0; i < $0; ++i) {
    self.functions[i] = {functions[i].code, base, functions[i].type, i + 1};
  }
  base->store->functions = self.functions;
  base->store->function_count = $0;
)",
             context.graph.referenced.size());
  }
  for (uint32_t i = 0; i < module.tables.size(); ++i) {
    if (IsConstantTable(context, i)) continue;
    const wasm::Table& table = module.tables[i];
    const bool functions = wasm::RepOf(module, table.type.element) == wasm::ValType::kFuncRef;
    out.Emit(R"(  self.table$0 = &self.table$0_record;
  self.table$0_record.$1 = self.table$0_elements;
  self.table$0_record.size = self.table$0_record.max = $2u;
  self.table$0_record.type = $3;
  self.table$0_record.grow = [](Table* table, u32 delta) { return delta == 0 ? table->size : ~0u; };
)",
             i, functions ? "functions" : "refs", table.type.limits.min,
             ValTypeName(module, table.type.element));
    if (functions)
      out.Emit("  table_fill(base, self.table$0, 0, 0, $1u);\n", i, table.type.limits.min);
  }
}

void EmitFreestandingInfo(const ModuleContext& context, const SiteTable& sites,
                          const std::vector<Budget>& budgets, Writer& out) {
  const Module& module = context.module;
  const auto entry = [&](const std::string& name, uint32_t f) {
    out.Emit("const Entry $0 = {CODE($1), invoke_$2, $3u};\n", name, CodeOf(context, f),
             context.graph.canonical_type[module.functions[f].type], budgets[f].stack.bytes);
  };
  for (size_t i = 0; i < module.exports.size(); ++i) {
    const wasm::Export& e = module.exports[i];
    if (e.kind == ExternKind::kFunction) entry(absl::StrCat("entry_", i), e.index);
  }
  if (module.has_start) entry("entry_start", module.start);
  out.Emit(R"(
const ModuleInfo info = {
  kAbiVersion, MemoryPolicy::kFixed, nullptr,
  {$0},
  sizeof(Self), alignof(Self), 0,
  $1,  // max_results
  nullptr, 0, nullptr, 0, nullptr, 0,  // types, imports, exports
  $2, $3,
  nullptr, 0, nullptr, 0, nullptr, 0, nullptr, 0, nullptr, 0,
  $4,  // uses_exceptions
  sites, site_words, nullptr, nullptr, $5,
  initialize,
  kNoFunction, nullptr, 0, nullptr, 0,
  shared,
};
)",
           Quoted32(context.hash), ResultSlots(context, sites),
           NeedsHandles(context) ? "functions" : "nullptr",
           NeedsHandles(context) ? context.graph.referenced.size() : 0,
           context.graph.uses_exceptions ? "true" : "false", sites.size());
}

}  // namespace fermata::emit
