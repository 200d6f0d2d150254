// The same session with two cores. The first has all that touches the world: the tick and the serial
// port, and the guest that sleeps. The second runs the other two guests; bytes go to and fro in two
// queues without locks.
#include <stddef.h>
#include <stdint.h>

#include <atomic>

#include "board/board.h"
#include "board/fifo.h"
#include "board/second_core.h"
#include "report.h"
#include "tasks.h"
#include "values.h"

namespace {

board::Fifo<64> typed;      // from the first core to the second
board::Fifo<256> answered;  // and back

// Where the guests of the second core read and write.
struct OtherCore {
  static int Read() { return typed.Pop(); }
  static bool Write(const char* bytes, size_t size) {
    if (size > answered.room()) return false;
    for (size_t i = 0; i < size; ++i) answered.Push(static_cast<uint8_t>(bytes[i]));
    board::WakeOtherCore();
    return true;
  }
};

Telemetry<SerialPort> telemetry;
Commands<OtherCore> commands;
Sieve sieve;

enum class Second : uint32_t { kRuns, kFailed, kStopped };
std::atomic<Second> second{Second::kRuns};
std::atomic<bool> started{false};  // the second core has: the sieve can be interrupted
std::atomic<bool> stop{false};

// The second core's loop. Its guests belong to it from their start on.
void RunSecondCore() {
  commands.Start(board::SecondStackLimit());
  sieve.Start(board::SecondStackLimit());
  started.store(true, std::memory_order_release);
  while (!stop.load(std::memory_order_acquire)) {
    if (commands.failed() || sieve.failed()) break;
    if (!commands.Serve() && !sieve.Serve()) board::SleepSecondCore();
  }
  const bool failed = commands.failed() || sieve.failed();
  second.store(failed ? Second::kFailed : Second::kStopped, std::memory_order_release);
  board::WakeOtherCore();
  for (;;) board::SleepSecondCore();
}

// Lines from the second core, which must not be mixed with others.
class Forwarder {
 public:
  // Takes the bytes of a line, and sends it when it is whole and there is room.
  bool Serve() {
    if (!whole_ && !Take()) return false;
    if (!board::Write(line_, size_)) return false;
    size_ = 0;
    whole_ = false;
    return true;
  }

 private:
  bool Take() {
    for (;;) {
      const int byte = answered.Pop();
      if (byte < 0) return false;
      if (size_ < sizeof(line_)) line_[size_++] = static_cast<char>(byte);
      if (byte == '\n') return whole_ = true;
    }
  }

  char line_[128];
  size_t size_ = 0;
  bool whole_ = false;
};
Forwarder forwarder;

// Bytes to the second core, as many as there is room for.
bool ForwardTyped() {
  if (typed.room() == 0) return false;
  const int byte = board::Read();
  if (byte < 0) return false;
  typed.Push(static_cast<uint8_t>(byte));
  board::WakeOtherCore();
  return true;
}

// The first core's loop.
void Loop() {
  uint32_t last = board::Microseconds();
  while (board::Ticks() < kTicksInAll && !telemetry.failed()) {
    if (second.load(std::memory_order_acquire) == Second::kFailed) return;
    const uint32_t now = board::Microseconds();
    values.NoteGap(now - last);
    last = now;
    if (!telemetry.Serve() && !ForwardTyped() && !forwarder.Serve()) board::Sleep();
  }
}

}  // namespace

// The sieve is the second core's, and is interrupted from here.
void board::OnTick() {
  if (started.load(std::memory_order_acquire)) sieve.Interrupt();
}

int main() {
  board::Start();
  SendTitle();
  telemetry.Start(board::StackLimit());
  board::StartSecondCore(RunSecondCore);
  Loop();
  stop.store(true, std::memory_order_release);
  while (second.load(std::memory_order_acquire) == Second::kRuns) board::Sleep();
  if (telemetry.failed()) (Line() << "telemetry has failed\n").Send();
  if (second.load() == Second::kFailed) (Line() << "the second core has failed\n").Send();
  SendSummary();
  board::Finish(telemetry.failed() || second.load() == Second::kFailed || values.rounds() == 0);
}
