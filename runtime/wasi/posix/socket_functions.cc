// WAMR's socket extension: sockets are opened, bound, connected and used. What it shares with
// preview 1 (sock_accept, sock_recv, sock_send, sock_shutdown) is in transfer_functions.cc.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/wasi/posix/errors.h"
#include "runtime/wasi/posix/host_address.h"
#include "runtime/wasi/socket.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

using Family = NetworkAddress::Family;

Result SockOpen(Call& call, uint32_t /*pool*/, uint32_t family, uint32_t type, uint32_t fd_at) {
  constexpr uint32_t kIpv6 = 1, kAnyFamily = 2, kDatagram = 0, kStream = 1, kAnyType = ~0u;
  if (call.memory.At(fd_at, 4) == nullptr) return Errno::kInval;
  if (family > kAnyFamily) return Errno::kAfNoSupport;
  if (type != kDatagram && type != kStream && type != kAnyType) return Errno::kInval;
  if (call.system.descriptors.full()) return Errno::kMfile;
  const int kind = type == kDatagram ? SOCK_DGRAM : SOCK_STREAM;
  const int host =
      socket(family == kIpv6 ? AF_INET6 : AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (host < 0) return FromHost(errno);
  absl::StatusOr<std::shared_ptr<Stream>> stream = DescriptorStream(host, /*owned=*/true);
  if (!stream.ok()) {
    close(host);
    return Errno::kIo;
  }
  auto d = std::make_unique<StreamDescriptor>(*std::move(stream), rights::kStream);
  d->socket.opened_by_guest = true;
  uint32_t fd = 0;
  const Errno error = call.system.descriptors.Add(std::move(d), fd);
  return error != Errno::kSuccess ? error : call.memory.Store(fd_at, fd);
}

bool IsIpv6(int socket) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_INET6;
}

// A socket of IPv6 that is bound to :: also takes what comes for IPv4. Where that is not allowed it
// is told not to; an error if it can't be.
Errno ConfineToIpv6(const Call& call, int socket, uint16_t port) {
  NetworkAddress all_of_ipv4;
  all_of_ipv4.port = port;
  if (!IsIpv6(socket) || call.system.config.network.AllowsListen(all_of_ipv4)) {
    return Errno::kSuccess;
  }
  int only = 0;
  socklen_t size = sizeof only;
  if (getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == 0 && only != 0) {
    return Errno::kSuccess;
  }
  only = 1;
  return setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0 ? Errno::kSuccess
                                                                                : Errno::kAcces;
}

Result SockBind(Call& call, uint32_t fd, uint32_t address_at) {
  NetworkAddress address;
  StreamDescriptor* d;
  int socket;
  Errno error = LoadAddress(call, address_at, address);
  if (error == Errno::kSuccess) error = GetHostSocket(call, fd, rights::kSockAccept, d, socket);
  if (error != Errno::kSuccess) return error;
  if (!call.system.config.network.AllowsListen(address)) return Errno::kAcces;
  if (address.family == Family::kIpv6 && IsUnspecified(address)) {
    error = ConfineToIpv6(call, socket, address.port);
    if (error != Errno::kSuccess) return error;
  }
  const HostAddress host(address);
  if (bind(socket, host.get(), host.size) != 0) return FromHost(errno);
  d->socket.bound = true;
  return Errno::kSuccess;
}

Result SockListen(Call& call, uint32_t fd, uint32_t backlog) {
  StreamDescriptor* d;
  int socket;
  Errno error = GetHostSocket(call, fd, rights::kSockAccept, d, socket);
  if (error != Errno::kSuccess) return error;
  if (d->socket.opened_by_guest) {
    NetworkAddress local;
    HostAddress host;
    if (getsockname(socket, host.get(), &host.size) != 0) return FromHost(errno);
    if (!FromHostAddress(host.get(), host.size, local)) return Errno::kAfNoSupport;
    if (!d->socket.bound) {
      // The system would bind it, to all addresses and some port. (What it says of the local
      // address may be left over from an attempt to connect.)
      local.bytes = {};
      local.port = 0;
      if (!call.system.config.network.AllowsListen(local)) return Errno::kAcces;
    }
    if (local.family == Family::kIpv6 && IsUnspecified(local)) {
      error = ConfineToIpv6(call, socket, d->socket.bound ? local.port : uint16_t{0});
      if (error != Errno::kSuccess) return error;
    }
  }
  // A hint: the guest shares its thread with others, its clients perhaps, and can be late; a queue
  // that is full costs each client a second and more.
  const uint32_t queue = std::clamp<uint32_t>(backlog, SOMAXCONN, 0x7fffffff);
  return Outcome(listen(socket, static_cast<int>(queue)));
}

