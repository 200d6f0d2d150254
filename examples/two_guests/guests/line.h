// A line of output that is put together from text and numbers. What does not fit is dropped.
#ifndef TWO_GUESTS_GUESTS_LINE_H_
#define TWO_GUESTS_GUESTS_LINE_H_

struct Line {
  unsigned size;
  char bytes[96];
};

void put_char(struct Line* line, char c);
void put_text(struct Line* line, const char* text);
void put_number(struct Line* line, int number);
void put_tenths(struct Line* line, int tenths);  // 205 is 20.5

// Ends the line, sends it, and starts a new one.
void send_line(struct Line* line);

#endif  // TWO_GUESTS_GUESTS_LINE_H_
