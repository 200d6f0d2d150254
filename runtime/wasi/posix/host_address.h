// Addresses between the host's structures and ours.
#ifndef FERMATA_RUNTIME_WASI_POSIX_HOST_ADDRESS_H_
#define FERMATA_RUNTIME_WASI_POSIX_HOST_ADDRESS_H_

#include <sys/socket.h>

#include "runtime/wasi/network_address.h"

namespace fermata::wasi {

// A sockaddr with its size.
struct HostAddress {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(sockaddr_storage);

  HostAddress() = default;
  explicit HostAddress(const NetworkAddress& address);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// False: it is no address of IP.
bool FromHostAddress(const sockaddr* from, socklen_t size, NetworkAddress& address);

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_POSIX_HOST_ADDRESS_H_
