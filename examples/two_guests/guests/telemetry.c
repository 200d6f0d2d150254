// A task as it would be written for a thread: it sleeps, takes a reading and prints it, for ever.
#include "guest.h"
#include "line.h"

// The mean of the last four readings, or of all if there were fewer.
static int smooth(int reading) {
  static int last[4];
  static unsigned count;
  last[count++ % 4] = reading;
  const unsigned used = count < 4 ? count : 4;
  int sum = 0;
  for (unsigned i = 0; i < used; ++i) sum += last[i];
  return sum / (int)used;
}

EXPORT("run") void run(void) {
  struct Line line;
  line.size = 0;
  for (int n = 1;; ++n) {
    sleep_ms((unsigned)get_value(kInterval));
    const int reading = temperature();
    set_value(kReadings, n);
    if (n == 1 || reading < get_value(kLowest)) set_value(kLowest, reading);
    if (n == 1 || reading > get_value(kHighest)) set_value(kHighest, reading);

    put_text(&line, "reading ");
    put_number(&line, n);
    put_text(&line, ": ");
    put_tenths(&line, reading);
    put_text(&line, " C, mean ");
    put_tenths(&line, smooth(reading));
    send_line(&line);
  }
}
