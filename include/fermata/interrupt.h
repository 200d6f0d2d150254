// Interrupting a store, which pauses the guest that runs in it.
//
// A guest that was translated with `--preempt` (CMake: PREEMPT) passes *checks*: where its loops
// jump back, and in its recursive functions. If the store has been interrupted, the next check
// pauses the call: it returns to the host as a step that is `interrupted()`. The step holds its
// live values like any suspended call, and can be kept, moved to another thread, dropped, or run on
// with Continue().
//
//   fermata::Interrupter interrupter = store.interrupter();
//   std::thread watchdog([=] { std::this_thread::sleep_for(10ms); interrupter.Interrupt(); });
//   auto step = guest.spin();       // returns within 10 ms, finished or not
//   if (step.interrupted()) …
//
// An interrupt applies to the store, whichever of its calls is running, and is not lost: if no call
// is running, the next one that is made or resumed is paused at its first check. It pauses one call
// once; several interrupts before that check count as one. The time between two checks is short,
// with these exceptions: functions of the host; memory.fill, .copy and .init of large blocks;
// memory.atomic.wait; and functions of modules translated without --preempt.
//
// Threads: all functions of an Interrupter may be called from any thread at any time. Interrupt(),
// Clear() and pending() may be called from signal handlers too, on an object that no thread assigns
// to meanwhile. An Interrupter may outlive the store; it then does nothing.
#ifndef FERMATA_INTERRUPT_H_
#define FERMATA_INTERRUPT_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "fermata/needs_cxx20.h"

namespace fermata {

// Interrupts a store. It is copied freely, used on any thread, and may outlive the store.
class Interrupter {
 public:
  Interrupter() = default;  // of no store
  explicit Interrupter(std::shared_ptr<uint32_t> word) : word_(std::move(word)) {}

  void Interrupt() const noexcept {
    if (word_ != nullptr) Word().store(1, std::memory_order_release);
  }
  // Withdraws an interrupt that has not paused a call yet.
  void Clear() const noexcept {
    if (word_ != nullptr) Word().store(0, std::memory_order_relaxed);
  }
  // Whether there is an interrupt that has not paused a call yet.
  bool pending() const noexcept {
    return word_ != nullptr && Word().load(std::memory_order_relaxed) != 0;
  }

 private:
  std::atomic_ref<uint32_t> Word() const { return std::atomic_ref<uint32_t>(*word_); }
  static_assert(std::atomic_ref<uint32_t>::is_always_lock_free, "signal handlers can't take locks");

  std::shared_ptr<uint32_t> word_;
};

}  // namespace fermata

#endif  // FERMATA_INTERRUPT_H_
