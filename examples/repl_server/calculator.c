// A line-by-line calculator: a WASI command that uses the system calls directly.
//
//   a = 6 * 7        sets a variable, says nothing
//   (a + 1) / 2      answers 21.5: '/' makes a float of integers, + - * don't
//
// It does not know about sockets, sessions or suspension: it reads standard input, and blocks.

#define WASI(n) __attribute__((import_module("wasi_snapshot_preview1"), import_name(n)))

typedef __SIZE_TYPE__ size;
struct Vector {
  char* data;
  size count;
};
WASI("fd_read") int fd_read(int fd, const struct Vector* to, size vectors, size* done);
WASI("fd_write") int fd_write(int fd, const struct Vector* from, size vectors, size* done);
WASI("proc_exit") _Noreturn void proc_exit(int code);

enum { kVariables = 64, kName = 16, kLine = 1000, kDepth = 100 };

struct Value {
  int is_float;
  long long integer;  // wraps
  double number;
};

static struct Variable {
  char name[kName];
  struct Value value;
} variables[kVariables];
static int used;

// ---- Text ----

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static char* put(char* to, const char* text) {
  while (*text) *to++ = *text++;
  return to;
}

// At least `width` digits.
static char* put_digits(char* to, unsigned long long value, int width) {
  char digits[20];
  int count = 0;
  for (; value || count < width; value /= 10) digits[count++] = (char)('0' + value % 10);
  while (count) *to++ = digits[--count];
  return to;
}

static char* put_integer(char* to, long long value) {
  if (value < 0) *to++ = '-';
  return put_digits(to, value < 0 ? -(unsigned long long)value : (unsigned long long)value, 1);
}

// Six decimals, without zeros at the end but for the first.
static char* put_float(char* to, double value) {
  if (value != value) return put(to, "nan");
  if (value < 0) *to++ = '-', value = -value;
  if (value > 1.7976931348623157e308) return put(to, "inf");
  int exponent = 0;
  if (value >= 1e12) {
    for (; value >= 10; value /= 10) ++exponent;
  }
  unsigned long long millionths = (unsigned long long)(value * 1e6 + 0.5);
  to = put_digits(to, millionths / 1000000, 1);
  *to++ = '.';
  to = put_digits(to, millionths % 1000000, 6);
  while (to[-1] == '0' && to[-2] != '.') --to;
  return exponent ? put_integer(put(to, "e+"), exponent) : to;
}

// ---- Expressions ----

static const char* at;  // the rest of the line
static const char* error;
static int depth;

static struct Value fail(const char* message) {
  if (!error) error = message;
  return (struct Value){0, 0, 0};
}

static int take(char c) {
  while (*at == ' ' || *at == '\t') ++at;
  if (*at != c) return 0;
  ++at;
  return 1;
}

static struct Value of_integer(unsigned long long v) {
  return (struct Value){0, (long long)v, (double)(long long)v};
}
static struct Value of_float(double v) { return (struct Value){1, 0, v}; }

static struct Value number(void) {
  unsigned long long integer = 0;
  double value = 0, unit = 1;
  for (; is_digit(*at); ++at) {
    integer = integer * 10 + (unsigned)(*at - '0');
    value = value * 10 + (*at - '0');
  }
  if (*at != '.') return of_integer(integer);
  for (++at; is_digit(*at); ++at) value += (*at - '0') * (unit /= 10);
  return of_float(value);
}

static int name(char* to) {
  int count = 0;
  for (; is_letter(*at) || (count && is_digit(*at)); ++at) {
    if (count < kName - 1) to[count++] = *at;
  }
  to[count] = 0;
  return count;
}

static struct Variable* find(const char* wanted) {
  for (int i = 0; i < used; ++i) {
    int same = 0;
    while (wanted[same] && wanted[same] == variables[i].name[same]) ++same;
    if (wanted[same] == variables[i].name[same]) return &variables[i];
  }
  return 0;
}

static struct Value sum(void);

static struct Value factor(void) {
  char text[kName];
  struct Value value;
  if (++depth > kDepth) return fail("too deep");
  if (take('-')) {
    value = factor();
    value =
        value.is_float ? of_float(-value.number) : of_integer(-(unsigned long long)value.integer);
  } else if (take('(')) {
    value = sum();
    if (!take(')')) value = fail("a ')' is missing");
  } else if (is_digit(*at)) {
    value = number();
  } else if (name(text)) {
    struct Variable* variable = find(text);
    value = variable ? variable->value : fail("no such variable");
  } else {
    value = fail("a number, a name or '(' is missing");
  }
  --depth;
  return value;
}

static struct Value combine(char operation, struct Value a, struct Value b) {
  if (operation == '/') return of_float(a.number / b.number);
  if (a.is_float || b.is_float) {
    return of_float(operation == '*'   ? a.number * b.number
                    : operation == '+' ? a.number + b.number
                                       : a.number - b.number);
  }
  unsigned long long x = (unsigned long long)a.integer, y = (unsigned long long)b.integer;
  return of_integer(operation == '*' ? x * y : operation == '+' ? x + y : x - y);
}

static struct Value product(void) {
  struct Value value = factor();
  for (;;) {
    char operation = take('*') ? '*' : take('/') ? '/' : 0;
    if (!operation) return value;
    value = combine(operation, value, factor());
  }
}

static struct Value sum(void) {
  struct Value value = product();
  for (;;) {
    char operation = take('+') ? '+' : take('-') ? '-' : 0;
    if (!operation) return value;
    value = combine(operation, value, product());
  }
}

static void set(const char* wanted, struct Value value) {
  struct Variable* variable = find(wanted);
  if (!variable) {
    if (used == kVariables) {
      fail("too many variables");
      return;
    }
    variable = &variables[used++];
    for (int i = 0; i < kName; ++i) variable->name[i] = wanted[i];
  }
  variable->value = value;
}

// The answer to a line, with its newline: its end. An assignment has none.
static char* answer(const char* line, char* to) {
  char target[kName] = {0};
  at = line;
  error = 0;
  depth = 0;
  take(' ');
  if (!*at) return to;
  const int assigns = name(target) && take('=');
  if (!assigns) at = line, take(' ');
  struct Value value = sum();
  take(' ');
  if (*at) fail("an operator is missing");
  if (assigns && !error) set(target, value);
  if (error) {
    to = put(put(to, "error: "), error);
  } else if (assigns) {
    return to;
  } else {
    to = value.is_float ? put_float(to, value.number) : put_integer(to, value.integer);
  }
  *to++ = '\n';
  return to;
}

// ---- Lines ----

static void write_all(const char* from, const char* end) {
  while (from < end) {
    struct Vector rest = {(char*)from, (size)(end - from)};
    size done;
    if (fd_write(1, &rest, 1, &done) != 0) proc_exit(1);
    from += done;
  }
}

void _start(void) {
  static char line[kLine + 1], reply[100];
  int filled = 0;
  for (;;) {
    struct Vector room = {line + filled, (size)(kLine - filled)};
    size count;
    if (fd_read(0, &room, 1, &count) != 0) proc_exit(1);
    if (!count) proc_exit(0);
    filled += (int)count;
    int start = 0;
    for (int i = 0; i < filled; ++i) {
      if (line[i] != '\n') continue;
      line[i > start && line[i - 1] == '\r' ? i - 1 : i] = 0;
      write_all(reply, answer(line + start, reply));
      start = i + 1;
    }
    for (int i = start; i < filled; ++i) line[i - start] = line[i];
    filled -= start;
    if (filled == kLine) proc_exit(2);  // not a line
  }
}
