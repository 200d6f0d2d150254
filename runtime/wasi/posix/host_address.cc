#include "runtime/wasi/posix/host_address.h"

#include <netinet/in.h>

#include <cstring>

namespace fermata::wasi {

using Family = NetworkAddress::Family;

HostAddress::HostAddress(const NetworkAddress& address) {
  if (address.family == Family::kIpv4) {
    sockaddr_in in = {};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    memcpy(&in.sin_addr, address.bytes.data(), 4);
    memcpy(&storage, &in, sizeof in);
    size = sizeof in;
  } else {
    sockaddr_in6 in = {};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port);
    memcpy(&in.sin6_addr, address.bytes.data(), 16);
    memcpy(&storage, &in, sizeof in);
    size = sizeof in;
  }
}

bool FromHostAddress(const sockaddr* from, socklen_t size, NetworkAddress& address) {
  address = {};
  if (size >= sizeof(sockaddr_in) && from->sa_family == AF_INET) {
    sockaddr_in in;
    memcpy(&in, from, sizeof in);
    address.port = ntohs(in.sin_port);
    memcpy(address.bytes.data(), &in.sin_addr, 4);
    return true;
  }
  if (size >= sizeof(sockaddr_in6) && from->sa_family == AF_INET6) {
    sockaddr_in6 in;
    memcpy(&in, from, sizeof in);
    address.family = Family::kIpv6;
    address.port = ntohs(in.sin6_port);
    memcpy(address.bytes.data(), &in.sin6_addr, 16);
    return true;
  }
  return false;
}

}  // namespace fermata::wasi
