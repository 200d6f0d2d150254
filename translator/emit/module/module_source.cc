#include "translator/emit/module/module_source.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/substitute.h"
#include "include/fermata/core/sites.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/memory_view.h"
#include "translator/emit/module/freestanding_source.h"
#include "translator/emit/module/initialization.h"
#include "translator/emit/module/object_types.h"
#include "translator/emit/names.h"
#include "translator/emit/typed_elements.h"
#include "translator/emit/writer.h"

namespace fermata::emit {
namespace {

using wasm::ExternKind;
using wasm::FuncType;
using wasm::Module;

constexpr size_t kColumns = 100;  // of declarations

std::string TextOf(absl::string_view s) {
  return s.empty() ? "{}" : absl::StrCat("TEXT(", Quote(s), ")");
}

std::string LimitsOf(const wasm::SizeLimits& limits, int page_log2) {
  return absl::StrCat("{", limits.min, "ull, ", limits.max, "ull, ",
                      limits.has_max ? "true" : "false", ", ", limits.is64 ? "true" : "false", ", ",
                      limits.shared ? "true" : "false", ", ", page_log2, "}");
}

// The enumerator of core::MemoryPolicy.
const char* PolicyName(MemoryPolicy policy) {
  switch (policy) {
    case MemoryPolicy::kReserved:
      return "kReserved";
    case MemoryPolicy::kChecked:
      return "kChecked";
    case MemoryPolicy::kFixed:
      return "kFixed";
  }
  return "kChecked";
}

// Whether heap.h is needed.
bool UsesReferencesOfGc(const ModuleContext& context) {
  return context.graph.uses_heap || context.graph.uses.Has(wasm::Feature::kGc) ||
         context.module.uses.Has(wasm::Feature::kGc);
}

std::string ParamList(const FuncType& type) {
  std::string text = "Instance* base";
  for (size_t i = 0; i < type.params.size(); ++i) {
    absl::StrAppend(&text, ", ", CType(type.params[i].kind()), " a", i);
  }
  return text;
}

class SourceEmitter {
 public:
  SourceEmitter(const ModuleContext& context, const SiteTable& sites, Writer& out)
      : context_(context),
        module_(context.module),
        sites_(sites),
        out_(out),
        freestanding_(context.options.freestanding) {}

  void Run(const std::vector<Budget>& budgets) {
    out_.Put(Banner(context_, "module description"), "#include \"", context_.options.file_stem,
             "_module.h\"\n#include \"fermata/core/module_info.h\"\n#include "
             "\"fermata/core/rows.h\"\n\n#include <stddef.h>\n\n",
             OpenCodeNamespace(context_));
    EmitPrototypes();
    EmitTypes();
    EmitSuspendStubs();
    if (context_.graph.uses_heap) EmitObjectTypes(module_, out_);
    if (freestanding_) {
      EmitConstantTables(context_, out_);
      EmitFreestandingFunctions(context_, out_);
      EmitSites();
      EmitInitialization(context_, sites_, out_);
      EmitFreestandingInfo(context_, sites_, budgets, out_);
      out_.Put(CloseCodeNamespace(context_), "#include \"fermata/core/end_rows.h\"\n");
      return;
    }
    EmitTypedElements(context_, out_);
    EmitImports();
    EmitFunctions();
    EmitExports();
    EmitStorage();
    EmitSites();
    EmitNames();
    EmitInitialization(context_, sites_, out_);
    EmitInfo();
  }

 private:
  void EmitPrototypes() {
    std::vector<uint32_t> named;
    for (uint32_t f : context_.graph.referenced) {
      if (!module_.functions[f].imported) named.push_back(f);
    }
    out_.Put(Declarations(context_, std::move(named)));
    out_.Put("using Resume = u64(Instance*, u32, u8*, u64);\n");
    DeclareEach("Resume", "_resume", false);
    DeclareEach("extern const AnyFunction", "_code", true);
  }
  // An object of `type` for each function that suspends, shared or not, named with `suffix`.
  void DeclareEach(absl::string_view type, absl::string_view suffix, bool shared) {
    size_t column = 0;
    for (const SiteTable::Group& group : sites_.groups()) {
      if (group.op || group.shared != shared) continue;
      const std::string name = NameOf(group);
      if (column + name.size() > kColumns) {
        out_.Put(";\n");
        column = 0;
      }
      out_.Put(column == 0 ? absl::StrCat(type, " ") : ", ", name, suffix);
      column += name.size() + suffix.size() + 2;
    }
    if (column != 0) out_.Put(";\n");
  }
  std::string NameOf(const SiteTable::Group& group) const {
    return group.shared ? BodyName(context_, group.function)
                        : FunctionName(module_, group.function);
  }

