// What the guests of one store may use at most. Core header: freestanding.
#ifndef FERMATA_CORE_LIMITS_H_
#define FERMATA_CORE_LIMITS_H_

#include <stdint.h>

namespace fermata {

// The limits of a store.
struct Limits {
  // The size of each memory, in units of 64 KiB whatever its page size. Growth past it returns -1.
  uint32_t memory_pages = 65536;
  uint32_t table_elements = 10000000;  // the size of each table; growth past it returns -1
  uint32_t frame_bytes = 64u << 20;    // bytes of frames that one held call may have
  uint32_t call_depth = 1000000;       // number of frames that one held call may have
  // The fuel with which the store begins. Guests translated with --preempt=fuel are paused when it
  // is used up; see StoreHandle::fuel(). 0: unlimited.
  uint64_t fuel = 0;
  // The number of different exceptions (tag and payload) to which references may be made. They are
  // kept for the life of the store. One more traps.
  uint32_t exceptions = 1000000;
  // The bytes that objects of garbage collection may take. Twice as much address space is reserved.
  // When a collection does not make room for another object, its allocation traps.
  uint64_t heap_bytes = sizeof(void*) == 8 ? 1u << 30 : 64u << 20;
  // For tests: objects are collected, and all of them moved, at every suspension and whenever this
  // many bytes have been allocated (1: at every allocation). 0: when there is no room.
  uint32_t heap_stress = 0;
  // The bytes of native stack that guests may use between the host's call and its return, give or
  // take 64 KiB. Calls that host functions make in between count with it; a call that is resumed
  // starts anew. Using more is a trap (call stack exhausted). 0: what the thread has, except for a
  // margin.
  uint32_t stack_bytes = 0;
};

// The part of it that core code goes by.
struct CallLimits {
  uint32_t frame_bytes = Limits().frame_bytes;
  uint32_t call_depth = Limits().call_depth;
};

}  // namespace fermata

#endif  // FERMATA_CORE_LIMITS_H_
