// The reserved policy: address space for every address that an access can form, and a fault
// handler.
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "runtime/hosted_context.h"
#include "runtime/state.h"
#include "runtime/storage.h"

namespace fermata::internal {
namespace {

// 32 bits of address + 32 bits of offset + the widest access.
constexpr uint64_t kReservation = (uint64_t{8} << 30) + 64 * 1024;
constexpr uint64_t kPage = 65536;
constexpr uint64_t kMostPages = 65536;

class ReservedMemory : public MemoryStorage {
 public:
  ReservedMemory(const core::LimitsInfo& limits, uint64_t most_pages)
      : MemoryStorage(core::MemoryPolicy::kReserved, limits) {
    memory_.max_pages = std::min(most_pages, kMostPages);
    if (limits.has_max) memory_.max_pages = std::min(memory_.max_pages, limits.max);
    memory_.page_log2 = 16;
    memory_.owner = this;
    memory_.grow = Grow;
  }
  ~ReservedMemory() override {
    if (memory_.data != nullptr) munmap(memory_.data, kReservation);
  }
  absl::Status Reserve() {
    void* base =
        mmap(nullptr, kReservation, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
      return absl::ResourceExhaustedError("no address space to reserve for a memory (8 GiB)");
    }
    memory_.data = static_cast<core::u8*>(base);
    if (limits_.min != 0 && Grow(&memory_, limits_.min) == ~uint64_t{0}) {
      return absl::ResourceExhaustedError(absl::StrCat("no memory of ", limits_.min, " pages"));
    }
    return absl::OkStatus();
  }
  bool Covers(const void* address) const override {
    const auto at = reinterpret_cast<uintptr_t>(address),
               base = reinterpret_cast<uintptr_t>(memory_.data);
    return at >= base && at - base < kReservation;
  }

 private:
  static uint64_t Grow(core::Memory* memory, uint64_t delta) {
    const uint64_t before = memory->pages;
    if (delta > memory->max_pages - before) return ~uint64_t{0};
    if (delta != 0 &&
        mprotect(memory->data + memory->bytes, delta * kPage, PROT_READ | PROT_WRITE) != 0) {
      return ~uint64_t{0};
    }
    memory->pages += delta;
    memory->bytes += delta * kPage;
    return before;
  }
};

struct sigaction previous_segv, previous_bus;

// Whether `address` lies in a memory of the store that runs on this thread.
core::Context* GuestFault(const void* address) {
  core::Context* context = ExistingThreadContext();
  if (context == nullptr || context->entry == nullptr || context->activation == nullptr)
    return nullptr;
  const auto* state = static_cast<const StoreState*>(context->activation->store->owner);
  for (const auto& memory : state->memories) {
    if (memory->policy() == core::MemoryPolicy::kReserved && memory->Covers(address))
      return context;
  }
  return nullptr;
}

void HandleFault(int signal, siginfo_t* info, void* machine_context) {
  if (core::Context* context = info->si_code > 0 ? GuestFault(info->si_addr) : nullptr) {
    core::RaiseTrapIn(*context, Trap::kMemoryOutOfBounds);
  }
  const struct sigaction& previous = signal == SIGBUS ? previous_bus : previous_segv;
  if (previous.sa_flags & SA_SIGINFO) return previous.sa_sigaction(signal, info, machine_context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    return previous.sa_handler(signal);
  }
  const bool sent = info->si_code <= 0;  // by kill() and its like, not by an instruction
  if (sent && previous.sa_handler == SIG_IGN) return;
  // On return the instruction faults again, without a handler.
  struct sigaction none = {};
  none.sa_handler = SIG_DFL;
  sigaction(signal, &none, nullptr);
  if (sent) raise(signal);
}

}  // namespace

void InstallFaultHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = HandleFault;
    // The handler may leave by a jump: the signal must not stay blocked.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous_segv);
    sigaction(SIGBUS, &action, &previous_bus);
  });
}

absl::StatusOr<std::unique_ptr<MemoryStorage>> MakeReservedMemory(const core::LimitsInfo& limits,
                                                                  uint64_t most_pages) {
  InstallFaultHandler();
  if (limits.page_log2 != 16) {
    return absl::UnimplementedError("reserved memories have pages of 64 KiB only");
  }
  if (limits.min > most_pages) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a memory of ", limits.min, " pages is above the limit of ", most_pages));
  }
  auto memory = std::make_unique<ReservedMemory>(limits, most_pages);
  absl::Status status = memory->Reserve();
  if (!status.ok()) return status;
  return memory;
}

}  // namespace fermata::internal