  // Per type: its parameter and result lists, and the thunks between slots and native calls. Equal
  // types share those of the first.
  void EmitTypes() {
    out_.Put("\n// ---- Types ----\n");
    for (uint32_t t = 0; t < module_.types.size(); ++t) {
      if (context_.graph.canonical_type[t] == t && IsFunction(t)) EmitType(t, module_.types[t]);
    }
    if (freestanding_) return;
    out_.Put("const FuncType types[] = {\n");
    for (uint32_t t = 0; t < module_.types.size(); ++t) {
      const uint32_t c = context_.graph.canonical_type[t];
      const uint32_t super = module_.type_defs[t].supertype;
      const FuncType& type = module_.types[t];
      const std::string key =
          absl::StrCat(Quote(module_.type_keys[t]), ", ",
                       super == wasm::kNoSupertype ? "kNoType" : absl::StrCat(super, "u"));
      if (!IsFunction(t)) {
        const bool array = module_.type_defs[t].kind == wasm::TypeDef::kArray;
        out_.Emit("  {nullptr, nullptr, 0, 0, 0, 0, $0, nullptr, nullptr, ObjectKind::$1},\n", key,
                  array ? "kArray" : "kStruct");
        continue;
      }
      out_.Emit("TYPE($0, $1, $2, $3, $4, $5)\n", c, type.params.size(), type.results.size(),
                SlotsOf(type.params), SlotsOf(type.results), key);
    }
    out_.Put("  {},\n};\n");
  }
  bool IsFunction(uint32_t t) const { return module_.type_defs[t].kind == wasm::TypeDef::kFunc; }

  void EmitType(uint32_t t, const FuncType& type) {
    if (!freestanding_) EmitValueTypes(t, type);
    out_.Emit("u64 invoke_$0(Instance* base, AnyFunction function, const u64* a) {\n  (void)a;\n",
              t);
    std::string call = absl::StrCat("reinterpret_cast<T", t, "*>(function)(base");
    uint32_t slot = 0;
    for (wasm::ValType v : type.params) {
      absl::StrAppend(&call, ", ", FromSlots(v.kind(), "a", slot));
      slot += SlotsOf(v.kind());
    }
    call.push_back(')');
    if (ReturnsSlot(type)) {
      out_.Emit("  return slot_of_$0($1);\n}\n", ReturnType(type), call);
    } else if (type.results.size() == 1) {
      // Unless it did not return normally: the results may hold an exception's payload.
      out_.Emit("  const v128 result = $0;\n  if (base->unwind == Unwind::kNone) $1\n", call,
                ToSlots(ir::Kind::kV128, "base->context->results", 0, "result"));
      out_.Put("  return 0;\n}\n");
    } else {
      out_.Emit("  $0;\n  return 0;\n}\n", call);
    }
    if (!freestanding_) EmitHostThunk(t, type);
  }

  void EmitValueTypes(uint32_t t, const FuncType& type) {
    out_.Emit("const ValType type_$0[] = {", t);
    for (const auto* list : {&type.params, &type.results}) {
      for (wasm::ValType v : *list) out_.Put(ValTypeName(module_, v), ", ");
    }
    out_.Put("ValType::kI32};\n\n");
  }

  void EmitHostThunk(uint32_t t, const FuncType& type) {
    const uint32_t n = SlotsOf(type.results);
    out_.Emit("$0 host_$1($2) {\n", ReturnType(type), t, ParamList(type));
    out_.Emit(
        "  HostInstance* host = static_cast<HostInstance*>(base);\n  u64 results[$0] = {0};\n"
        "  u64 arguments[$1];\n",
        std::max<uint32_t>(n, 1), std::max<uint32_t>(SlotsOf(type.params), 1));
    EmitArguments(type, "arguments");
    out_.Put("  host->call(host, arguments, results);\n");
    if (type.results.size() == 1) {
      out_.Emit("  return $0;\n", FromSlots(type.results[0].kind(), "results", 0));
    } else if (n > 1) {
      out_.Emit("  for (u32 i = 0; i < $0; ++i) base->context->results[i] = results[i];\n", n);
    }
    out_.Put("}\n");
  }

