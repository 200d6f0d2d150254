// Limits that a host sets on one store. Core header: freestanding.
#ifndef FERMATA_CORE_LIMITS_H_
#define FERMATA_CORE_LIMITS_H_

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
  // Most native stack that guests take between a host's call and its return, give or take 64 KiB;
  // calls that host functions make in between count with it. 0: what the thread has, but for a
  // margin. More is a trap (call stack exhausted); a call that is resumed starts anew.
  uint32_t stack_bytes = 0;
};

}  // namespace fermata

#endif  // FERMATA_CORE_LIMITS_H_
