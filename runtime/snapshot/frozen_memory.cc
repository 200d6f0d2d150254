#include "runtime/snapshot/frozen_memory.h"

#include <cstring>

#include "runtime/os/virtual_memory.h"

namespace fermata::internal {
namespace {

constexpr size_t kMostMappings = 16;  // each costs about a microsecond and a place in a short list

}  // namespace

FrozenMemory::FrozenMemory(absl::Span<const MemoryRun> runs) {
  for (const MemoryRun& run : runs) {
    runs_.push_back({run.address, run.address + run.bytes.size()});
  }
  if (runs_.empty()) return;
  const uint64_t page = SystemPageSize();
  // Of the zeros between runs, only long stretches stay unmapped.
  for (uint64_t gap = 16 * page;; gap *= 4) {
    pages_.clear();
    for (const Range& run : runs_) {
      const Range whole = {run.begin / page * page, (run.end + page - 1) / page * page};
      if (!pages_.empty() && whole.begin < pages_.back().end + gap) {
        pages_.back().end = whole.end;
      } else {
        pages_.push_back(whole);
      }
    }
    if (pages_.size() <= kMostMappings) break;
  }
  contents_ = std::make_unique<SharedContents>(pages_.back().end);
  if (contents_->ok()) {
    bool written = true;
    for (const MemoryRun& run : runs) {
      written = written && contents_->Write(run.address, run.bytes.data(), run.bytes.size());
    }
    if (written) return;
  }
  contents_ = nullptr;
  for (const MemoryRun& run : runs) {
    bytes_.append(reinterpret_cast<const char*>(run.bytes.data()), run.bytes.size());
  }
}

FrozenMemory::~FrozenMemory() = default;

bool FrozenMemory::Map(core::Memory& memory) const {
  auto& storage = *static_cast<MemoryStorage*>(memory.owner);
  if (storage.policy() != core::MemoryPolicy::kReserved) return false;
  storage.has_file = true;
  if (pages_.back().end > memory.bytes) return false;
  for (const Range& range : pages_) {
    if (!contents_->MapAt(memory.data + range.begin, range.begin, range.end - range.begin)) {
      return false;
    }
  }
  return true;
}

absl::Status FrozenMemory::CopyTo(core::Memory& memory) const {
  if (runs_.empty()) return absl::OkStatus();
  if (runs_.back().end > memory.bytes) {
    return absl::InvalidArgumentError("bytes are past the end of a memory");
  }
  if (contents_ != nullptr && Map(memory)) return absl::OkStatus();
  size_t at = 0;
  for (const Range& run : runs_) {
    const size_t size = run.end - run.begin;
    if (contents_ == nullptr) {
      std::memcpy(memory.data + run.begin, bytes_.data() + at, size);
    } else if (!contents_->Read(run.begin, memory.data + run.begin, size)) {
      return absl::ResourceExhaustedError("the contents of a memory can't be read");
    }
    at += size;
  }
  return absl::OkStatus();
}

}  // namespace fermata::internal
