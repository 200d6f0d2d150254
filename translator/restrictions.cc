#include "translator/restrictions.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "translator/emit/memory_view.h"
#include "translator/wasm/error.h"

namespace fermata {
namespace {

absl::Status Unfit(const wasm::Module& module, uint32_t offset, absl::string_view what) {
  return wasm::ErrorAt(module.path, offset,
                       absl::StrCat("a memory of a fixed size can't be ", what),
                       absl::StatusCode::kUnimplemented);
}

// Segments whose place is known. All others are checked when the instance is made.
absl::Status CheckDataSegments(const wasm::Module& module, uint64_t bytes) {
  for (size_t i = 0; i < module.datas.size(); ++i) {
    const wasm::DataSegment& segment = module.datas[i];
    if (segment.mode != wasm::SegmentMode::kActive || segment.offset.size() != 1 ||
        segment.offset[0].kind != wasm::ConstInstr::kI32Const) {
      continue;
    }
    const uint64_t begin = static_cast<uint32_t>(segment.offset[0].bits);
    const uint64_t end = begin + segment.bytes.size();
    if (end <= bytes) continue;
    return wasm::ErrorAt(module.path, segment.file_offset,
                         absl::StrCat("data segment ", i, " is at ", begin, " to ", end,
                                      ", beyond the ", bytes, " bytes of --memory-bytes"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFixedMemory(const wasm::Module& module, const emit::Options& options) {
  if (!emit::IsFixed(options)) return absl::OkStatus();
  for (size_t i = 0; i < module.memories.size(); ++i) {
    const wasm::Memory& memory = module.memories[i];
    if (i > 0) return Unfit(module, memory.offset, "one of several");
    if (memory.imported) return Unfit(module, memory.offset, "imported");
    if (memory.type.limits.shared) return Unfit(module, memory.offset, "shared");
    if (memory.type.limits.is64) return Unfit(module, memory.offset, "one of 64-bit addresses");
  }
  if (!options.memory_bytes) return absl::OkStatus();
  if (module.memories.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(module.path, ": --memory-bytes: the module has no memory"));
  }
  const wasm::Memory& memory = module.memories[0];
  const uint64_t declared = memory.type.limits.min << memory.type.page_log2;
  if (*options.memory_bytes > declared) {
    return wasm::ErrorAt(
        module.path, memory.offset,
        absl::StrCat("--memory-bytes=", *options.memory_bytes, " is more than the ", declared,
                     " bytes that the module declares"));
  }
  return CheckDataSegments(module, *options.memory_bytes);
}

}  // namespace fermata