  // Stores the parameters a0, a1… as slots.
  void EmitArguments(const FuncType& type, absl::string_view array) {
    uint32_t slot = 0;
    for (size_t i = 0; i < type.params.size(); ++i) {
      const ir::Kind kind = type.params[i].kind();
      out_.Put("  ", ToSlots(kind, array, slot, absl::StrCat("a", i)), "\n");
      slot += SlotsOf(kind);
    }
  }

  void EmitSuspendStubs() {
    out_.Put("\n// ---- Imports ----\n");
    for (const SiteTable::Group& group : sites_.groups()) {
      if (!group.op || group.function == ir::kNone) continue;
      const FuncType& type = module_.TypeOf(group.function);
      out_.Emit("$0 suspend_$1($2) {\n", ReturnType(type), group.function, ParamList(type));
      out_.Emit("  u8* frame = $0(base, $1u, $2);\n  (void)frame;\n",
                freestanding_ ? "PushOp" : "push_op", group.first, SlotsOf(type.params));
      uint32_t offset = 0;
      for (size_t i = 0; i < type.params.size(); ++i) {
        const ir::Kind kind = type.params[i].kind();
        if (kind == ir::Kind::kV128) {
          out_.Emit("  frame_put128(frame, $0, a$1);\n", offset, i);
        } else {
          out_.Emit("  frame_put64(frame, $0, slot_of_$1(a$2));\n", offset, CType(kind), i);
        }
        offset += 8 * SlotsOf(kind);
      }
      const char* leave =
          ReturnsSlot(type) ? "  return 0;\n}\n" : "  return v128_const(0, 0);\n}\n";
      out_.Put(type.results.size() == 1 ? leave : "}\n");
    }
  }

  void EmitImports() {
    std::vector<uint32_t> site_of(module_.imported_functions, 0);
    for (const SiteTable::Group& group : sites_.groups()) {
      if (group.op && group.function != ir::kNone) site_of[group.function] = group.first;
    }
    out_.Put("const ImportInfo imports[] = {\n");
    for (const wasm::Import& import : module_.imports) {
      const bool op = import.kind == ExternKind::kFunction && !context_.immediate[import.index];
      out_.Emit("  {$0, $1, ExternKind($2), $3, $4, $5u},\n", TextOf(import.module),
                TextOf(import.name), static_cast<int>(import.kind), import.index,
                op ? absl::StrCat("reinterpret_cast<AnyFunction>(suspend_", import.index, ")")
                   : "nullptr",
                op ? site_of[import.index] : 0);
    }
    out_.Put("  {},\n};\n");
    out_.Put("const FunctionImportSlot function_imports[] = {\n");
    for (uint32_t f = 0; f < module_.imported_functions; ++f) {
      out_.Emit("  {offsetof(Self, import_$0), $1$2},\n", f, module_.functions[f].type,
                module_.functions[f].exact ? ", true" : "");
    }
    out_.Put("  {},\n};\n");
  }

  void EmitFunctions() {
    out_.Put(
        "\n// ---- Functions that can be named from outside, exports ----\n"
        "const FunctionInfo functions[] = {\n");
    for (uint32_t f : context_.graph.referenced) {
      const uint32_t type = module_.functions[f].type;
      const char* suspends = context_.suspension.MayCallSuspend(f) ? "true" : "false";
      const char* throws = context_.suspension.MayCallThrow(f) ? "true" : "false";
      if (module_.functions[f].imported) {
        out_.Emit("  {nullptr, $0, $1, $2, $3, nullptr},\n", type, f, suspends, throws);
      } else if (context_.has_tail_calls(f)) {
        out_.Emit("  {CODE($0), $1, $2, $3, $4, CODE($5)},\n", FunctionName(module_, f), type, f,
                  suspends, throws, BodyName(context_, f));
      } else {
        out_.Emit("FN($0, $1, $2, $3, $4)\n", FunctionName(module_, f), type, f, suspends, throws);
      }
    }
    out_.Put("  {},\n};\n");
  }

  void EmitExports() {
    out_.Put("const ExportInfo exports[] = {\n");
    for (const wasm::Export& e : module_.exports) {
      out_.Emit("  {$0, ExternKind($1), $2},\n", TextOf(e.name), static_cast<int>(e.kind),
                e.kind == ExternKind::kFunction ? context_.info_index[e.index] : e.index);
    }
    out_.Put("  {},\n};\n");
  }

