// Where threads wait for a value in shared memory to change (threads proposal, memory.atomic.wait
// and notify). One parking lot for the whole process, keyed by the host's address of the value:
// shared memories never move, and several stores may share one.
#ifndef FERMATA_RUNTIME_STORAGE_PARKING_H_
#define FERMATA_RUNTIME_STORAGE_PARKING_H_

#include <cstdint>

namespace fermata::internal {

// Blocks the thread until Unpark wakes it: 0; or `timeout` nanoseconds (negative: without end) have
// passed: 2; does not block if the `size` (4 or 8) bytes at `address`, which must be aligned, do
// not hold the guest's value `expected`: 1. No Unpark gets between the comparison and the waiting.
uint32_t Park(const void* address, uint64_t expected, uint32_t size, int64_t timeout);

// Wakes up to `count` threads that wait at `address`, those that came first: how many.
uint32_t Unpark(const void* address, uint32_t count);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_STORAGE_PARKING_H_
