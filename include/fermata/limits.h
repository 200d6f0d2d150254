// Limits that a host sets on one store. Core header: freestanding.
#ifndef FERMATA_LIMITS_H_
#define FERMATA_LIMITS_H_

#include <stdint.h>

namespace fermata {

struct Limits {
  uint32_t memory_pages = 65536;       // most 64 KiB pages of each memory; growth past it gives -1
  uint32_t table_elements = 10000000;  // most elements of each table; growth past it gives -1
  uint32_t frame_bytes = 64u << 20;    // most bytes of frames one activation may hold suspended
  uint32_t call_depth = 1000000;       // most frames one activation may hold suspended
  uint64_t fuel = 0;                   // 0: unlimited
};

}  // namespace fermata

#endif  // FERMATA_LIMITS_H_
