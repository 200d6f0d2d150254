#include "translator/emit/function/frame_access.h"

namespace fermata::emit {
namespace {

using ir::Kind;

constexpr size_t kMostTogether = 8;

// The suffix of frame_put… and frame_get…
absl::string_view AccessOf(Kind kind) {
  if (kind == Kind::kF32) return "_f32";
  if (kind == Kind::kF64) return "_f64";
  const uint32_t bytes = analysis::FrameBytes(kind);
  return bytes == 16 ? "128" : bytes == 8 ? "64" : "32";
}

}  // namespace

void EmitFrameAccess(absl::string_view operation, const ir::Function& f,
                     const analysis::FrameLayout& layout, const ExpressionPrinter& printer,
                     Writer& out) {
  const auto& slots = layout.slots;
  const size_t indent = operation.find_first_not_of(' ');
  for (size_t i = 0; i < slots.size();) {
    const Kind kind = f.vars[slots[i].var].type;
    const uint32_t bytes = analysis::FrameBytes(kind);
    size_t n = 1;
    while (n < kMostTogether && bytes <= 8 && i + n < slots.size() &&
           AccessOf(f.vars[slots[i + n].var].type) == AccessOf(kind) &&
           slots[i + n].offset == slots[i].offset + n * bytes) {
      ++n;
    }
    out.Put(operation.substr(0, indent), bytes == 8 ? "W" : "", operation.substr(indent), n, "(",
            AccessOf(kind), ", ", slots[i].offset);
    for (size_t k = 0; k < n; ++k) out.Put(", ", printer.Var(slots[i + k].var));
    out.Put(");\n");
    i += n;
  }
}

}  // namespace fermata::emit
