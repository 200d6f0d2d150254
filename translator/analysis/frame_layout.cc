#include "translator/analysis/frame_layout.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace fermata::analysis {
uint32_t FrameBytes(ir::Kind kind) {
  switch (kind) {
#define FERMATA_VALUE_TYPE(enumerator, code, name, letter, bytes, ...) \
  case ir::Kind::enumerator:                                           \
    return bytes;
#define FERMATA_HEAP_TYPE(enumerator, ...) case ir::Kind::enumerator:
#include "include/fermata/core/value_types.def"
    case ir::Kind::kBottom:
    case ir::Kind::kTypedRef:
      return 4;  // references are handles
  }
  return 4;
}

namespace {

// By variable: its place in the order of those that live sets hold, those in most sets first.
std::vector<uint32_t> FrameOrder(const ir::Function& function, const LiveSets& live) {
  std::vector<uint32_t> count(function.vars.size(), 0);
  for (const std::vector<ir::VarId>& set : live) {
    for (const ir::VarId v : set) ++count[v];
  }
  std::vector<ir::VarId> order(function.vars.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](ir::VarId a, ir::VarId b) { return count[a] > count[b]; });
  std::vector<uint32_t> rank(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) rank[order[i]] = i;
  return rank;
}

FrameLayout LayOutFrame(const ir::Function& function, const std::vector<ir::VarId>& live,
                        const std::vector<uint32_t>& rank) {
  std::vector<ir::VarId> values = live;
  const auto bytes = [&](ir::VarId v) { return FrameBytes(function.vars[v].type); };
  std::sort(values.begin(), values.end(), [&](ir::VarId a, ir::VarId b) {
    return bytes(a) != bytes(b) ? bytes(a) > bytes(b) : rank[a] < rank[b];
  });
  FrameLayout layout;
  uint32_t offset = 0;
  for (const ir::VarId v : values) {
    layout.slots.push_back({v, offset});
    layout.letters.push_back(wasm::LetterOf(function.vars[v].type));
    offset += bytes(v);
  }
  layout.words = offset / 4 + 2;
  return layout;
}

// "?12;" for a nullable reference to type 12, "?e12;" if it is exact, "!=108;" for one to an abstract type that is not
// null, by its code.
void AppendType(wasm::ValType type, std::string& out) {
  absl::StrAppend(&out, type.nullable() ? "?" : "!");
  if (type.kind() == wasm::ValType::kTypedRef) {
    absl::StrAppend(&out, type.exact() ? "e" : "", type.type_index(), ";");
  } else {
    absl::StrAppend(&out, "=", wasm::CodeOf(type.kind()), ";");
  }
}

// By resume point: the statement.
std::vector<const ir::Stmt*> Points(const ir::Function& function) {
  std::vector<const ir::Stmt*> points(function.point_count);
  for (const ir::Stmt& s : function.stmts) {
    if (s.point != ir::kNone) points[s.point] = &s;
  }
  return points;
}

std::string TypesOf(const ir::Function& function, const FrameLayout& layout, const ir::Stmt& s) {
  std::string types;
  for (const FrameSlot& slot : layout.slots) {
    const ir::Var& var = function.vars[slot.var];
    if (var.type != ir::Kind::kAnyRef && var.type != ir::Kind::kExternRef) continue;
    wasm::ValType type = var.local ? var.declared : wasm::ValType(var.type);
    for (const ir::TypedVar& known : s.refs) {
      if (known.var == slot.var) type = known.type;
    }
    AppendType(type, types);
  }
  return types;
}

}  // namespace

std::vector<FrameLayout> LayOutFrames(const ir::Function& function, const LiveSets& live) {
  const std::vector<uint32_t> rank = FrameOrder(function, live);
  std::vector<FrameLayout> frames;
  for (const std::vector<ir::VarId>& values : live) {
    frames.push_back(LayOutFrame(function, values, rank));
  }
  return frames;
}

std::vector<FrameLayout> LayOutFrames(const wasm::Module& module, const ir::Function& function,
                                      const LiveSets& live) {
  std::vector<FrameLayout> frames = LayOutFrames(function, live);
  if (!module.has_object_types) return frames;
  const std::vector<const ir::Stmt*> points = Points(function);
  for (size_t p = 0; p < frames.size(); ++p) {
    frames[p].types = TypesOf(function, frames[p], *points[p]);
  }
  return frames;
}

}  // namespace fermata::analysis