  void EmitStorage() {
    out_.Put("\n// ---- Tables, memories, globals ----\nconst TableInfo tables[] = {\n");
    for (uint32_t i = 0; i < module_.tables.size(); ++i) {
      const wasm::Table& t = module_.tables[i];
      out_.Emit(
          "  {$0, $1, offsetof(Self, table$2), $3, $4, $5},\n",
          ValTypeName(module_, t.type.element), LimitsOf(t.type.limits, 16), i,
          t.imported ? "true" : "false", RefTypeOf(t.type.element),
          HasFixedElements(module_, t) ? absl::StrCat("offsetof(Self, elements", i, ")") : "0");
    }
    out_.Put("  {},\n};\nconst MemoryInfo memories[] = {\n");
    for (uint32_t i = 0; i < module_.memories.size(); ++i) {
      const wasm::Memory& m = module_.memories[i];
      out_.Emit("  {$0, offsetof(Self, memory$1), $2, $3ull},\n",
                LimitsOf(m.type.limits, m.type.page_log2), i, m.imported ? "true" : "false",
                IsFixed(context_.options) ? FixedBytes(context_.options, m.type) : 0);
    }
    out_.Put("  {},\n};\nconst GlobalInfo globals[] = {\n");
    for (uint32_t i = 0; i < module_.globals.size(); ++i) {
      const wasm::Global& g = module_.globals[i];
      out_.Emit("  {$0, $1, $2, offsetof(Self, g$3), $4},\n", ValTypeName(module_, g.type.type),
                g.type.mut ? "true" : "false", g.imported ? "true" : "false", i,
                RefTypeOf(g.type.type));
    }
    out_.Put("  {},\n};\nconst TagInfo tags[] = {\n");
    for (uint32_t i = 0; i < module_.tags.size(); ++i) {
      out_.Emit("  {$0, offsetof(Self, tag$1), $2},\n", module_.tags[i].type, i,
                module_.tags[i].imported ? "true" : "false");
    }
    out_.Put("  {},\n};\nconst SegmentInfo segment_infos[] = {\n");
    for (uint32_t i = 0; i < module_.datas.size(); ++i) {
      if (!context_.graph.named_datas[i]) continue;
      const bool passive = module_.datas[i].mode == wasm::SegmentMode::kPassive;
      out_.Emit("  {$0u, offsetof(Self, data_size$1), 0},\n",
                passive ? module_.datas[i].bytes.size() : 0, i);
    }
    for (uint32_t i = 0; i < module_.elements.size(); ++i) {
      if (!context_.graph.named_elements[i]) continue;
      const bool passive = module_.elements[i].mode == wasm::SegmentMode::kPassive;
      const wasm::ValType type = module_.elements[i].type;
      out_.Emit("  {$0u, offsetof(Self, elem_size$1), offsetof(Self, elem$1)$2},\n",
                passive ? module_.elements[i].size() : 0, i,
                type == wasm::ValType(wasm::ValType::kFuncRef)
                    ? ""
                    : absl::StrCat(", ", ValTypeName(module_, type), ", ", RefTypeOf(type)));
    }
    out_.Put("  {},\n};\n");
  }
  size_t SegmentCount() const {
    const auto& g = context_.graph;
    return static_cast<size_t>(std::count(g.named_datas.begin(), g.named_datas.end(), true) +
                               std::count(g.named_elements.begin(), g.named_elements.end(), true));
  }

