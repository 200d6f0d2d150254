// What the main loops say themselves.
#ifndef TWO_GUESTS_REPORT_H_
#define TWO_GUESTS_REPORT_H_

#include <stddef.h>
#include <stdint.h>

#include "board/board.h"
#include "values.h"

// How long a session is.
inline constexpr uint32_t kTicksInAll = 10'000;

// A line that is put together from text and numbers. What does not fit is dropped.
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
  // Waits until there is room: not for a loop that must not wait.
  void Send() {
    while (!board::Write(bytes_, size_)) board::Sleep();
  }

 private:
  char bytes_[80];
  size_t size_ = 0;
};

inline void SendTitle() { (Line() << "two guests\n").Send(); }

// The last lines of a session. Those that begin with '#' depend on the board.
inline void SendSummary() {
  (Line() << kTicksInAll << " ticks, " << values.readings() << " readings\n").Send();
  (Line() << "# longest gap " << values.longest_gap() << " us, rounds of the sieve "
          << values.rounds() << "\n")
      .Send();
  const board::Stack stack = board::StackUse();
  if (stack.bytes != 0) {
    (Line() << "# stack " << stack.used << " of " << stack.bytes << " bytes\n").Send();
  }
}

#endif  // TWO_GUESTS_REPORT_H_
