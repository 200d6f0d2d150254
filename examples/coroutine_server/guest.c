// An HTTP/1.1 server's handler, written as if each connection had a thread: it reads, asks another
// server, waits for the answer, and replies, with its buffers on the stack.
//
//   GET /square/12   asks the other server for /12, which knows squares: "12 squared is 144"

#define IMPORT(m, n) __attribute__((import_module(m), import_name(n)))
#define EXPORT(n) __attribute__((export_name(n)))

IMPORT("net", "connect") int net_connect(void);                      // to the other server; or -1
IMPORT("net", "recv") int net_recv(int fd, char* to, int capacity);  // waits; 0: closed, -1: failed
IMPORT("net", "send") int net_send(int fd, const char* from, int count);  // waits; all, or -1
IMPORT("net", "close") void net_close(int fd);

struct Stream {
  int fd;
  int filled;
  char bytes[1024];  // what has been received and not been used up
};

// ---- Text ----

static char* append(char* to, const char* text) {
  while (*text) *to++ = *text++;
  return to;
}
static char* append_bytes(char* to, const char* from, int count) {
  for (int i = 0; i < count; ++i) *to++ = from[i];
  return to;
}
static char* append_number(char* to, int value) {
  char digits[12];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while (value /= 10);
  while (count) *to++ = digits[--count];
  return to;
}
// Where `text` ends in what [at, end) begins with; null if it does not begin so.
static const char* after(const char* at, const char* end, const char* text) {
  for (; *text; ++text, ++at) {
    if (at == end || (*at | 32) != (*text | 32)) return 0;
  }
  return at;
}
static int is_digit(char c) { return c >= '0' && c <= '9'; }

// ---- Messages ----

// Receives until the stream holds a whole head; its size, blank line included, or 0.
static int read_head(struct Stream* s) {
  for (int seen = 0;;) {
    for (; seen + 4 <= s->filled; ++seen) {
      if (after(s->bytes + seen, s->bytes + s->filled, "\r\n\r\n")) return seen + 4;
    }
    if (s->filled == sizeof s->bytes) return 0;
    int count = net_recv(s->fd, s->bytes + s->filled, (int)sizeof s->bytes - s->filled);
    if (count <= 0) return 0;
    s->filled += count;
  }
}

static int content_length(const char* head, int size) {
  for (const char* at = head; at < head + size; ++at) {
    const char* value = after(at, head + size, "\r\ncontent-length: ");
    if (!value) continue;
    int length = 0;
    while (is_digit(*value) && length < 100000) length = length * 10 + (*value++ - '0');
    return length;
  }
  return 0;
}

// Receives the body behind a head of `head` bytes, of any size that fits; 0 if it does not come.
static int read_body(struct Stream* s, int head, int length) {
  if (length > (int)sizeof s->bytes - head) return 0;
  while (s->filled < head + length) {
    int count = net_recv(s->fd, s->bytes + s->filled, head + length - s->filled);
    if (count <= 0) return 0;
    s->filled += count;
  }
  return 1;
}

static void use_up(struct Stream* s, int count) {
  append_bytes(s->bytes, s->bytes + count, s->filled - count);
  s->filled -= count;
}

// ---- One connection ----

// Asks the other server for the digits' square and appends it; null if there is no answer.
static char* ask(struct Stream* other, const char* digits, int count, char* to) {
  char request[64];
  char* end = append(request, "GET /");
  end = append_bytes(end, digits, count);
  end = append(end, " HTTP/1.1\r\nhost: squares\r\n\r\n");
  if (net_send(other->fd, request, (int)(end - request)) < 0) return 0;
  int head = read_head(other);
  int length = content_length(other->bytes, head);
  if (!head || length > 20 || !read_body(other, head, length)) return 0;
  to = append_bytes(to, other->bytes + head, length);
  use_up(other, head + length);
  return to;
}

static int reply(int fd, const char* status, const char* body, int size) {
  char message[256];
  char* end = append(message, "HTTP/1.1 ");
  end = append(end, status);
  end = append(end, "\r\ncontent-type: text/plain\r\ncontent-length: ");
  end = append_number(end, size);
  end = append(end, "\r\n\r\n");
  end = append_bytes(end, body, size);
  return net_send(fd, message, (int)(end - message)) >= 0;
}

// Answers the request at the start of the stream; 0 if the connection is of no more use.
static int answer(struct Stream* in, int head, struct Stream* other) {
  char body[80];
  const char* number = after(in->bytes, in->bytes + head, "GET /square/");
  int digits = 0;
  while (number && digits < 10 && is_digit(number[digits])) ++digits;
  if (!digits || number[digits] != ' ') return reply(in->fd, "404 Not Found", "no such page\n", 13);
  char* end = append_bytes(body, number, digits);
  end = ask(other, number, digits, append(end, " squared is "));
  if (!end) return reply(in->fd, "502 Bad Gateway", "no answer\n", 10) && 0;
  *end++ = '\n';
  return reply(in->fd, "200 OK", body, (int)(end - body));
}

// Serves a connection until its other end closes it: how many requests that were.
EXPORT("serve") int serve(int fd) {
  struct Stream in, other;
  int count = 0;
  in.fd = fd;
  other.fd = net_connect();
  in.filled = other.filled = 0;
  for (int head; other.fd >= 0 && (head = read_head(&in)) > 0; ++count) {
    if (!answer(&in, head, &other)) break;
    use_up(&in, head);
  }
  if (other.fd >= 0) net_close(other.fd);
  net_close(fd);
  return count;
}
