#include "translator/emit/typed_elements.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/emit/freestanding.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using wasm::ConstInstr;
using wasm::Module;

constexpr uint64_t kMostBytes = 64 * 1024;  // of a table's arrays, with 8-byte pointers

bool IsFunction(const wasm::ConstExpr& expr) {
  return expr.size() == 1 &&
         (expr[0].kind == ConstInstr::kRefFunc || expr[0].kind == ConstInstr::kRefNull);
}

// Whether the segment, if it is one of the table's, puts elements there that are known.
bool IsKnown(const wasm::ElementSegment& segment, uint32_t table, uint64_t size) {
  if (segment.mode != wasm::SegmentMode::kActive || segment.table != table) return true;
  if (segment.offset.size() != 1) return false;
  const ConstInstr& offset = segment.offset[0];
  if (offset.kind == ConstInstr::kGlobalGet) return false;
  if (segment.size() > size || offset.bits > size - segment.size()) return false;
  return std::all_of(segment.exprs.begin(), segment.exprs.end(), IsFunction);
}

// An instance whose initialization ends with a trap in the middle of the segments may go on being
// used by others through a table that it has imported. So there must be none.
bool IsConstant(const ModuleContext& context, uint32_t table) {
  const Module& module = context.module;
  const wasm::Table& t = module.tables[table];
  const uint64_t size = t.type.limits.min;
  if (context.graph.open_table[table] || context.graph.used_tables[table] ||
      size > kMostBytes / 8 || wasm::RepOf(module, t.type.element) != wasm::ValType::kFuncRef) {
    return false;
  }
  return std::all_of(module.elements.begin(), module.elements.end(),
                     [&](const auto& segment) { return IsKnown(segment, table, size); });
}

}  // namespace

std::vector<TypedElements> FindTypedElements(const ModuleContext& context) {
  const Module& module = context.module;
  if (context.options.freestanding || context.graph.uses_tail_calls ||
      module.imported_tables != 0) {
    return {};
  }
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> sites;  // by table and type
  for (const analysis::FunctionCalls& calls : context.graph.functions) {
    for (size_t i = 0; i < calls.indirect.size(); ++i) {
      const analysis::IndirectCall& call = calls.indirect[i];
      if (call.table < module.tables.size()) {
        sites[{call.table, call.type}] += calls.indirect_sites[i];
      }
    }
  }
  std::vector<TypedElements> found;
  for (uint32_t table = 0; table < module.tables.size(); ++table) {
    if (!IsConstant(context, table)) continue;
    std::vector<std::pair<uint64_t, uint32_t>> types;
    for (const auto& [key, count] : sites) {
      if (key.first == table) types.push_back({count, key.second});
    }
    std::stable_sort(types.begin(), types.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    const uint64_t bytes = std::max<uint64_t>(8, 8 * module.tables[table].type.limits.min);
    types.resize(std::min<size_t>(types.size(), kMostBytes / bytes));
    for (const auto& type : types) found.push_back({table, type.second});
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool HasTypedElements(const ModuleContext& context, uint32_t table, uint32_t type) {
  return std::binary_search(context.typed_elements.begin(), context.typed_elements.end(),
                            TypedElements{table, type});
}

std::string TypedElementsName(uint32_t table, uint32_t type) {
  return absl::StrCat("table", table, "_T", type);
}

void DeclareTypedElements(const ModuleContext& context, Writer& out) {
  for (const TypedElements& e : context.typed_elements) {
    out.Emit("extern T$0* const $1[];\n", e.type, TypedElementsName(e.table, e.type));
  }
}

void EmitTypedElements(const ModuleContext& context, Writer& out) {
  const Module& module = context.module;
  std::set<uint32_t> imports;
  for (const TypedElements& e : context.typed_elements) {
    const std::vector<uint32_t> elements = ConstantElements(context, e.table);
    const auto fits = [&](uint32_t f) {
      return f != ir::kNone && context.graph.canonical_type[module.functions[f].type] == e.type;
    };
    for (const uint32_t f : elements) {
      if (!fits(f) || !module.functions[f].imported || !imports.insert(f).second) continue;
      const wasm::FuncType& type = module.TypeOf(f);
      std::string parameters, arguments;
      for (size_t i = 0; i < type.params.size(); ++i) {
        absl::StrAppend(&parameters, ", ", CType(type.params[i].kind()), " a", i);
        absl::StrAppend(&arguments, ", a", i);
      }
      out.Emit(
          "static $0 via_$1(Instance* base$2) {\n  return $3(*static_cast<Self*>(base)$4);\n}\n",
          ReturnType(type), f, parameters, ImportName(module, f), arguments);
    }
    out.Emit("T$0* const $1[] = {", e.type, TypedElementsName(e.table, e.type));
    for (size_t i = 0; i < elements.size(); ++i) {
      const uint32_t f = elements[i];
      out.Put(i % 8 == 0 ? "\n" : " ");
      if (!fits(f)) {
        out.Emit("NoFunction<T$0>::$1,", e.type, f == ir::kNone ? "Null" : "Other");
      } else if (module.functions[f].imported) {
        out.Emit("via_$0,", f);
      } else {
        out.Put(FunctionName(module, f), ",");
      }
    }
    out.Put(elements.empty() ? "nullptr};\n" : "\n};\n");
  }
}

}  // namespace fermata::emit
