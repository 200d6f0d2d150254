// The blocking driver.
#include <algorithm>

#include "fermata/wasi/process.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

Process::State RunToEnd(Process& process, std::optional<uint64_t> deadline) {
  for (;;) {
    const Process::State state = process.Run();
    if (state != Process::State::kWaiting) return state;
    if (deadline && HostMonotonic() >= *deadline) return state;
    Wait wait = process.wait();
    if (deadline) wait.deadline = std::min(wait.deadline.value_or(*deadline), *deadline);
    if (!BlockFor(wait)) process.Abort("the guest waits for something that can never come");
  }
}

}  // namespace fermata::wasi
