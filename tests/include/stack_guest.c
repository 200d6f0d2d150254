// The guest of activations_test.cc: keeps things on its stack while it waits.
//   clang --target=wasm32 -O1 -nostdlib -Wl,--no-entry -o stack_guest.wasm stack_guest.c

#define IMPORT(m, n) __attribute__((import_module(m), import_name(n)))
#define EXPORT(n) __attribute__((export_name(n)))

IMPORT("host", "pause") int pause(int value);
IMPORT("host", "fill") void fill(char* at, int size, int value);  // writes into the guest's stack

// Bytes of an array on the stack that are not what they were when it was filled, after each of
// `rounds` waits.
EXPORT("keep") int keep(int seed, int rounds) {
  volatile char kept[256];
  int wrong = 0;
  for (int i = 0; i < 256; ++i) kept[i] = (char)(seed + i);
  for (int r = 0; r < rounds; ++r) {
    pause(seed);
    for (int i = 0; i < 256; ++i) wrong += kept[i] != (char)(seed + i);
  }
  return wrong;
}

// The host fills an array on the stack; the sum of its bytes.
EXPORT("receive") int receive(int value) {
  char buffer[100];
  int sum = 0;
  fill(buffer, sizeof buffer, value);
  for (int i = 0; i < 100; ++i) sum += buffer[i];
  return sum;
}

// Uses 512 bytes of stack for each level, then waits.
EXPORT("descend") int descend(int levels) {
  volatile char used[512];
  used[levels] = used[511 - levels] = (char)levels;
  int below = levels > 1 ? descend(levels - 1) : pause(0);
  return below * 2 + used[levels] - used[511 - levels];
}

// Where the stack is.
EXPORT("where") int where(void) {
  volatile char here[16];
  volatile int address = (int)(long)here;
  here[0] = 0;
  pause(address);
  return address;
}

EXPORT("crash") int crash(void) {
  volatile char here[64];
  here[0] = (char)pause(1);
  __builtin_trap();
  return here[0];
}

// As malloc is, for two blocks.
EXPORT("allocate") char* allocate(unsigned size) {
  static char heap[2 * 5000];
  static unsigned used;
  if (used + size > sizeof heap) return 0;
  used += size;
  return heap + used - size;
}
EXPORT("allocate_and_wait") int allocate_and_wait(int size) { return pause(size); }

EXPORT("crash_now") int crash_now(int value) {
  volatile char here[64];
  here[value & 63] = (char)value;
  if (value) __builtin_trap();
  return here[0];
}
