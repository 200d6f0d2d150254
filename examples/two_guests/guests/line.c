#include "line.h"

#include "guest.h"

void put_char(struct Line* line, char c) {
  if (line->size < sizeof(line->bytes)) line->bytes[line->size++] = c;
}

void put_text(struct Line* line, const char* text) {
  while (*text) put_char(line, *text++);
}

void put_number(struct Line* line, int number) {
  char digits[10];
  int count = 0;
  unsigned rest = number < 0 ? -(unsigned)number : (unsigned)number;
  do digits[count++] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (number < 0) put_char(line, '-');
  while (count) put_char(line, digits[--count]);
}

void put_tenths(struct Line* line, int tenths) {
  if (tenths < 0) put_char(line, '-');
  if (tenths < 0) tenths = -tenths;
  put_number(line, tenths / 10);
  put_char(line, '.');
  put_char(line, (char)('0' + tenths % 10));
}

void send_line(struct Line* line) {
  if (line->size == sizeof(line->bytes)) --line->size;
  put_char(line, '\n');
  write_bytes(line->bytes, line->size);
  line->size = 0;
}
