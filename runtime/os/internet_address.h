// Internet addresses in writing.
#ifndef FERMATA_RUNTIME_OS_INTERNET_ADDRESS_H_
#define FERMATA_RUNTIME_OS_INTERNET_ADDRESS_H_

#include <cstdint>

namespace fermata::internal {

// As inet_pton(3) reads them; in network order. False: it is none.
bool ParseIpv4(const char* text, uint8_t bytes[4]);
bool ParseIpv6(const char* text, uint8_t bytes[16]);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_INTERNET_ADDRESS_H_