  void EmitSites() {
    out_.Put(
        "\n// ---- Sites: op frames first, then the functions' resume points ----\n"
        "const SiteInfo sites[] = {\n");
    uint32_t shared = 0;
    for (const SiteTable::Group& group : sites_.groups()) {
      if (group.op) {
        out_.Put("  {nullptr, 0, false},\n");
      } else if (group.shared) {
        EmitResumePoints(group, "Shared", shared++ << core::kPointBits);
      } else {
        EmitResumePoints(group, NameOf(group), 0);
      }
    }
    out_.Put("  {},\n};\n");
    EmitShared();
    out_.Put("const u16 site_words[] = {");
    for (uint32_t site = 0; site < sites_.size(); ++site) {
      out_.Emit("$0$1,", site % 64 == 0 ? "\n" : "", sites_.layout(site).words);
    }
    if (freestanding_) return out_.Put("0};\n");
    out_.Put("0};\nconst u16 site_callees[] = {");
    for (uint32_t site = 0; site < sites_.size(); ++site) {
      out_.Emit("$0$1,", site % 64 == 0 ? "\n" : "", sites_.callee(site));
    }
    out_.Put("0};\nconstexpr const char* layouts[] = {\n");
    for (const SiteTable::Layout& layout : sites_.layouts()) {
      if (layout.types.empty()) {
        out_.Emit("\"$0\",\n", layout.letters);
      } else {
        out_.Emit("\"$0\\0\" \"$1\",\n", layout.letters, layout.types);
      }
    }
    out_.Put("  nullptr,\n};\nconst SiteDetail site_details[] = {\n");
    for (const SiteTable::Group& group : sites_.groups()) {
      for (uint32_t site = group.first; site < group.first + group.count; ++site) {
        out_.Emit("D($0$1,$2,$3)\n", group.function, group.function == ir::kNone ? "u" : "",
                  sites_.offset(site), sites_.layout_number(site));
      }
    }
    out_.Put("  {},\n};\n");
  }
  void EmitResumePoints(const SiteTable::Group& group, const std::string& name, uint32_t point) {
    for (uint32_t p = 0; p < group.count;) {
      if (sites_.catches(group.first + p)) {
        out_.Emit("C1($0,$1) ", name, point + p++);
        continue;
      }
      uint32_t run = 1;  // a power of two
      while (run < 32 && p + 2 * run <= group.count && NoneCatches(group.first + p, 2 * run))
        run *= 2;
      out_.Emit("S$0($1,$2) ", run, name, point + p);
      p += run;
    }
    out_.Put("\n");
  }
  void EmitShared() {
    out_.Put("const SharedFunction shared[] = {\n");
    for (const SiteTable::Group& group : sites_.groups()) {
      if (!group.shared) continue;
      out_.Emit("X($0, $1)\n", NameOf(group),
                context_.graph.canonical_type[module_.functions[group.function].type]);
    }
    out_.Put("  {},\n};\n");
  }
  bool NoneCatches(uint32_t first, uint32_t count) const {
    for (uint32_t site = first; site < first + count; ++site) {
      if (sites_.catches(site)) return false;
    }
    return true;
  }

  void EmitNames() {
    out_.Put("\nconst Text function_names[] = {\n");
    for (uint32_t f = 0; f < NameCount(); ++f) {
      out_.Put(TextOf(module_.names.functions[f]), ",\n");
    }
    out_.Put("  {},\n};\n");
  }
  size_t NameCount() const {
    return std::min(module_.names.functions.size(), module_.functions.size());
  }

  void EmitInfo() {
    uint32_t max_results = 0;
    for (const FuncType& type : module_.types) {
      max_results = std::max({max_results, SlotsOf(type.params), SlotsOf(type.results)});
    }
    const auto faults = [this](const wasm::Memory& memory) {
      return ViewOf(context_.options, memory.type).faults;
    };
    if (std::any_of(module_.memories.begin(), module_.memories.end(), faults)) {
      out_.Put(
          "\nstatic_assert(kReservesMemories, \"this machine has no reserved memories: translate "
          "\"\n"
          "              \"with --memory=checked\");\n");
    }
    out_.Emit(R"(
const ModuleInfo info = {
  kAbiVersion,
  MemoryPolicy::$0,
  "$1",
  {)",
              PolicyName(context_.options.memory), context_.options.class_name);
    for (uint8_t byte : context_.hash) out_.Put(static_cast<int>(byte), ", ");
    out_.Emit(R"(},
  sizeof(Self),
  alignof(Self),
  offsetof(Self, types),
  $0,  // max_results
)",
              max_results);
    const auto list = [&](const char* name, size_t count) {
      out_.Emit("  $0, $1,\n", name, count);
    };
    list("types", module_.types.size());
    list("imports", module_.imports.size());
    list("exports", module_.exports.size());
    list("functions", context_.graph.referenced.size());
    list("function_imports", module_.imported_functions);
    list("tables", module_.tables.size());
    list("memories", module_.memories.size());
    list("globals", module_.globals.size());
    list("tags", module_.tags.size());
    out_.Emit("  $0,  // uses_exceptions\n", context_.graph.uses_exceptions ? "true" : "false");
    out_.Emit(
        "  sites, site_words, site_details, site_callees, $0,\n  initialize,\n  $1,\n",
        sites_.size(),
        module_.has_start ? absl::StrCat(context_.info_index[module_.start], "u") : "kNoFunction");
    list("function_names", NameCount());
    list("segment_infos", SegmentCount());
    out_.Put("  shared,\n");
    if (context_.graph.uses_heap) {
      out_.Put(
          "  object_types, signature_refs, offsetof(Self, heap), offsetof(Self, object_types),\n");
    }
    out_.Put("};\n", CloseCodeNamespace(context_));
    out_.Emit(R"(
namespace $0 {
const fermata::core::ModuleInfo& $1ModuleInfo() { return $1_code::info; }
}  // namespace $0

#if defined(FERMATA_SHARED_MODULE)
extern "C" FERMATA_EXPORT const fermata::core::ModuleInfo* fermata_module() {
  return &$0::$1ModuleInfo();
}
#endif
)",
              context_.options.name_space, context_.options.class_name);
    out_.Put("#include \"fermata/core/end_rows.h\"\n");
  }

