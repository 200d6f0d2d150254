// What a suspended WASI guest waits for as one descriptor, for hosts with an event loop.
//
//   WaitSet set;
//   if (process.Run() == Process::State::kWaiting) {
//     switch (*set.Update(process.wait())) {
//       case WaitSet::State::kReady:      // run the process again, when others had their turn
//       case WaitSet::State::kHandles:    // … when set.descriptor() is readable
//       case WaitSet::State::kNoHandles:  // … at wait().deadline, or when the host says so
//     }
//   }
//
// The descriptor is an epoll instance. If the loop watched the guest's own descriptors, it would
// have to handle those that appear twice and those that the guest closes. And a loop that makes
// what it watches non-blocking, as Asio does, would do that to a terminal that other programs use
// too.
#ifndef FERMATA_WASI_WAIT_SET_H_
#define FERMATA_WASI_WAIT_SET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "fermata/needs_cxx20.h"
#include "fermata/wasi/process.h"

namespace fermata::internal {
class ReadinessSet;
}

namespace fermata::wasi {

// The sources of a wait as one descriptor.
class WaitSet {
 public:
  WaitSet();
  ~WaitSet();
  WaitSet(const WaitSet&) = delete;

  enum class State {
    kReady,      // it waits for nothing, or a source is ready now (files always are)
    kHandles,    // descriptor() is readable once the wait may be over, or at its deadline
    kNoHandles,  // no source has a native handle: descriptor() says nothing, even at the deadline
  };
  // Watches for `wait`, and for nothing else. Streams that are waited for again and again stay
  // registered, so that watching them again costs nothing. They are kept alive: a stream that the
  // guest closes in the meantime is closed at the next Update. Errors: the system has no more
  // descriptors, or no more memory; kUnimplemented for handles on Windows.
  absl::StatusOr<State> Update(const Wait& wait);
  // Open from the first kHandles on, and the same descriptor from then on.
  int descriptor() const;

 private:
  struct Entry {
    int handle;
    uint32_t events;
    std::shared_ptr<Stream> stream;
  };
  absl::Status Watch(std::vector<Entry> wanted, bool& ready);

  std::unique_ptr<internal::ReadinessSet> set_;
  std::vector<Entry> entries_;  // what it watches, by handle
};

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_WAIT_SET_H_
