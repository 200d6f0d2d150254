// Recurses to a depth and suspends there again and again, or asks the host many times.
#include "../kernels/kernel.h"

__attribute__((export_name("hold"))) u32 hold(u32 depth) {
  if (depth > 1) return hold(depth - 1) * 3 + depth;  // not a loop in disguise
  u32 sum = 0;
  for (;;) {
    u32 answer = rare(sum);
    if (answer == 0) return sum;
    sum += answer;
  }
}

__attribute__((export_name("ask"))) u32 ask(u32 times) {
  u32 sum = 0;
  for (u32 i = 0; i < times; i++) sum += rare(i);
  return sum;
}

#ifdef ASYNCIFY_BUFFER
// Where Asyncify keeps a suspended call: first the ends of the part in use, then its bytes.
static struct { u32 top, end; u8 bytes[ASYNCIFY_BUFFER]; } buffer;
__attribute__((export_name("asyncify_buffer"))) void* asyncify_buffer(void) {
  buffer.top = (u32)buffer.bytes;
  buffer.end = (u32)(buffer.bytes + sizeof buffer.bytes);
  return &buffer;
}
#endif
