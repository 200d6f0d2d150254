// The guests as a main loop sees them. Each has a function Serve, which goes on with the guest if
// there is an answer for it, and returns whether there was.
//
// A Port is where a guest's bytes come from and go to. It has the functions Read and Write of
// board/board.h.
#ifndef TWO_GUESTS_TASKS_H_
#define TWO_GUESTS_TASKS_H_

#include <stddef.h>
#include <stdint.h>

#include "board/board.h"
#include "commands.h"
#include "sieve.h"
#include "telemetry.h"
#include "values.h"

// The board's serial port.
struct SerialPort {
  static int Read() { return board::Read(); }
  static bool Write(const char* bytes, size_t size) { return board::Write(bytes, size); }
};

// Answers a call of board.write: sends all bytes, or nothing yet and returns false. Bytes that the
// guest does not have, or more than ever fit, count as sent.
template <class Port, class Guest, class Step>
bool AnswerWrite(Guest& guest, Step& step) {
  using Write = typename Guest::board_write;
  const auto [address, size] = step.template Get<Write>();
  const auto bytes =
      guest.memory().Span(static_cast<uint32_t>(address), static_cast<uint32_t>(size));
  if (bytes && bytes.size <= board::kSendBytes &&
      !Port::Write(reinterpret_cast<const char*>(bytes.data), bytes.size)) {
    return false;
  }
  step.template Resume<Write>();
  return true;
}

// The guest that sleeps.
template <class Port>
class Telemetry {
 public:
  // `stack_limit`: how far down the stack may grow that the guest runs on.
  void Start(const void* stack_limit) {
    if (guest_.Start(values, stack_limit).finished()) step_ = guest_.run();
  }
  bool Serve() {
    if (step_.template Is<Guest::board_write>()) return AnswerWrite<Port>(guest_, step_);
    if (!step_.template Is<Guest::board_sleep_ms>()) return false;
    if (!asleep_) {
      asleep_ = true;
      begin_ = board::Ticks();
    }
    const auto [milliseconds] = step_.template Get<Guest::board_sleep_ms>();
    const uint32_t ticks = static_cast<uint32_t>(milliseconds) * (1000 / board::kTickMicroseconds);
    if (board::Ticks() - begin_ < ticks) return false;
    asleep_ = false;
    step_.template Resume<Guest::board_sleep_ms>();
    return true;
  }
  bool failed() const { return step_.trapped(); }

 private:
  using Guest = guest::Telemetry;
  Guest guest_;
  decltype(guest_.run()) step_;
  bool asleep_ = false;
  uint32_t begin_ = 0;  // of its sleep, in ticks
};

// The guest that reads and answers commands.
template <class Port>
class Commands {
 public:
  // `stack_limit`: how far down the stack may grow that the guest runs on.
  void Start(const void* stack_limit) {
    if (guest_.Start(values, stack_limit).finished()) step_ = guest_.run();
  }
  bool Serve() {
    if (step_.template Is<Guest::board_write>()) return AnswerWrite<Port>(guest_, step_);
    if (!step_.template Is<Guest::board_read_byte>()) return false;
    const int byte = Port::Read();
    if (byte < 0) return false;
    step_.template Resume<Guest::board_read_byte>(byte);
    return true;
  }
  bool failed() const { return step_.trapped(); }

 private:
  using Guest = guest::Commands;
  Guest guest_;
  decltype(guest_.run()) step_;
};

// The guest that computes, round after round. A round takes many ticks.
class Sieve {
 public:
  void Start(const void* stack_limit) { failed_ = !guest_.Start(stack_limit).finished(); }
  // Goes on until the guest is interrupted, or to the end of the round.
  bool Serve() {
    if (step_.paused()) {
      step_.Continue();
    } else {
      step_ = guest_.count_primes(kLimit);
    }
    const bool right = step_.finished() && step_.value() == kPrimes;
    if (right) values.CountRound();
    // A wrong number of primes is a failure, too.
    if (!right && !step_.paused()) failed_ = true;
    return !failed_;
  }
  // Also in an interrupt, and from another core.
  void Interrupt() { guest_.Interrupt(); }
  bool failed() const { return failed_; }

 private:
  // What the sieve is called with, and what it has to find.
  static constexpr int32_t kLimit = 100'000, kPrimes = 9592;

  using Guest = guest::Sieve;
  Guest guest_;
  decltype(guest_.count_primes(kLimit)) step_;
  bool failed_ = false;
};

#endif  // TWO_GUESTS_TASKS_H_
