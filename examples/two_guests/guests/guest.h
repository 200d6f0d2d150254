// What the guests ask of the main loop.
#ifndef TWO_GUESTS_GUESTS_GUEST_H_
#define TWO_GUESTS_GUESTS_GUEST_H_

#ifdef __wasm__
#define IMPORT(name) __attribute__((import_module("board"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))
#else  // native/thread.h
#define IMPORT(name)
#define EXPORT(name)
#endif

// These block, as far as a guest can tell.
IMPORT("sleep_ms") void sleep_ms(unsigned milliseconds);
IMPORT("read_byte") int read_byte(void);
// Sends all bytes in one piece. No more than 256.
IMPORT("write") void write_bytes(const char* bytes, unsigned size);

// These are plain calls, answered at once.
IMPORT("temperature") int temperature(void);  // tenths of a degree Celsius

// What the guests know of each other, and of the main loop.
enum Value {
  kInterval,    // milliseconds between readings
  kReadings,    // how many there were
  kLowest,      // in tenths of a degree
  kHighest,     // in tenths of a degree
  kTicks,       // this and all below belong to the main loop; `set` does not change them
  kLongestGap,  // microseconds
  kRounds,      // how often the sieve was done
};
IMPORT("get") int get_value(enum Value which);
IMPORT("set") void set_value(enum Value which, int value);

#endif  // TWO_GUESTS_GUESTS_GUEST_H_
