#include <ws2tcpip.h>

#include "runtime/os/internet_address.h"

namespace fermata::internal {

bool ParseIpv4(const char* text, uint8_t bytes[4]) { return inet_pton(AF_INET, text, bytes) == 1; }
bool ParseIpv6(const char* text, uint8_t bytes[16]) {
  return inet_pton(AF_INET6, text, bytes) == 1;
}

}  // namespace fermata::internal
