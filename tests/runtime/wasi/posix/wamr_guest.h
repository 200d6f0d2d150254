// What tests of WAMR's socket extension share: a guest that passes its functions on, and loopback.
#ifndef FERMATA_TESTS_RUNTIME_WASI_POSIX_WAMR_GUEST_H_
#define FERMATA_TESTS_RUNTIME_WASI_POSIX_WAMR_GUEST_H_

#include <string>

#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {

class WamrTest : public WasiTest {
 protected:
  static constexpr uint32_t kIpv4 = 0, kIpv6 = 1, kDatagram = 0, kStream = 1;

  const ModuleInfo& module() const override { return SocketGuestModule(GetParam().answers); }
  bool blocks() const { return GetParam().answers == Answers::kImmediate; }
  void Allow(absl::string_view rules) {
    const absl::Status status = config.network.Allow(rules);
    ASSERT_TRUE(status.ok()) << status;
  }

  uint32_t Open(uint32_t type = kStream, uint32_t family = kIpv4) {
    const uint32_t at = guest().Room(4);
    EXPECT_EQ(guest().Call("sock_open", -1, family, type, at), Errno::kSuccess);
    return guest().Load<uint32_t>(at);
  }
  // An address of the guest's: IPv4 by its bytes, IPv6 by its groups.
  uint32_t Ipv4(uint16_t port, std::array<uint8_t, 4> bytes = {127, 0, 0, 1}) {
    const uint32_t at = guest().Room(24);
    guest().Store<uint32_t>(at, kIpv4);
    for (uint32_t i = 0; i < 4; ++i) guest().Store<uint8_t>(at + 4 + i, bytes[i]);
    guest().Store<uint16_t>(at + 8, port);
    return at;
  }
  uint32_t Ipv6(uint16_t port, std::array<uint16_t, 8> groups = {0, 0, 0, 0, 0, 0, 0, 1}) {
    const uint32_t at = guest().Room(24);
    guest().Store<uint32_t>(at, kIpv6);
    for (uint32_t i = 0; i < 8; ++i) guest().Store<uint16_t>(at + 4 + 2 * i, groups[i]);
    guest().Store<uint16_t>(at + 20, port);
    return at;
  }
  uint16_t Port(uint32_t fd, const char* side = "sock_addr_local", uint32_t offset = 8) {
    const uint32_t at = guest().Room(24);
    EXPECT_EQ(guest().Call(side, fd, at), Errno::kSuccess);
    return guest().Load<uint16_t>(at + offset);
  }
  // A socket that listens on 127.0.0.1.
  uint32_t Listener() {
    const uint32_t fd = Open();
    EXPECT_EQ(guest().Call("sock_bind", fd, Ipv4(0)), Errno::kSuccess);
    EXPECT_EQ(guest().Call("sock_listen", fd, 5), Errno::kSuccess);
    return fd;
  }
  // Until the call has ended, however often it has to be tried.
  Errno Finish() {
    while (guest().waits()) {
      if (!BlockFor(guest().process().wait())) break;
      guest().Go();
    }
    return guest().result();
  }
  template <typename... A>
  Errno Await(absl::string_view function, A... arguments) {
    guest().Start(function, arguments...);
    return Finish();
  }
  uint32_t Accept(uint32_t listener) {
    const uint32_t at = guest().Room(4);
    EXPECT_EQ(Await("sock_accept", listener, 0, at), Errno::kSuccess);
    return guest().Load<uint32_t>(at);
  }
  // Two ends of a connection: the one that connected, and the one that accepted.
  std::pair<uint32_t, uint32_t> Pair() {
    const uint32_t listener = Listener(), client = Open();
    EXPECT_EQ(Await("sock_connect", client, Ipv4(Port(listener))), Errno::kSuccess);
    return {client, Accept(listener)};
  }
  Errno Send(uint32_t fd, absl::string_view bytes) {
    const uint32_t size = static_cast<uint32_t>(bytes.size());
    return Await("sock_send", fd, guest().Iovecs({{guest().Put(bytes), size}}), 1, 0,
                 guest().Room(4));
  }
  Errno Receive(uint32_t fd, uint32_t room, std::string& bytes, uint32_t flags = 0) {
    const uint32_t buffer = guest().Room(room), used = guest().Room(4);
    roflags_ = guest().Room(2);
    const Errno error =
        Await("sock_recv", fd, guest().Iovecs({{buffer, room}}), 1, flags, used, roflags_);
    bytes = error == Errno::kSuccess ? guest().Bytes(buffer, guest().Load<uint32_t>(used)) : "";
    return error;
  }
  uint32_t roflags_ = 0;
};

// Answered at once, suspended, and with calls that block.
inline std::vector<Mode> AllAnswers() {
  return {{Answers::kBound, true}, {Answers::kSuspended, true}, {Answers::kImmediate, true}};
}

}  // namespace fermata::wasi

#endif  // FERMATA_TESTS_RUNTIME_WASI_POSIX_WAMR_GUEST_H_
