// Strings: copies of many sizes, length, comparison, search, splitting and joining of lines.
#include "kernel.h"

static char text[16384], copy[16384], joined[16384];
static u16 starts[2048];

static u32 length(const char* s) { const char* p = s; while (*p) p++; return p - s; }
static int compare(const char* a, const char* b, u32 n) {
  for (u32 i = 0; i < n; i++) if (a[i] != b[i]) return (u8)a[i] - (u8)b[i];
  return 0;
}
static const char* search(const char* s, const char* what) {
  u32 n = length(what);
  for (; *s; s++) if (*s == *what && compare(s, what, n) == 0) return s;
  return 0;
}
static u32 split(char* s) {
  u32 count = 0, begin = 0, i = 0;
  for (; s[i]; i++) {
    if (s[i] != '\n') continue;
    s[i] = 0;
    starts[count++] = begin;
    begin = i + 1;
  }
  return count;
}
static void make(u32 seed) {
  static const char* const words[8] = {"the", "quick ", "brown", " fox", "jumps over ", "a", "lazy dog", "\n"};
  u32 size = 0;
  while (size < sizeof text - 16) {
    seed = seed * 1664525u + 1013904223u;
    const char* w = words[seed >> 29];
    u32 n = length(w);
    __builtin_memcpy(text + size, w, n);
    size += n;
  }
  text[size] = 0;
}

KERNEL_RUN {
  u32 sum = 0;
  for (u32 r = 0; r < n; r++) {
    make(r);
    u32 size = length(text);
    for (u32 i = 0; i < size; i += 61) __builtin_memcpy(copy + i, text + i, size - i < 61 ? size - i : 61);
    copy[size] = 0;
    u32 lines = split(copy), at = 0;
    for (u32 i = lines; i--;) {
      u32 k = length(copy + starts[i]);
      if (search(copy + starts[i], "dog\x01")) sum += rare(i);
      if (search(copy + starts[i], "over")) sum += i;
      __builtin_memmove(joined + at, copy + starts[i], k);
      at += k;
      joined[at++] = ';';
    }
    __builtin_memset(copy, r, 4096);
    for (u32 i = 0; i < at; i += 7) sum = sum * 33 + (u8)joined[i];
  }
  return sum;
}
