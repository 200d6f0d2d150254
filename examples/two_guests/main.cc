// A main loop for a small board, in the style of those without an operating system: it goes round
// and serves a tick, a serial port and three guests, and never waits for any of them.
//
// Two of the guests are plain C that blocks: `telemetry` sleeps between readings, and `commands`
// waits for bytes. For the loop, such a call is a step that is suspended, which it resumes when it
// has the answer. The third, `sieve`, computes and calls nothing. It is translated with PREEMPT, so
// that each tick can interrupt it.
#include <stdint.h>

#include "board/board.h"
#include "commands.h"
#include "sieve.h"
#include "telemetry.h"

namespace {

constexpr uint32_t kTicksInAll = 10'000;
constexpr uint32_t kTicksPerMillisecond = 1000 / board::kTickMicroseconds;

// What the sieve looks for, and what it has to find.
constexpr int32_t kLimit = 100'000, kPrimes = 9592;

// A line of the main loop's own.
class Line {
 public:
  Line& operator<<(const char* text) {
    while (*text != 0 && size_ < sizeof(bytes_)) bytes_[size_++] = *text++;
    return *this;
  }
  Line& operator<<(uint32_t number) {
    char digits[11];
    char* at = digits + sizeof(digits);
    *--at = 0;
    do {
      *--at = static_cast<char>('0' + number % 10);
    } while ((number /= 10) != 0);
    return *this << at;
  }
  // Waits until there is room: only before and after the loop.
  void Send() {
    while (!board::Write(bytes_, size_)) board::Sleep();
  }

 private:
  char bytes_[80];
  size_t size_ = 0;
};

// What the guests share, and their calls that are answered at once. The numbers of the values are
// those of guests/guest.h.
class Values {
 public:
  int32_t Get(int32_t which) const {
    const auto at = static_cast<uint32_t>(which);
    if (at < kSettable) return values_[at];
    switch (at) {
      case 4:
        return static_cast<int32_t>(board::Ticks());
      case 5:
        return static_cast<int32_t>(longest_gap);
      case 6:
        return static_cast<int32_t>(rounds);
      default:
        return 0;
    }
  }
  void Set(int32_t which, int32_t value) {
    const auto at = static_cast<uint32_t>(which);
    if (at < kSettable) values_[at] = value;
  }
  // A stand-in for a sensor, the same on all boards: a triangle from 19.5 to 22.5 degrees.
  int32_t Temperature() {
    const int32_t phase = static_cast<int32_t>(measured_++ % 12);
    return 195 + 5 * (phase < 6 ? phase : 12 - phase);
  }
  uint32_t readings() const { return static_cast<uint32_t>(values_[1]); }

  uint32_t longest_gap = 0;  // microseconds
  uint32_t rounds = 0;       // of the sieve

 private:
  static constexpr uint32_t kSettable = 4;
  int32_t values_[kSettable] = {300, 0, 0, 0};
  uint32_t measured_ = 0;
};

Values values;

// Answers a call of board.write: sends all bytes, or nothing yet and returns false. Bytes that the
// guest does not have, or more than ever fit, count as sent.
template <class Guest, class Step>
bool AnswerWrite(Guest& guest, Step& step) {
  using Write = typename Guest::board_write;
  const auto [address, size] = step.template Get<Write>();
  const uint8_t* bytes = guest.memory().Bytes(address, size);
  if (bytes != nullptr && static_cast<uint32_t>(size) <= board::kSendBytes &&
      !board::Write(reinterpret_cast<const char*>(bytes), static_cast<uint32_t>(size))) {
    return false;
  }
  step.template Resume<Write>();
  return true;
}

// Each guest has a function Serve, which goes on with it if it can, and returns whether it did.

// The guest that sleeps.
class Telemetry {
 public:
  void Start() { step_ = guest_.run(); }
  bool Serve() {
    if (step_.Is<Guest::board_write>()) return AnswerWrite(guest_, step_);
    if (!step_.Is<Guest::board_sleep_ms>()) return false;
    if (!asleep_) {
      asleep_ = true;
      begin_ = board::Ticks();
    }
    const auto [milliseconds] = step_.Get<Guest::board_sleep_ms>();
    const uint32_t ticks = static_cast<uint32_t>(milliseconds) * kTicksPerMillisecond;
    if (board::Ticks() - begin_ < ticks) return false;
    asleep_ = false;
    step_.Resume<Guest::board_sleep_ms>();
    return true;
  }
  bool failed() const { return step_.trapped(); }

