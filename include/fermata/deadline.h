// Interrupting stores at points in time.
//
//   fermata::DeadlineTimer timer;  // one thread serves all deadlines
//   {
//     auto deadline = timer.InterruptAfter(store.interrupter(), 10ms);
//     step = guest.spin();
//   }                              // a deadline that is still to come is withdrawn
//   if (step.interrupted()) …      // the call took longer
//
// A host with a loop of its own needs no timer: Interrupter::Interrupt() may be called from
// wherever it learns that time is up, a signal handler of setitimer() included.
#ifndef FERMATA_DEADLINE_H_
#define FERMATA_DEADLINE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "fermata/interrupt.h"
#include "fermata/needs_cxx20.h"

namespace fermata {

// Any thread may use a timer. If it is destroyed, deadlines that are still to come never come.
class DeadlineTimer {
 public:
  using Clock = std::chrono::steady_clock;

  // A deadline that is to come. Destroying it, or assigning to it, withdraws it: once that has
  // returned, the deadline interrupts nothing any more. If it has come already but no guest was
  // running, the interrupt stays Interrupter::pending() until the next run or Clear(). A deadline
  // must not outlive its timer.
  class Deadline {
   public:
    Deadline() = default;
    Deadline(Deadline&& other) noexcept
        : timer_(std::exchange(other.timer_, nullptr)), at_(other.at_), id_(other.id_) {}
    Deadline& operator=(Deadline&& other) noexcept {
      if (this != &other) {
        TakeBack();
        timer_ = std::exchange(other.timer_, nullptr);
        at_ = other.at_;
        id_ = other.id_;
      }
      return *this;
    }
    ~Deadline() { TakeBack(); }

   private:
    friend class DeadlineTimer;
    void TakeBack();

    DeadlineTimer* timer_ = nullptr;
    Clock::time_point at_;
    uint64_t id_ = 0;
  };

  DeadlineTimer();   // starts its thread
  ~DeadlineTimer();  // ends it
  DeadlineTimer(const DeadlineTimer&) = delete;

  [[nodiscard]] Deadline InterruptAt(Interrupter interrupter, Clock::time_point at);
  [[nodiscard]] Deadline InterruptAfter(Interrupter interrupter, Clock::duration after) {
    return InterruptAt(std::move(interrupter), Clock::now() + after);
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fermata

#endif  // FERMATA_DEADLINE_H_
