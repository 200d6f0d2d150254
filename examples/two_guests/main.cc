// A main loop for a small board, in the style of those without an operating system: it goes round
// and serves a tick, a serial port and three guests, and never waits for any of them.
//
// Two of the guests are plain C that blocks: `telemetry` sleeps between readings, and `commands`
// waits for bytes. For the loop, such a call is a step that is suspended, which it resumes when it
// has the answer. The third, `sieve`, computes and calls nothing. It is translated with PREEMPT, so
// that each tick can interrupt it.
#include <stdint.h>

#include "board/board.h"
#include "report.h"
#include "tasks.h"
#include "values.h"

namespace {

Telemetry<SerialPort> telemetry;
Commands<SerialPort> commands;
Sieve sieve;

bool Failed() { return telemetry.failed() || commands.failed() || sieve.failed(); }

// Until there were enough ticks, or a guest has failed. The sieve runs when nobody else can, and
// then until the next tick at most.
void Loop() {
  uint32_t last = board::Microseconds();
  while (board::Ticks() < kTicksInAll && !Failed()) {
    const uint32_t now = board::Microseconds();
    values.NoteGap(now - last);
    last = now;
    if (!telemetry.Serve() && !commands.Serve() && !sieve.Serve()) board::Sleep();
  }
}

}  // namespace

void board::OnTick() { sieve.Interrupt(); }

int main() {
  board::Start();
  SendTitle();
  telemetry.Start(board::StackLimit());
  commands.Start(board::StackLimit());
  sieve.Start(board::StackLimit());
  Loop();
  if (telemetry.failed()) (Line() << "telemetry has failed\n").Send();
  if (commands.failed()) (Line() << "commands has failed\n").Send();
  if (sieve.failed()) (Line() << "sieve has failed\n").Send();
  SendSummary();
  board::Finish(Failed() || values.rounds() == 0);
}
