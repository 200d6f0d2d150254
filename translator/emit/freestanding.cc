#include "translator/emit/freestanding.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "include/fermata/core/type_number.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using wasm::ConstExpr;
using wasm::ConstInstr;

bool IsConstant(const ConstExpr& expr) {
  return expr.size() == 1 &&
         (expr[0].kind == ConstInstr::kRefFunc || expr[0].kind == ConstInstr::kRefNull);
}

bool IsConstant(const wasm::ElementSegment& segment) {
  return segment.offset.size() == 1 && segment.offset[0].kind != ConstInstr::kGlobalGet &&
         std::all_of(segment.exprs.begin(), segment.exprs.end(),
                     [](const ConstExpr& e) { return IsConstant(e); });
}

uint32_t FunctionOf(const ConstExpr& expr) {
  return expr[0].kind == ConstInstr::kRefFunc ? expr[0].index : ir::kNone;
}

}  // namespace

bool IsConstantTable(const ModuleContext& context, uint32_t table) {
  const wasm::Module& module = context.module;
  const wasm::Table& t = module.tables[table];
  if (!context.options.freestanding || context.graph.used_tables[table] || t.imported ||
      context.graph.uses_tail_calls ||
      wasm::RepOf(module, t.type.element) != wasm::ValType::kFuncRef) {
    return false;
  }
  if (!t.init.empty() && !IsConstant(t.init)) return false;
  return std::all_of(module.elements.begin(), module.elements.end(), [&](const auto& segment) {
    return segment.mode != wasm::SegmentMode::kActive || segment.table != table ||
           IsConstant(segment);
  });
}

std::vector<uint32_t> ConstantElements(const ModuleContext& context, uint32_t table) {
  const wasm::Module& module = context.module;
  const wasm::Table& t = module.tables[table];
  std::vector<uint32_t> elements(t.type.limits.min,
                                 t.init.empty() ? ir::kNone : FunctionOf(t.init));
  for (const wasm::ElementSegment& segment : module.elements) {
    if (segment.mode != wasm::SegmentMode::kActive || segment.table != table) continue;
    for (uint32_t i = 0; i < segment.size(); ++i) {
      elements[segment.offset[0].bits + i] =
          segment.functions.empty() ? FunctionOf(segment.exprs[i]) : segment.functions[i];
    }
  }
  return elements;
}

bool NeedsHandles(const ModuleContext& context) {
  const analysis::CallGraph& graph = context.graph;
  if (graph.uses_handles || graph.uses_tail_calls) return true;
  for (uint32_t t = 0; t < context.module.tables.size(); ++t) {
    if (!IsConstantTable(context, t)) return true;
  }
  return std::any_of(graph.named_elements.begin(), graph.named_elements.end(),
                     [](bool named) { return named; });
}

std::string TypeNumber(const ModuleContext& context, uint32_t type) {
  const std::string& key = context.module.type_keys[type];
  const uint32_t number = core::TypeNumberOf(key.data(), key.size());
  if (number != core::kNoType) return absl::StrCat(number);
  if (!context.options.freestanding) return absl::StrCat("self.types[", type, "]");
  return absl::StrCat(core::kFirstTypeNumber + context.graph.canonical_type[type], "u");
}

std::string CodeOf(const ModuleContext& context, uint32_t function) {
  if (!context.module.functions[function].imported) return FunctionName(context.module, function);
  return absl::StrCat(context.immediate[function] ? "via_" : "suspend_", function);
}

}  // namespace fermata::emit
