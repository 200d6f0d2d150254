// Base64 there and back, and UTF-8 decoded and encoded.
#include "kernel.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static u8 value[256], data[6144], back[6144];
static char text[8192];
static u32 points[6144];

static u32 encode(const u8* p, u32 n, char* out) {
  char* start = out;
  for (u32 i = 0; i + 2 < n; i += 3) {
    u32 v = p[i] << 16 | p[i + 1] << 8 | p[i + 2];
    *out++ = digits[v >> 18]; *out++ = digits[v >> 12 & 63];
    *out++ = digits[v >> 6 & 63]; *out++ = digits[v & 63];
  }
  return out - start;
}
static u32 decode(const char* p, u32 n, u8* out) {
  u8* start = out;
  for (u32 i = 0; i < n; i += 4) {
    u32 a = value[(u8)p[i]], b = value[(u8)p[i + 1]], c = value[(u8)p[i + 2]], d = value[(u8)p[i + 3]];
    if ((a | b | c | d) > 63) a = rare(i);
    u32 v = a << 18 | b << 12 | c << 6 | d;
    *out++ = v >> 16; *out++ = v >> 8; *out++ = v;
  }
  return out - start;
}
static u32 put_point(u8* out, u32 c) {
  if (c < 0x80) { out[0] = c; return 1; }
  if (c < 0x800) { out[0] = 0xc0 | c >> 6; out[1] = 0x80 | (c & 63); return 2; }
  out[0] = 0xe0 | c >> 12; out[1] = 0x80 | (c >> 6 & 63); out[2] = 0x80 | (c & 63);
  return 3;
}
static u32 get_points(const u8* p, u32 n, u32* out) {
  u32 count = 0;
  for (u32 i = 0; i < n;) {
    u32 c = p[i++];
    int more = c < 0x80 ? 0 : c < 0xc0 ? -1 : c < 0xe0 ? 1 : 2;
    if (more < 0) { c = rare(i); more = 0; }
    if (more) c &= more == 1 ? 31 : 15;
    for (; more; more--) c = c << 6 | (p[i++] & 63);
    out[count++] = c;
  }
  return count;
}

KERNEL_RUN {
  for (u32 i = 0; i < 256; i++) value[i] = 255;
  for (u32 i = 0; i < 64; i++) value[(u8)digits[i]] = i;
  u32 sum = 0, seed = 7;
  for (u32 r = 0; r < n; r++) {
    u32 size = 0;
    while (size < 6000) {
      seed = seed * 1664525u + 1013904223u;
      u32 c = seed >> 17;
      size += put_point(data + size, seed & 3 << 10 ? c & 127 : c & 0x7fff);
    }
    size -= size % 3;
    u32 chars = encode(data, size, text);
    u32 bytes = decode(text, chars, back);
    while (bytes && (back[bytes - 1] & 0xc0) == 0x80) bytes--;
    if (bytes && back[bytes - 1] >= 0xc0) bytes--;
    u32 count = get_points(back, bytes, points);
    sum = sum * 31 + count + points[r % count];
  }
  return sum;
}
