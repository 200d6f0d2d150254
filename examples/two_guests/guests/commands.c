// A command interpreter: it reads a line, answers it, and starts again.
#include "guest.h"
#include "line.h"

static struct Line out;

static int equal(const char* a, const char* b) {
  while (*a && *a == *b) ++a, ++b;
  return *a == *b;
}

// Reads a line without its end into the buffer; what does not fit is dropped.
static void read_line(char* line, unsigned bytes) {
  unsigned size = 0;
  for (;;) {
    const int c = read_byte();
    if (c == '\r' || c == '\n') {
      if (size == 0) continue;  // of "\r\n" there is a line's end left
      line[size] = 0;
      return;
    }
    if ((c == '\b' || c == 127) && size > 0) {
      --size;
    } else if (c >= ' ' && c < 127 && size + 1 < bytes) {
      line[size++] = (char)c;
    }
  }
}

// Ends the word that *rest begins with, moves *rest behind it, and returns the word.
static char* next_word(char** rest) {
  char* at = *rest;
  while (*at == ' ') ++at;
  char* word = at;
  while (*at && *at != ' ') ++at;
  if (*at) *at++ = 0;
  *rest = at;
  return word;
}

// -1 if the text is not a number from 0 to 999,999.
static int parse_number(const char* text) {
  int number = 0;
  if (!*text) return -1;
  for (; *text; ++text) {
    if (*text < '0' || *text > '9' || number > 99999) return -1;
    number = number * 10 + (*text - '0');
  }
  return number;
}

static void answer_get(const char* name) {
  put_text(&out, name);
  put_char(&out, ' ');
  if (equal(name, "interval")) {
    put_number(&out, get_value(kInterval));
    put_text(&out, " ms");
  } else if (equal(name, "lowest")) {
    put_tenths(&out, get_value(kLowest));
  } else if (equal(name, "highest")) {
    put_tenths(&out, get_value(kHighest));
  } else {
    put_text(&out, "is none of: interval, lowest, highest");
  }
  send_line(&out);
}

static void answer_set(const char* name, const char* value) {
  const int number = parse_number(value);
  if (!equal(name, "interval")) {
    put_text(&out, "only the interval can be set");
  } else if (number < 10 || number > 60000) {
    put_text(&out, "an interval is from 10 to 60000 ms");
  } else {
    set_value(kInterval, number);
    put_text(&out, "ok");
  }
  send_line(&out);
}

// Measurements are on a line that begins with '#': they differ from board to board.
static void answer_stats(void) {
  put_number(&out, get_value(kReadings));
  put_text(&out, " readings");
  send_line(&out);
  put_text(&out, "# ");
  put_number(&out, get_value(kTicks));
  put_text(&out, " ticks, longest gap ");
  put_number(&out, get_value(kLongestGap));
  put_text(&out, " us, rounds of the sieve ");
  put_number(&out, get_value(kRounds));
  send_line(&out);
}

EXPORT("run") void run(void) {
  char line[48];
  for (;;) {
    read_line(line, sizeof(line));
    put_text(&out, "> ");
    put_text(&out, line);
    send_line(&out);

    char* rest = line;
    const char* command = next_word(&rest);
    const char* name = next_word(&rest);
    const char* value = next_word(&rest);
    if (equal(command, "help")) {
      put_text(&out, "get NAME | set NAME VALUE | stats | help");
      send_line(&out);
    } else if (equal(command, "get")) {
      answer_get(name);
    } else if (equal(command, "set")) {
      answer_set(name, value);
    } else if (equal(command, "stats")) {
      answer_stats();
    } else {
      put_text(&out, "unknown; try help");
      send_line(&out);
    }
  }
}
