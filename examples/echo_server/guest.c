// A line server as one would write it with threads: plain blocking calls, a loop per connection.
//
//   ECHO text   the text         ADD a b   the sum of two integers     STAT   lines served so far
//   UPPER text  in capitals      HASH text FNV-1a, 8 hex digits        QUIT   bye, and closes
//
// Each connection is one call of serve(), in progress for as long as the connection is open, and
// all of these calls share this module's memory. So a connection keeps its buffers in a session of
// its own, not on the C stack: a call's scalar locals are its own, but an array on the stack would
// be overwritten by the other calls.

#define IMPORT(m, n) __attribute__((import_module(m), import_name(n)))
#define EXPORT(n) __attribute__((export_name(n)))
// If the inner loops were inlined, values that they compute in advance would be live while the
// outer ones wait.
#define APART __attribute__((noinline))

IMPORT("net", "accept") int net_accept(void);  // waits; a connection, or -1: no more
IMPORT("net", "recv") int net_recv(int fd, char* to, int capacity);       // waits; 0: closed
IMPORT("net", "send") int net_send(int fd, const char* from, int count);  // waits; may be partial
IMPORT("net", "close") int net_close(int fd);
IMPORT("task", "start") int task_start(int fd);  // starts serve(fd) beside this call
IMPORT("bench", "pause") int bench_pause(int value);

enum { kSessions = 1024, kLine = 256, kReply = 300 };

struct Session {
  int used;
  int filled;        // bytes of `line` that are filled
  char line[kLine];  // what has been received of the next lines
  char reply[kReply];
};

static struct Session sessions[kSessions];
static int lines_served;

// ---- Text ----

static char* append(char* to, const char* from, int count) {
  for (int i = 0; i < count; ++i) *to++ = from[i];
  return to;
}

static char* append_decimal(char* to, long long value) {
  unsigned long long rest = value < 0 ? -(unsigned long long)value : (unsigned long long)value;
  unsigned long long power = 1;
  while (rest / power >= 10) power *= 10;
  if (value < 0) *to++ = '-';
  for (; power; power /= 10) *to++ = (char)('0' + rest / power % 10);
  return to;
}

static const char* parse_decimal(const char* at, const char* end, long long* value) {
  int negative = at < end && *at == '-';
  unsigned long long result = 0;
  at += negative;
  while (at < end && *at >= '0' && *at <= '9') result = result * 10 + (unsigned)(*at++ - '0');
  *value = (long long)(negative ? -result : result);
  return at;
}

// If the line [at, end) starts with the word, where its argument starts; else null.
static const char* argument(const char* at, const char* end, const char* word) {
  while (*word && at < end && *at == *word) ++at, ++word;
  if (*word || (at < end && *at != ' ')) return 0;
  return at < end ? at + 1 : at;
}

// ---- One line ----

static char* hash(char* to, const char* at, const char* end) {
  unsigned value = 2166136261u;
  while (at < end) value = (value ^ (unsigned char)*at++) * 16777619u;
  for (int shift = 28; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[value >> shift & 15];
  return to;
}

static char* upper(char* to, const char* at, const char* end) {
  for (; at < end; ++at) *to++ = *at >= 'a' && *at <= 'z' ? (char)(*at - 32) : *at;
  return to;
}

// Writes the reply to the line [at, end), without its newline; returns the reply's end, or null for
// QUIT.
APART static char* answer(char* to, const char* at, const char* end) {
  const char* rest;
  if ((rest = argument(at, end, "ECHO"))) return append(to, rest, (int)(end - rest));
  if ((rest = argument(at, end, "UPPER"))) return upper(to, rest, end);
  if ((rest = argument(at, end, "HASH"))) return hash(to, rest, end);
  if ((rest = argument(at, end, "STAT"))) return append_decimal(to, lines_served);
  if ((rest = argument(at, end, "QUIT"))) return 0;
  if ((rest = argument(at, end, "ADD"))) {
    long long a, b;
    rest = parse_decimal(rest, end, &a);
    parse_decimal(rest < end ? rest + 1 : rest, end, &b);
    return append_decimal(to, (long long)((unsigned long long)a + (unsigned long long)b));
  }
  return append(to, "? ECHO UPPER HASH ADD STAT QUIT", 31);
}

// ---- One connection ----

static int send_all(int fd, const char* from, int count) {
  while (count > 0) {
    int sent = net_send(fd, from, count);
    if (sent <= 0) return 0;
    from += sent;
    count -= sent;
  }
  return 1;
}

// Answers all lines that are complete and keeps the rest; 0 if the connection is to be closed.
APART static int answer_lines(int fd, struct Session* session) {
  int start = 0;
  for (int i = 0; i < session->filled; ++i) {
    if (session->line[i] != '\n') continue;
    ++lines_served;
    char* end = answer(session->reply, session->line + start, session->line + i);
    if (!end) {
      send_all(fd, "bye\n", 4);
      return 0;
    }
    *end++ = '\n';
    if (!send_all(fd, session->reply, (int)(end - session->reply))) return 0;
    start = i + 1;
  }
  append(session->line, session->line + start, session->filled - start);
  session->filled -= start;
  return session->filled < kLine;  // a longer line is not of this protocol
}

APART static void converse(int fd, struct Session* session) {
  session->filled = 0;
  do {
    int count = net_recv(fd, session->line + session->filled, kLine - session->filled);
    if (count <= 0) return;
    session->filled += count;
  } while (answer_lines(fd, session));
}

EXPORT("serve") int serve(int fd) {
  int found = 0;
  for (int i = 0; i < kSessions && !found; ++i) {
    if (sessions[i].used) continue;
    found = sessions[i].used = 1;
    converse(fd, &sessions[i]);
    sessions[i].used = 0;
  }
  net_close(fd);
  return found;
}

// Accepts connections until there are no more; each is served by a call of its own. Returns how
// many there were.
EXPORT("listen") int listen(void) {
  int count = 0;
  for (int fd; (fd = net_accept()) >= 0; ++count) task_start(fd);
  return count;
}

// For measuring what one suspension and resumption costs: nothing else happens here.
EXPORT("pause_often") int pause_often(int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) value = bench_pause(value);
  return value;
}
