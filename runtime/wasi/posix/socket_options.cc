// WAMR's socket extension: options. Most are the host's own; timeouts are kept here, since the
// host's sockets don't wait, and so is lingering, since close(2) would wait for it.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <limits>

#include "runtime/wasi/posix/errors.h"
#include "runtime/wasi/posix/host_address.h"
#include "runtime/wasi/socket.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

using Family = NetworkAddress::Family;

constexpr Rights kChange = rights::kFdFdstatSetFlags;

Errno SetOption(int socket, int level, int name, int value) {
  return Outcome(setsockopt(socket, level, name, &value, sizeof value));
}
Errno GetOption(int socket, int level, int name, int& value) {
  value = 0;
  socklen_t size = sizeof value;
  return Outcome(getsockopt(socket, level, name, &value, &size));
}

Errno Set(Call& call, uint32_t fd, int level, int name, int value) {
  StreamDescriptor* d;
  int socket;
  const Errno error = GetHostSocket(call, fd, kChange, d, socket);
  return error != Errno::kSuccess ? error : SetOption(socket, level, name, value);
}

// Stores what `value` makes of the option, as a number of the guest's type T.
template <typename T>
Errno Get(Call& call, uint32_t fd, int level, int name, uint32_t to) {
  StreamDescriptor* d;
  int socket, value;
  Errno error = GetHostSocket(call, fd, 0, d, socket);
  if (error == Errno::kSuccess) error = GetOption(socket, level, name, value);
  if (error != Errno::kSuccess) return error;
  return AsWamr(call.memory.Store(to, static_cast<T>(value)));
}

// ---- On or off ----

template <int level, int name>
Result SetBool(Call& call, uint32_t fd, uint32_t on) {
  return Set(call, fd, level, name, on != 0);
}
template <int level, int name>
Result GetBool(Call& call, uint32_t fd, uint32_t to) {
  StreamDescriptor* d;
  int socket, value;
  Errno error = GetHostSocket(call, fd, 0, d, socket);
  if (error == Errno::kSuccess) error = GetOption(socket, level, name, value);
  if (error != Errno::kSuccess) return error;
  return AsWamr(call.memory.Store(to, uint8_t{value != 0}));
}

Result SetMulticastLoop(Call& call, uint32_t fd, uint32_t ipv6, uint32_t on) {
  return ipv6 != 0 ? SetBool<IPPROTO_IPV6, IPV6_MULTICAST_LOOP>(call, fd, on)
                   : SetBool<IPPROTO_IP, IP_MULTICAST_LOOP>(call, fd, on);
}
Result GetMulticastLoop(Call& call, uint32_t fd, uint32_t ipv6, uint32_t to) {
  return ipv6 != 0 ? GetBool<IPPROTO_IPV6, IPV6_MULTICAST_LOOP>(call, fd, to)
                   : GetBool<IPPROTO_IP, IP_MULTICAST_LOOP>(call, fd, to);
}

// ---- Numbers ----

template <int level, int name>
Result SetNumber(Call& call, uint32_t fd, uint32_t value) {
  if (value > uint32_t{std::numeric_limits<int>::max()}) return Errno::kInval;
  return Set(call, fd, level, name, static_cast<int>(value));
}
template <int level, int name>
Result GetNumber(Call& call, uint32_t fd, uint32_t to) {
  return Get<uint32_t>(call, fd, level, name, to);
}

// The number of hops has another option for each family.
template <int ipv4, int ipv6>
Result SetHops(Call& call, uint32_t fd, uint32_t value) {
  if (value > 0xff) return Errno::kInval;
  const Errno error = Set(call, fd, IPPROTO_IPV6, ipv6, static_cast<int>(value));
  // Of a socket of IPv4.
  if (error != Errno::kNoProtoOpt && error != Errno::kNotSup) return error;
  return Set(call, fd, IPPROTO_IP, ipv4, static_cast<int>(value));
}
template <int ipv4, int ipv6>
Result GetHops(Call& call, uint32_t fd, uint32_t to) {
  const Errno error = Get<uint8_t>(call, fd, IPPROTO_IPV6, ipv6, to);
  if (error != Errno::kNoProtoOpt && error != Errno::kNotSup) return error;
  return Get<uint8_t>(call, fd, IPPROTO_IP, ipv4, to);
}

// ---- Time ----

template <uint64_t SocketState::*timeout>
Result SetTimeout(Call& call, uint32_t fd, uint64_t microseconds) {
  StreamDescriptor* d;
  int socket;
  const Errno error = GetHostSocket(call, fd, kChange, d, socket);
  if (error == Errno::kSuccess) d->socket.*timeout = microseconds;
  return error;
}
template <uint64_t SocketState::*timeout>
Result GetTimeout(Call& call, uint32_t fd, uint32_t to) {
  StreamDescriptor* d;
  int socket;
  const Errno error = GetHostSocket(call, fd, 0, d, socket);
  return error != Errno::kSuccess ? error : AsWamr(call.memory.Store(to, d->socket.*timeout));
}

