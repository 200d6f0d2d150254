// Limits that a host sets on one store. Core header: freestanding.
#ifndef FERMATA_LIMITS_H_
#define FERMATA_LIMITS_H_

#include <stdint.h>

namespace fermata {

struct Limits {
  // Most bytes of each memory, in units of 64 KiB whatever its page size; growth past it gives -1.
  uint32_t memory_pages = 65536;
  uint32_t table_elements = 10000000;  // most elements of each table; growth past it gives -1
  uint32_t frame_bytes = 64u << 20;    // most bytes of frames one activation may hold suspended
  uint32_t call_depth = 1000000;       // most frames one activation may hold suspended
  // What guests translated with --preempt=fuel may use before they are paused: see
  // StoreHandle::fuel(). 0: unlimited.
  uint64_t fuel = 0;
  // Most different exceptions (tag and payload) that references may be made to. They are kept for
  // the life of the store; one more traps.
  uint32_t exceptions = 1000000;
};

}  // namespace fermata

#endif  // FERMATA_LIMITS_H_
