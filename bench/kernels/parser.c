// A recursive-descent parser of JSON-like text held in memory.
#include "kernel.h"

static char text[32768];
static u32 length;

static void put(const char* s) { while (*s) text[length++] = *s++; }
static void number(u32 v) {
  char d[12]; int n = 0;
  do d[n++] = '0' + v % 10, v /= 10; while (v);
  while (n) text[length++] = d[--n];
}
static void make(void) {
  length = 0;
  put("[");
  for (u32 i = 0; i < 400; i++) {
    if (i) put(",");
    put("{\"id\": "); number(i * 7919);
    put(", \"tags\": [\"red\", \"green\", \"blue\"], \"ok\": true, \"v\": ["); number(i); put(", null]}");
  }
  put("]");
  text[length] = 0;
}

struct state { const char* p; u32 sum; u32 depth; };
static void value(struct state* s);
static void space(struct state* s) { while (*s->p == ' ') s->p++; }
static void string(struct state* s) {
  s->p++;
  while (*s->p != '"') {
    if (*s->p == '\\') s->sum += rare(*++s->p);
    s->sum = s->sum * 31 + (u8)*s->p++;
  }
  s->p++;
}
static void sequence(struct state* s, char close, int keyed) {
  s->p++;
  s->depth++;
  for (space(s); *s->p != close; space(s)) {
    if (keyed) { string(s); space(s); s->p++; }
    value(s);
    space(s);
    if (*s->p == ',') s->p++;
    space(s);
  }
  s->p++;
  s->depth--;
}
static void value(struct state* s) {
  space(s);
  switch (*s->p) {
    case '{': sequence(s, '}', 1); break;
    case '[': sequence(s, ']', 0); break;
    case '"': string(s); break;
    case 't': case 'n': s->p += 4; s->sum++; break;
    case 'f': s->p += 5; break;
    default: {
      u32 v = 0;
      while (*s->p >= '0' && *s->p <= '9') v = v * 10 + (*s->p++ - '0');
      s->sum += v + s->depth;
    }
  }
}

KERNEL_RUN {
  u32 sum = 0;
  make();
  for (u32 i = 0; i < n; i++) {
    struct state s = {text, i, 0};
    value(&s);
    sum ^= s.sum;
  }
  return sum;
}