// To linger for no time is to reset the connection at once, which the host does. For a time: what
// was sent goes out all the same after the socket is closed, but nobody is kept waiting.
Result SetLinger(Call& call, uint32_t fd, uint32_t on, uint32_t seconds) {
  if (on != 0 && seconds > uint32_t{std::numeric_limits<int>::max()}) return Errno::kInval;
  StreamDescriptor* d;
  int socket;
  Errno error = GetHostSocket(call, fd, kChange, d, socket);
  if (error != Errno::kSuccess) return error;
  const linger host = {on != 0 && seconds == 0, 0};
  error = Outcome(setsockopt(socket, SOL_SOCKET, SO_LINGER, &host, sizeof host));
  if (error != Errno::kSuccess) return error;
  d->socket.linger = on != 0 ? std::optional<uint32_t>(seconds) : std::nullopt;
  return Errno::kSuccess;
}
Result GetLinger(Call& call, uint32_t fd, uint32_t on_at, uint32_t seconds_at) {
  StreamDescriptor* d;
  int socket;
  Errno error = GetHostSocket(call, fd, 0, d, socket);
  if (error == Errno::kSuccess && call.memory.At(seconds_at, 4) == nullptr) error = Errno::kInval;
  if (error == Errno::kSuccess) {
    error = AsWamr(call.memory.Store(on_at, uint8_t{d->socket.linger.has_value()}));
  }
  if (error != Errno::kSuccess) return error;
  return call.memory.Store(seconds_at, d->socket.linger.value_or(0));
}

// ---- Groups ----

Result Membership(Call& call, uint32_t fd, uint32_t group_at, uint32_t interface, bool join) {
  NetworkAddress group;
  StreamDescriptor* d;
  int socket;
  Errno error = LoadGroup(call, group_at, group);
  if (error == Errno::kSuccess) error = GetHostSocket(call, fd, kChange, d, socket);
  if (error != Errno::kSuccess) return error;
  if (join && !call.system.config.network.AllowsGroup(group)) return Errno::kAcces;
  if (group.family == Family::kIpv6) {
    ipv6_mreq request = {};
    memcpy(&request.ipv6mr_multiaddr, group.bytes.data(), 16);
    request.ipv6mr_interface = interface;
    return Outcome(setsockopt(socket, IPPROTO_IPV6, join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP,
                              &request, sizeof request));
  }
  ip_mreq request = {};
  memcpy(&request.imr_multiaddr, group.bytes.data(), 4);
  // The interface's address, its bytes in the order in which they lie in the guest's memory.
  uint8_t bytes[4];
  StoreLittle(bytes, interface);
  memcpy(&request.imr_interface, bytes, 4);
  return Outcome(setsockopt(socket, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                            &request, sizeof request));
}
Result AddMembership(Call& call, uint32_t fd, uint32_t group_at, uint32_t interface) {
  return Membership(call, fd, group_at, interface, /*join=*/true);
}
Result DropMembership(Call& call, uint32_t fd, uint32_t group_at, uint32_t interface) {
  return Membership(call, fd, group_at, interface, /*join=*/false);
}

}  // namespace

void AddSocketOptions(std::vector<Function>& table) {
  const auto add = [&](const Function& set, const Function& get) {
    table.push_back(set);
    table.push_back(get);
  };
#define FERMATA_OPTION(kind, name, ...)                     \
  add(Wrap<Set##kind<__VA_ARGS__>>::Make("sock_set_" name), \
      Wrap<Get##kind<__VA_ARGS__>>::Make("sock_get_" name))
  FERMATA_OPTION(Bool, "reuse_addr", SOL_SOCKET, SO_REUSEADDR);
  FERMATA_OPTION(Bool, "reuse_port", SOL_SOCKET, SO_REUSEPORT);
  FERMATA_OPTION(Bool, "keep_alive", SOL_SOCKET, SO_KEEPALIVE);
  FERMATA_OPTION(Bool, "broadcast", SOL_SOCKET, SO_BROADCAST);
  FERMATA_OPTION(Bool, "tcp_no_delay", IPPROTO_TCP, TCP_NODELAY);
  FERMATA_OPTION(Bool, "tcp_quick_ack", IPPROTO_TCP, TCP_QUICKACK);
  FERMATA_OPTION(Bool, "tcp_fastopen_connect", IPPROTO_TCP, TCP_FASTOPEN_CONNECT);
  FERMATA_OPTION(Bool, "ipv6_only", IPPROTO_IPV6, IPV6_V6ONLY);
  FERMATA_OPTION(Number, "recv_buf_size", SOL_SOCKET, SO_RCVBUF);
  FERMATA_OPTION(Number, "send_buf_size", SOL_SOCKET, SO_SNDBUF);
  FERMATA_OPTION(Number, "tcp_keep_idle", IPPROTO_TCP, TCP_KEEPIDLE);
  FERMATA_OPTION(Number, "tcp_keep_intvl", IPPROTO_TCP, TCP_KEEPINTVL);
  FERMATA_OPTION(Hops, "ip_ttl", IP_TTL, IPV6_UNICAST_HOPS);
  FERMATA_OPTION(Hops, "ip_multicast_ttl", IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS);
  FERMATA_OPTION(Timeout, "recv_timeout", &SocketState::receive_timeout);
  FERMATA_OPTION(Timeout, "send_timeout", &SocketState::send_timeout);
#undef FERMATA_OPTION
  add(Wrap<SetLinger>::Make("sock_set_linger"), Wrap<GetLinger>::Make("sock_get_linger"));
  add(Wrap<SetMulticastLoop>::Make("sock_set_ip_multicast_loop"),
      Wrap<GetMulticastLoop>::Make("sock_get_ip_multicast_loop"));
  table.push_back(Wrap<AddMembership>::Make("sock_set_ip_add_membership"));
  table.push_back(Wrap<DropMembership>::Make("sock_set_ip_drop_membership"));
}

}  // namespace fermata::wasi