  const ModuleContext& context_;
  const Module& module_;
  const SiteTable& sites_;
  Writer& out_;
  const bool freestanding_;
};

}  // namespace

std::string Banner(const ModuleContext& context, absl::string_view what) {
  return absl::Substitute(
      "// Generated by fermata from a WebAssembly module; do not edit. $0: $1.\n",
      context.options.class_name, what);
}

std::string OpenCodeNamespace(const ModuleContext& context) {
  return absl::Substitute("namespace $0 {\nnamespace $1_code {\n\n", context.options.name_space,
                          context.options.class_name);
}

std::string CloseCodeNamespace(const ModuleContext& context) {
  return absl::Substitute("\n}  // namespace $1_code\n}  // namespace $0\n",
                          context.options.name_space, context.options.class_name);
}

std::string EmitModuleHeader(const ModuleContext& context) {
  const Module& module = context.module;
  const std::string guard =
      absl::StrCat("FERMATA_GUEST_", context.options.class_name, "_MODULE_H_");
  Writer out;
  out.Put(Banner(context, "internal header"));
  out.Emit("#ifndef $0\n#define $0\n\n#include \"fermata/core/generated.h\"\n", guard);
  if (context.graph.uses_simd) out.Put("#include \"fermata/core/simd/simd.h\"\n");
  if (context.graph.uses_atomics) out.Put("#include \"fermata/core/atomics.h\"\n");
  if (context.graph.uses_wide) out.Put("#include \"fermata/core/wide.h\"\n");
  if (UsesReferencesOfGc(context)) {
    out.Put("#include \"fermata/core/heap.h\"\n");
    if (context.graph.uses_simd) out.Put("#include \"fermata/core/simd/objects.h\"\n");
  }
  out.Put("\n");
  // "linux" is a macro to some compilers.
  for (absl::string_view part : absl::StrSplit(context.options.name_space, "::")) {
    out.Put("#undef ", part, "\n");
  }
  out.Put("\n", OpenCodeNamespace(context),
          "using namespace fermata::core;\nusing fermata::Trap;\n\n");
  for (uint32_t t = 0; t < module.types.size(); ++t) {
    if (module.type_defs[t].kind != wasm::TypeDef::kFunc) continue;
    out.Emit("using T$0 = $1($2);\n", t, ReturnType(module.types[t]), ParamTypes(module.types[t]));
    if (context.graph.uses_tail_calls && context.graph.canonical_type[t] == t) {
      out.Emit("u64 invoke_$0(Instance*, AnyFunction, const u64*);\n", t);
    }
  }
  out.Emit("\nstruct Self : Instance {\n  u32 types[$0];\n",
           std::max<size_t>(1, module.types.size()));
  if (context.graph.uses_heap) {
    out.Emit("  u8* heap;\n  u32 object_types[$0];\n", std::max<size_t>(1, module.types.size()));
  }
  for (uint32_t f = 0; f < module.imported_functions; ++f) {
    const wasm::Import& import = module.imports[module.functions[f].import];
    out.Emit("  Function import_$0;  // $1.$2\n", f, ForComment(import.module),
             ForComment(import.name));
  }
  for (size_t i = 0; i < module.memories.size(); ++i) out.Emit("  MemoryField memory$0;\n", i);
  for (size_t i = 0; i < module.tables.size(); ++i) {
    out.Emit("  Table* table$0;\n", i);
    if (HasFixedElements(module, module.tables[i])) out.Emit("  Function* elements$0;\n", i);
  }
  for (size_t i = 0; i < module.globals.size(); ++i) {
    const wasm::Global& g = module.globals[i];
    out.Emit("  $0$1 g$2;\n", CType(g.type.type.kind()), g.imported ? "*" : "", i);
  }
  for (size_t i = 0; i < module.tags.size(); ++i) out.Emit("  u32 tag$0;\n", i);
  // Segments that no body names are done with when the instance has been made.
  for (size_t i = 0; i < module.datas.size(); ++i) {
    if (context.graph.named_datas[i]) out.Emit("  u64 data_size$0;\n", i);
  }
  for (size_t i = 0; i < module.elements.size(); ++i) {
    if (!context.graph.named_elements[i]) continue;
    const bool passive = module.elements[i].mode == wasm::SegmentMode::kPassive;
    out.Emit("  u32 elem_size$0;\n  ref elem$0[$1];\n", i,
             std::max<uint32_t>(1, passive ? module.elements[i].size() : 0));
  }
  out.Put("};\n\n");
  for (uint32_t f = 0; f < module.imported_functions; ++f) {
    const FuncType& type = module.TypeOf(f);
    out.Emit("FERMATA_INLINE $0 $1(Self& self", ReturnType(type), ImportName(module, f));
    for (size_t i = 0; i < type.params.size(); ++i) {
      out.Emit(", $0 a$1", CType(type.params[i].kind()), i);
    }
    out.Emit(") {\n  return reinterpret_cast<T$0*>(self.import_$1.code)(self.import_$1.instance",
             module.functions[f].type, f);
    for (size_t i = 0; i < type.params.size(); ++i) out.Put(", a", i);
    out.Put(");\n}\n");
  }
  DeclareTypedElements(context, out);
  EmitDataDeclarations(context, out);
  out.Put(CloseCodeNamespace(context), "\n#endif  // ", guard, "\n");
  return out.Take();
}

