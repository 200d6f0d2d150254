// The parts of the network that a WASI guest may reach: none, unless its host allows them.
//
// Guests use the network by the functions of WAMR's socket extension (docs/sockets.md). What they
// may do with these is a list of rules in Config::network:
//
//   127.0.0.1:8000-8100   an address and ports; "*" or nothing: all ports
//   10.0.0.0/8:*          all addresses that begin with these bits
//   [::1]:80  [fd00::/8]  IPv6, in brackets where there are ports
//   *:443  *              all addresses; without ports: all names, too
//   example.org           a name that may be resolved; *.example.org: all names that end so
//
//   connect:ADDRESS       only to connect and send to
//   listen:ADDRESS        only to bind, to listen, and to join (groups)
//   resolve:NAME          as NAME; resolve:* all names
//
// Names and addresses have separate rules: if a name may be resolved, that does not mean that its
// addresses may be reached, whatever a name server says they are.
#ifndef FERMATA_WASI_NETWORK_H_
#define FERMATA_WASI_NETWORK_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fermata/needs_cxx20.h"
#include "fermata/wasi/types.h"

namespace fermata::wasi {

// An address of the Internet Protocol, with a port.
struct NetworkAddress {
  enum class Family : uint8_t { kIpv4, kIpv6 };
  Family family = Family::kIpv4;
  std::array<uint8_t, 16> bytes = {};  // in network order; IPv4: the first four
  uint16_t port = 0;                   // in the host's order

  bool operator==(const NetworkAddress&) const = default;
};

// The rules of one guest. Copies are independent.
class NetworkPolicy {
 public:
  // Adds rules, with commas between them. If one is not a rule, the error says what is wrong, and
  // nothing is added.
  absl::Status Allow(absl::string_view rules);
  bool empty() const { return ranges_.empty() && names_.empty(); }

  // An IPv4 address that is mapped to IPv6 (::ffff:127.0.0.1) is the IPv4 address. Connecting to
  // the "any" address (0.0.0.0, ::) means this machine, so it counts as 127.0.0.1 or ::1. Binding
  // to it means all addresses, and needs a rule which covers it. Port 0, for which the system
  // chooses a port, needs a rule for all ports, or for 0.
  bool AllowsConnect(const NetworkAddress& address) const;
  bool AllowsListen(const NetworkAddress& address) const;
  // Whether some rule covers the address for listening, on whatever port. For multicast groups.
  bool AllowsGroup(const NetworkAddress& address) const;
  // Whether a name may be resolved; upper and lower case, and a dot at the end, make no difference.
  bool AllowsName(absl::string_view name) const;
  // Whether a literal address may be resolved, which it may if any rule covers the address.
  bool AllowsLiteral(const NetworkAddress& address) const;

 private:
  enum Use : uint8_t { kConnect = 1, kListen = 2 };
  struct Range {
    uint8_t uses;
    NetworkAddress::Family family;
    std::array<uint8_t, 16> bytes;
    uint8_t bits;  // how many leading bits of `bytes` an address has to share
    uint16_t first_port, last_port;
  };
  struct Rule;
  static absl::Status Parse(absl::string_view text, Rule& rule);
  static absl::Status ParseRange(absl::string_view text, Range& range);
  bool Covers(uint8_t use, NetworkAddress address, bool any_port) const;

  std::vector<Range> ranges_;
  std::vector<std::string> names_;  // in lower case; "*" and "*.example.org" as they are
};

// A name that a guest wants resolved.
struct NameQuery {
  std::string host;     // letters, digits, '-', '_' and '.'
  std::string service;  // a port number or a name such as "http"; empty: port 0
  std::optional<NetworkAddress::Family> family;
  std::optional<bool> datagram;  // UDP or TCP
};
// An address of a name.
struct ResolvedName {
  NetworkAddress address;
  bool datagram = false;
};
// Finds a name's addresses. It is called on another thread, where it may block, and must not throw.
// It may still run when the guest that asked is gone, so it must not refer to anything that goes
// with the guest.
using NameResolver = std::function<Errno(const NameQuery& query, std::vector<ResolvedName>& found)>;

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_NETWORK_H_
