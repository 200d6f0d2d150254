#include "fermata/wasi/wait_set.h"

#include <algorithm>

#include "runtime/os/readiness_set.h"

namespace fermata::wasi {

using internal::ReadinessSet;

WaitSet::WaitSet() : set_(std::make_unique<ReadinessSet>()) {}
WaitSet::~WaitSet() = default;
int WaitSet::descriptor() const { return set_->descriptor(); }

absl::StatusOr<WaitSet::State> WaitSet::Update(const Wait& wait) {
  std::vector<Entry> wanted;
  bool ready = wait.yield;
  for (const Wait::Source& source : wait.sources) {
    const int handle = source.stream->native_handle();
    if (handle >= 0) {
      wanted.push_back(
          {handle, source.write ? ReadinessSet::kWrite : ReadinessSet::kRead, source.stream});
    } else {
      ready = ready || (source.write ? source.stream->CanWrite() : source.stream->CanRead());
    }
  }
  const bool handles = !wanted.empty();
  if (handles && descriptor() < 0) {
    if (absl::Status status = set_->Open(); !status.ok()) return status;
  }
  // Also when something is ready: streams that are no longer waited for are let go of.
  absl::Status status = Watch(std::move(wanted), ready);
  if (status.ok()) {
    status = set_->SetDeadline(handles && !ready ? wait.deadline : std::nullopt);
  }
  if (!status.ok()) return status;
  return ready ? State::kReady : handles ? State::kHandles : State::kNoHandles;
}

absl::Status WaitSet::Watch(std::vector<Entry> wanted, bool& ready) {
  // A guest may wait for a stream twice, to read and to write; each handle is watched once.
  std::sort(wanted.begin(), wanted.end(),
            [](const Entry& a, const Entry& b) { return a.handle < b.handle; });
  size_t size = 0;
  for (Entry& entry : wanted) {
    if (size > 0 && wanted[size - 1].handle == entry.handle) {
      wanted[size - 1].events |= entry.events;
    } else {
      std::swap(wanted[size++], entry);
    }
  }
  wanted.resize(size);

  // What stays. The streams held keep their handles open, so the same number is the same file.
  std::vector<uint32_t> had(size, 0);
  size_t next = 0;
  for (const Entry& old : entries_) {
    while (next < size && wanted[next].handle < old.handle) ++next;
    if (next < size && wanted[next].handle == old.handle && wanted[next].stream == old.stream) {
      had[next] = old.events;
    } else {
      set_->Forget(old.handle);
    }
  }
  entries_.clear();
  for (size_t i = 0; i < size; ++i) {
    Entry& entry = wanted[i];
    const absl::Status watched = set_->Watch(entry.handle, had[i], entry.events);
    if (absl::IsResourceExhausted(watched)) return watched;
    if (!watched.ok()) {
      // A file, which never waits, or no descriptor at all: the guest's call will say.
      ready = true;
      continue;
    }
    entries_.push_back(std::move(entry));
  }
  return absl::OkStatus();
}

}  // namespace fermata::wasi