 private:
  using Guest = guest::Telemetry;
  Guest guest_{values};
  decltype(guest_.run()) step_;
  bool asleep_ = false;
  uint32_t begin_ = 0;  // of its sleep, in ticks
};

// The guest that reads the serial port.
class Commands {
 public:
  void Start() { step_ = guest_.run(); }
  bool Serve() {
    if (step_.Is<Guest::board_write>()) return AnswerWrite(guest_, step_);
    if (!step_.Is<Guest::board_read_byte>()) return false;
    const int byte = board::Read();
    if (byte < 0) return false;
    step_.Resume<Guest::board_read_byte>(byte);
    return true;
  }
  bool failed() const { return step_.trapped(); }

 private:
  using Guest = guest::Commands;
  Guest guest_{values};
  decltype(guest_.run()) step_;
};

// The guest that computes, round after round. A round takes many ticks.
class Sieve {
 public:
  void Start() { step_ = guest_.count_primes(kLimit); }
  // Goes on until the next tick, or to the end of the round.
  bool Serve() {
    if (step_.paused()) {
      step_.Continue();
    } else if (step_.finished() && step_.value() == kPrimes) {
      ++values.rounds;
      Start();
    } else {
      return false;
    }
    return true;
  }
  void Interrupt() { guest_.Interrupt(); }
  // A wrong number of primes is a failure, too.
  bool failed() const { return step_.trapped() || (step_.finished() && step_.value() != kPrimes); }

 private:
  using Guest = guest::Sieve;
  Guest guest_;
  decltype(guest_.count_primes(kLimit)) step_;
};

Telemetry telemetry;
Commands commands;
Sieve sieve;

// The main loop itself: until there were enough ticks, or a guest has failed. Between two looks at
// the guests that wait, the sieve runs for one tick at most.
void Loop() {
  uint32_t last = board::Microseconds();
  while (board::Ticks() < kTicksInAll) {
    const uint32_t now = board::Microseconds();
    if (now - last > values.longest_gap) values.longest_gap = now - last;
    last = now;

    const bool served = telemetry.Serve() || commands.Serve();
    if (!served && !sieve.Serve()) board::Sleep();
    if (telemetry.failed() || commands.failed() || sieve.failed()) return;
  }
}

}  // namespace

void board::OnTick() { sieve.Interrupt(); }

int main() {
  board::Start();
  (Line() << "two guests\n").Send();
  telemetry.Start();
  commands.Start();
  sieve.Start();
  Loop();

  const bool failed = telemetry.failed() || commands.failed() || sieve.failed();
  if (telemetry.failed()) (Line() << "telemetry failed\n").Send();
  if (commands.failed()) (Line() << "commands failed\n").Send();
  if (sieve.failed()) (Line() << "sieve failed\n").Send();
  // How often the sieve was done, and the gap, depend on the board.
  (Line() << kTicksInAll << " ticks, " << values.readings() << " readings\n").Send();
  (Line() << "# longest gap " << values.longest_gap << " us, rounds of the sieve " << values.rounds
          << "\n")
      .Send();
  const board::Stack stack = board::StackUse();
  if (stack.bytes != 0) {
    (Line() << "# stack " << stack.used << " of " << stack.bytes << " bytes\n").Send();
  }
  board::Finish(failed || values.rounds == 0);
}