Result SockConnect(Call& call, uint32_t fd, uint32_t address_at) {
  NetworkAddress address;
  StreamDescriptor* d;
  int socket;
  Errno error = LoadAddress(call, address_at, address);
  if (error == Errno::kSuccess) error = GetHostSocket(call, fd, rights::kFdWrite, d, socket);
  if (error != Errno::kSuccess) return error;
  if (!call.system.config.network.AllowsConnect(address)) return Errno::kAcces;
  // Tried again, it says how the first attempt gets on, and in the end what it came to.
  const HostAddress host(Destination(address));
  if (connect(socket, host.get(), host.size) == 0) return Errno::kSuccess;
  const int code = errno;
  const bool under_way = code == EINPROGRESS || code == EALREADY;
  if (!under_way || (d->flags & fdflags::kNonblock) != 0) return FromHost(code);
  return WaitFor(call, *d, /*write=*/true, /*late=*/Errno::kInProgress);
}

Result SockRecvFrom(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t flags,
                    uint32_t address_at, uint32_t size_at) {
  if (!FitsFlags(flags, kReceiveFlags)) return Errno::kInval;
  StreamDescriptor* d;
  int socket;
  Buffers buffers;
  Errno error = GetHostSocket(call, fd, rights::kFdRead, d, socket);
  if (error == Errno::kSuccess) error = call.memory.LoadBuffers(buffers_at, count, buffers);
  if (error == Errno::kSuccess && (call.memory.At(address_at, kAddressBytes) == nullptr ||
                                   call.memory.At(size_at, 4) == nullptr)) {
    error = Errno::kInval;
  }
  if (error != Errno::kSuccess) return AsWamr(error);
  NetworkAddress from;
  bool truncated = false;
  const Result result = Receive(call, *d, buffers, flags, size_at, &from, truncated);
  if (result.kind != Result::kDone || result.error != Errno::kSuccess) return result;
  return StoreAddress(call, address_at, from);
}

Result SockSendTo(Call& call, uint32_t fd, uint32_t buffers_at, uint32_t count, uint32_t flags,
                  uint32_t address_at, uint32_t size_at) {
  if (flags != 0) return Errno::kInval;
  NetworkAddress address;
  StreamDescriptor* d;
  int socket;
  Buffers buffers;
  Errno error = GetHostSocket(call, fd, rights::kFdWrite, d, socket);
  if (error == Errno::kSuccess) error = LoadAddress(call, address_at, address);
  if (error == Errno::kSuccess) error = call.memory.LoadBuffers(buffers_at, count, buffers);
  if (error == Errno::kSuccess && call.memory.At(size_at, 4) == nullptr) error = Errno::kInval;
  if (error != Errno::kSuccess) return AsWamr(error);
  if (!call.system.config.network.AllowsConnect(address)) return Errno::kAcces;
  const IoResult sent = SendTo(socket, buffers, Destination(address));
  if (sent.error == Errno::kAgain && (d->flags & fdflags::kNonblock) == 0) {
    return WaitFor(call, *d, /*write=*/true);
  }
  if (!sent.ok()) return sent.error;
  return call.memory.Store(size_at, static_cast<uint32_t>(sent.bytes));
}

// It is fd_close that closes; so it is in WAMR.
Result SockClose(Call&, uint32_t /*fd*/) { return Errno::kNoSys; }

template <auto name>
Result SockAddress(Call& call, uint32_t fd, uint32_t to) {
  StreamDescriptor* d;
  int socket;
  const Errno error = GetHostSocket(call, fd, 0, d, socket);
  if (error != Errno::kSuccess) return error;
  HostAddress host;
  NetworkAddress address;
  if (name(socket, host.get(), &host.size) != 0) return FromHost(errno);
  if (!FromHostAddress(host.get(), host.size, address)) return Errno::kAfNoSupport;
  return StoreAddress(call, to, address);
}
int LocalAddress(int socket, sockaddr* to, socklen_t* size) {
  return getsockname(socket, to, size);
}
int RemoteAddress(int socket, sockaddr* to, socklen_t* size) {
  return getpeername(socket, to, size);
}

}  // namespace

void AddSocketFunctions(std::vector<Function>& table) {
  table.push_back(Wrap<SockOpen>::Make("sock_open"));
  table.push_back(Wrap<SockBind>::Make("sock_bind"));
  table.push_back(Wrap<SockListen>::Make("sock_listen"));
  table.push_back(Wrap<SockConnect>::Make("sock_connect", /*may_wait=*/true));
  table.push_back(Wrap<SockRecvFrom>::Make("sock_recv_from", /*may_wait=*/true));
  table.push_back(Wrap<SockSendTo>::Make("sock_send_to", /*may_wait=*/true));
  table.push_back(Wrap<SockClose>::Make("sock_close"));
  table.push_back(Wrap<SockAddress<LocalAddress>>::Make("sock_addr_local"));
  table.push_back(Wrap<SockAddress<RemoteAddress>>::Make("sock_addr_remote"));
}

}  // namespace fermata::wasi
