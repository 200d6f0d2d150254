#include "runtime/wasi/socket.h"

#include <sys/socket.h>

#include <cstring>

#include "runtime/wasi/posix/errors.h"
#include "runtime/wasi/posix/host_address.h"

namespace fermata::wasi {
namespace {

using Family = NetworkAddress::Family;

constexpr uint32_t kIpv4Kind = 0, kIpv6Kind = 1;

// `size`: of an address, which has a port, or of a group, which has none.
Errno Load(const Call& call, uint32_t at, uint32_t size, NetworkAddress& address) {
  const uint8_t* from = call.memory.At(at, size);
  if (from == nullptr) return Errno::kInval;
  const bool has_port = size == kAddressBytes;
  address = {};
  switch (LoadLittle<uint32_t>(from)) {
    case kIpv4Kind:
      memcpy(address.bytes.data(), from + 4, 4);
      if (has_port) address.port = LoadLittle<uint16_t>(from + 8);
      return Errno::kSuccess;
    case kIpv6Kind:
      address.family = Family::kIpv6;
      for (size_t i = 0; i < 8; ++i) {
        const uint16_t group = LoadLittle<uint16_t>(from + 4 + 2 * i);
        address.bytes[2 * i] = static_cast<uint8_t>(group >> 8);
        address.bytes[2 * i + 1] = static_cast<uint8_t>(group);
      }
      if (has_port) address.port = LoadLittle<uint16_t>(from + 20);
      return Errno::kSuccess;
    default:
      return Errno::kProtoNoSupport;
  }
}

}  // namespace

Errno GetHostSocket(Call& call, uint32_t fd, Rights needed, StreamDescriptor*& d, int& socket) {
  Descriptor* any;
  const Errno error = call.system.descriptors.Get(fd, needed, any);
  if (error != Errno::kSuccess) return error;
  const std::shared_ptr<Stream> stream = any->stream();
  if (stream == nullptr || stream->native_socket() < 0) return Errno::kNotSock;
  d = static_cast<StreamDescriptor*>(any);
  socket = stream->native_socket();
  return Errno::kSuccess;
}

IoResult ReceiveDatagram(int socket, absl::Span<const iovec> buffers, bool peek,
                         NetworkAddress* from, bool& truncated) {
  HostAddress address;
  msghdr message = {};
  message.msg_name = address.get();
  message.msg_namelen = address.size;
  message.msg_iov = const_cast<iovec*>(buffers.data());
  message.msg_iovlen = buffers.size();
  const int flags = MSG_DONTWAIT | (peek ? MSG_PEEK : 0);
  const ssize_t n = Retry([&] { return recvmsg(socket, &message, flags); });
  if (n < 0) return IoResult::Failed(FromHost(errno));
  truncated = (message.msg_flags & MSG_TRUNC) != 0;
  if (from != nullptr) FromHostAddress(address.get(), message.msg_namelen, *from);
  return {Errno::kSuccess, static_cast<uint64_t>(n)};
}

IoResult SendTo(int socket, absl::Span<const iovec> buffers, const NetworkAddress& to) {
  HostAddress address(to);
  msghdr message = {};
  message.msg_name = address.get();
  message.msg_namelen = address.size;
  message.msg_iov = const_cast<iovec*>(buffers.data());
  message.msg_iovlen = buffers.size();
  const ssize_t n = Retry([&] { return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL); });
  return n < 0 ? IoResult::Failed(FromHost(errno))
               : IoResult{Errno::kSuccess, static_cast<uint64_t>(n)};
}

void PeerOf(int socket, NetworkAddress& peer) {
  HostAddress address;
  if (socket < 0 || getpeername(socket, address.get(), &address.size) != 0 ||
      !FromHostAddress(address.get(), address.size, peer)) {
    peer = {};
  }
}

Errno LoadAddress(const Call& call, uint32_t at, NetworkAddress& address) {
  return Load(call, at, kAddressBytes, address);
}

Errno LoadGroup(const Call& call, uint32_t at, NetworkAddress& address) {
  constexpr uint32_t kGroupBytes = 20;
  return Load(call, at, kGroupBytes, address);
}

Errno StoreAddress(const Call& call, uint32_t at, const NetworkAddress& address) {
  uint8_t* to = call.memory.At(at, kAddressBytes);
  if (to == nullptr) return Errno::kInval;
  memset(to, 0, kAddressBytes);
  if (address.family == Family::kIpv4) {
    StoreLittle(to, kIpv4Kind);
    memcpy(to + 4, address.bytes.data(), 4);
    StoreLittle(to + 8, address.port);
    return Errno::kSuccess;
  }
  StoreLittle(to, kIpv6Kind);
  for (size_t i = 0; i < 8; ++i) {
    StoreLittle(to + 4 + 2 * i,
                static_cast<uint16_t>(address.bytes[2 * i] << 8 | address.bytes[2 * i + 1]));
  }
  StoreLittle(to + 20, address.port);
  return Errno::kSuccess;
}

}  // namespace fermata::wasi
