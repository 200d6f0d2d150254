#include "translator/analysis/frame_layout.h"

namespace fermata::analysis {
namespace {

char LetterOf(ir::Kind kind) {
  switch (kind) {
    case ir::Kind::kV128:
      return 'V';
    case ir::Kind::kI64:
      return 'I';
    case ir::Kind::kF64:
      return 'D';
    case ir::Kind::kF32:
      return 'f';
    case ir::Kind::kFuncRef:
      return 'r';
    case ir::Kind::kExternRef:
      return 'x';
    case ir::Kind::kExnRef:
      return 'e';
    case ir::Kind::kAnyRef:
      return 'a';
    default:
      return 'i';
  }
}

}  // namespace

uint32_t FrameBytes(ir::Kind kind) {
  switch (kind) {
    case ir::Kind::kV128:
      return 16;
    case ir::Kind::kI64:
    case ir::Kind::kF64:
      return 8;
    default:
      return 4;  // references are handles
  }
}

FrameLayout LayOutFrame(const ir::Function& function, const std::vector<ir::VarId>& live) {
  FrameLayout layout;
  uint32_t offset = 0;
  for (uint32_t size : {16u, 8u, 4u}) {
    for (ir::VarId v : live) {
      const ir::Kind kind = function.vars[v].type;
      if (FrameBytes(kind) != size) continue;
      layout.slots.push_back({v, offset});
      layout.letters.push_back(LetterOf(kind));
      offset += size;
    }
  }
  layout.words = (offset + 7) / 8 + 1;
  return layout;
}

}  // namespace fermata::analysis
