#include "translator/analysis/frame_layout.h"

#include <algorithm>
#include <numeric>

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

}  // namespace

std::vector<FrameLayout> LayOutFrames(const ir::Function& function, const LiveSets& live) {
  const std::vector<uint32_t> rank = FrameOrder(function, live);
  std::vector<FrameLayout> frames;
  for (const std::vector<ir::VarId>& values : live) {
    frames.push_back(LayOutFrame(function, values, rank));
  }
  return frames;
}

}  // namespace fermata::analysis