void EmitModuleSource(const ModuleContext& context, const SiteTable& sites,
                      const std::vector<Budget>& budgets, Writer& out) {
  SourceEmitter(context, sites, out).Run(budgets);
}

void EmitDataDeclarations(const ModuleContext& context, Writer& out) {
  out.Put("extern const u8 data[];  // the bytes of all segments\n");
  uint64_t start = 0;
  for (size_t i = 0; i < context.module.datas.size(); ++i) {
    if (context.graph.named_datas[i]) {
      out.Emit("static const u8* const data$0 = data + $1u;\n", i, start);
    }
    start += context.module.datas[i].bytes.size();
  }
}

void EmitData(const ModuleContext& context, Writer& out) {
  constexpr size_t kLine = 256;  // bytes of a segment on one line
  out.Put(Banner(context, "data segments"), "#include \"", context.options.file_stem,
          "_module.h\"\n\n", OpenCodeNamespace(context));
  uint64_t size = 1;  // of the literal's end
  for (const wasm::DataSegment& segment : context.module.datas) size += segment.bytes.size();
  out.Emit("const u8 data[$0] =", size);
  // Lines go on where segments end: there may be a hundred thousand small ones.
  std::string line;
  const auto flush = [&] {
    out.Put("\n    ", Quote(line));
    line.clear();
  };
  for (const wasm::DataSegment& segment : context.module.datas) {
    for (absl::Span<const uint8_t> rest = segment.bytes; !rest.empty();) {
      const auto part = rest.subspan(0, kLine - line.size());
      line.append(reinterpret_cast<const char*>(part.data()), part.size());
      rest.remove_prefix(part.size());
      if (line.size() == kLine) flush();
    }
  }
  if (!line.empty() || size == 1) flush();
  out.Put(";\n", CloseCodeNamespace(context));
}

SiteTable OpSites(const ModuleContext& context) {
  SiteTable sites;
  for (uint32_t f = 0; f < context.module.imported_functions; ++f) {
    if (context.immediate[f]) continue;
    const FuncType& type = context.module.TypeOf(f);
    Site site{f, 0, 0, 2 * SlotsOf(type.params) + 2, "", "", true};
    for (wasm::ValType t : type.params) {
      site.letters.push_back(wasm::LetterOf(wasm::RepOf(context.module, t)));
    }
    sites.Add({site});
  }
  if (context.options.Pauses() || context.graph.uses_heap) {
    sites.Add({{ir::kNone, 0, 0, 2, "", "", true}});
  }
  return sites;
}

}  // namespace fermata::emit
