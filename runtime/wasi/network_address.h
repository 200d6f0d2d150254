// What rules and sockets have to know about addresses.
#ifndef FERMATA_RUNTIME_WASI_NETWORK_ADDRESS_H_
#define FERMATA_RUNTIME_WASI_NETWORK_ADDRESS_H_

#include "absl/strings/string_view.h"
#include "fermata/wasi/network.h"

namespace fermata::wasi {

// "127.0.0.1", "::1": as inet_pton reads it, without a port or a scope.
bool ParseAddress(absl::string_view text, NetworkAddress& address);

// Makes an IPv4 address of one in IPv6 clothes (::ffff:a.b.c.d); false: it was none.
bool Unmap(NetworkAddress& address);

bool IsUnspecified(const NetworkAddress& address);

// Where a packet for `address` goes: what is "any" address for kernels is this machine, whose
// address a kernel chooses by the socket's own. It is made definite: 127.0.0.1, ::1.
NetworkAddress Destination(NetworkAddress address);

// Letters, digits, '-', '_' and '.', not empty and not longer than names can be.
bool IsHostName(absl::string_view text);

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_NETWORK_ADDRESS_H_
