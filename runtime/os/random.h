// Random numbers that are fit for secrets.
#ifndef FERMATA_RUNTIME_OS_RANDOM_H_
#define FERMATA_RUNTIME_OS_RANDOM_H_

#include <cstddef>
#include <cstdint>

namespace fermata::internal {

// False: the system has none.
bool FillRandom(uint8_t* data, size_t size);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_RANDOM_H_
