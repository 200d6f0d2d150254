// WAMR's socket extension: sockets that the guest opens, on the loopback interface.
#include <sys/socket.h>
#include <time.h>

#include <array>

#include "tests/runtime/wasi/posix/wamr_guest.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

class WamrSocketsTest : public WamrTest {};
INSTANTIATE_TEST_SUITE_P(Modes, WamrSocketsTest, testing::ValuesIn(AllAnswers()), NameOfMode);
// With calls that can suspend.
class WamrWaitingTest : public WamrTest {};
INSTANTIATE_TEST_SUITE_P(Modes, WamrWaitingTest, testing::ValuesIn(BothAnswers()), NameOfMode);

double Seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

TEST_P(WamrSocketsTest, ServesAClient) {
  Allow("127.0.0.1");
  const uint32_t listener = Listener(), client = Open();
  EXPECT_EQ(guest().MustFdStat(client).type, FileType::kSocketStream);
  const uint16_t port = Port(listener);
  EXPECT_NE(port, 0);
  EXPECT_EQ(Await("sock_connect", client, Ipv4(port)), Errno::kSuccess);
  const uint32_t server = Accept(listener);
  EXPECT_EQ(Port(client, "sock_addr_remote"), port);
  EXPECT_EQ(Port(server, "sock_addr_remote"), Port(client));
  const uint32_t address = guest().Room(24);
  EXPECT_EQ(guest().Call("sock_addr_remote", server, address), Errno::kSuccess);
  EXPECT_EQ(guest().Bytes(address, 8), std::string("\0\0\0\0\x7f\0\0\1", 8));
  std::string bytes;
  EXPECT_EQ(Send(client, "question"), Errno::kSuccess);
  EXPECT_EQ(Receive(server, 100, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "question");
  // fd_read and fd_write know it, too.
  EXPECT_EQ(guest().Write(server, "answer"), Errno::kSuccess);
  EXPECT_EQ(guest().Read(client, 100, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "answer");
  EXPECT_EQ(guest().Call("fd_renumber", client, listener), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_close", server), Errno::kNoSys);
  EXPECT_EQ(Send(server, "more"), Errno::kSuccess) << "it is still open";
  EXPECT_EQ(guest().Close(server), Errno::kSuccess);
  EXPECT_EQ(Receive(listener, 100, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "more");
  EXPECT_EQ(Receive(listener, 100, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "") << "closed";
}

TEST_P(WamrSocketsTest, Ipv6) {
  Allow("[::1]:*");
  const uint32_t listener = Open(kStream, kIpv6);
  ASSERT_EQ(guest().Call("sock_bind", listener, Ipv6(0)), Errno::kSuccess);
  ASSERT_EQ(guest().Call("sock_listen", listener, 1), Errno::kSuccess);
  const uint32_t client = Open(kStream, kIpv6), address = guest().Room(24);
  ASSERT_EQ(guest().Call("sock_addr_local", listener, address), Errno::kSuccess);
  EXPECT_EQ(guest().Bytes(address, 20),
            std::string("\1\0\0\0", 4) + std::string(14, '\0') + std::string("\1\0", 2));
  ASSERT_EQ(Await("sock_connect", client, address), Errno::kSuccess);
  EXPECT_EQ(Send(Accept(listener), "six"), Errno::kSuccess);
  std::string bytes;
  EXPECT_EQ(Receive(client, 10, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "six");
}

TEST_P(WamrSocketsTest, NothingIsAllowedByDefault) {
  const uint32_t fd = Open(), datagrams = Open(kDatagram);
  const uint32_t iovecs = guest().Iovecs({{guest().Put("x"), 1}}), used = guest().Room(4);
  EXPECT_EQ(guest().Call("sock_bind", fd, Ipv4(0)), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_listen", fd, 5), Errno::kAcces) << "would bind it to all addresses";
  EXPECT_EQ(guest().Call("sock_connect", fd, Ipv4(1)), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_connect", datagrams, Ipv4(1)), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_send_to", datagrams, iovecs, 1, 0, Ipv4(1), used), Errno::kAcces);
  EXPECT_EQ(
      guest().Call("sock_set_ip_add_membership", datagrams, Ipv4(0, {224, 0, 0, 251}), 0x0100007f),
      Errno::kAcces);
}

// 127.0.0.1 alone: not by other spellings of other addresses, and no wider.
TEST_P(WamrSocketsTest, OnlyWhatIsAllowed) {
  Allow("127.0.0.1:*");
  EXPECT_EQ(guest().Call("sock_bind", Open(), Ipv4(0, {127, 0, 0, 2})), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_bind", Open(), Ipv4(0, {0, 0, 0, 0})), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_connect", Open(), Ipv4(1, {127, 0, 0, 2})), Errno::kAcces);
  const uint32_t six = Open(kStream, kIpv6);
  EXPECT_EQ(guest().Call("sock_connect", six, Ipv6(1)), Errno::kAcces);
  const auto mapped = [&](uint16_t port, uint16_t last) {
    return Ipv6(port, {0, 0, 0, 0, 0, 0xffff, 0x7f00, last});
  };
  EXPECT_EQ(guest().Call("sock_connect", six, mapped(1, 2)), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_bind", six, mapped(0, 2)), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_bind", six, Ipv6(0, {})), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_bind", six, mapped(0, 1)), Errno::kSuccess) << "it is 127.0.0.1";
  // "Any" address as a destination is this machine.
  const uint32_t listener = Listener(), client = Open();
  EXPECT_EQ(Await("sock_connect", client, Ipv4(Port(listener), {0, 0, 0, 0})), Errno::kSuccess);
  const uint32_t address = guest().Room(24);
  EXPECT_EQ(guest().Call("sock_addr_remote", client, address), Errno::kSuccess);
  EXPECT_EQ(guest().Bytes(address + 4, 4), std::string("\x7f\0\0\1", 4));
}

TEST_P(WamrSocketsTest, PortsAreAllowedOneByOne) {
  Allow("connect:127.0.0.1:1-2");
  EXPECT_EQ(Await("sock_connect", Open(), Ipv4(1)), Errno::kConnRefused);
  EXPECT_EQ(guest().Call("sock_connect", Open(), Ipv4(3)), Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_bind", Open(), Ipv4(1)), Errno::kAcces);
  // Nor does an attempt to connect leave something to listen on.
  const uint32_t fd = Open();
  EXPECT_EQ(Await("sock_connect", fd, Ipv4(1)), Errno::kConnRefused);
  EXPECT_EQ(guest().Call("sock_listen", fd, 1), Errno::kAcces);
}

// A socket of IPv6 bound to :: takes IPv4's connections only where these are allowed.
TEST_P(WamrSocketsTest, BothFamiliesOnlyWhereBothAreAllowed) {
  Allow("listen:[::]:*,connect:127.0.0.1");
  const uint32_t listener = Open(kStream, kIpv6);
  EXPECT_EQ(guest().Call("sock_set_ipv6_only", listener, 0), Errno::kSuccess);
  ASSERT_EQ(guest().Call("sock_bind", listener, Ipv6(0, {})), Errno::kSuccess);
  ASSERT_EQ(guest().Call("sock_listen", listener, 1), Errno::kSuccess);
  EXPECT_EQ(Await("sock_connect", Open(), Ipv4(Port(listener, "sock_addr_local", 20))),
            Errno::kConnRefused);
}

TEST_P(WamrSocketsTest, ReceiveTimesOut) {
  Allow("127.0.0.1");
  const auto [client, server] = Pair();
  EXPECT_EQ(guest().Call("sock_set_recv_timeout", client, 50'000), Errno::kSuccess);
  std::string bytes;
  for (const uint32_t flags : {0, 1, 2}) {
    const double begun = Seconds();
    EXPECT_EQ(Receive(client, 10, bytes, flags), Errno::kAgain);
    EXPECT_GE(Seconds() - begun, 0.045);
    EXPECT_LT(Seconds() - begun, 5);
  }
  // What came before the time was over is not lost.
  EXPECT_EQ(Send(server, "half"), Errno::kSuccess);
  EXPECT_EQ(Receive(client, 10, bytes, /*all*/ 2), Errno::kSuccess);
  EXPECT_EQ(bytes, "half");
  const uint32_t listener = Listener(), at = guest().Room(4);
  EXPECT_EQ(guest().Call("sock_set_recv_timeout", listener, 10'000), Errno::kSuccess);
  EXPECT_EQ(Await("sock_accept", listener, 0, at), Errno::kAgain);
  EXPECT_EQ(guest().Call("sock_set_recv_timeout", client, ~uint64_t{0}), Errno::kSuccess);
  EXPECT_EQ(guest().Call("fd_read", client, 8, 0, at), Errno::kSuccess) << "of no buffers";
}

TEST_P(WamrSocketsTest, SendTimesOut) {
  Allow("127.0.0.1");
  const auto [client, server] = Pair();
  EXPECT_EQ(guest().Call("sock_set_send_timeout", client, 20'000), Errno::kSuccess);
  const std::string piece(50'000, 's');
  Errno error = Errno::kSuccess;
  for (int i = 0; i < 10'000 && error == Errno::kSuccess; ++i) {
    error = Send(client, piece);
    guest().Release();
  }
  EXPECT_EQ(error, Errno::kAgain);
}

TEST_P(WamrSocketsTest, Nonblocking) {
  Allow("127.0.0.1");
  const uint32_t listener = Listener(), at = guest().Room(4);
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", listener, fdflags::kNonblock), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_accept", listener, 0, at), Errno::kAgain);
}

// poll_oneoff waits for the extension's sockets as for all others.
TEST_P(WamrSocketsTest, Polls) {
  Allow("127.0.0.1");
  const uint32_t listener = Listener(), client = Open();
  const uint32_t subscription = guest().Room(48, 0), event = guest().Room(32);
  const uint32_t used = guest().Room(4);
  guest().Store<uint8_t>(subscription + 8, 1);  // to read
  guest().Store(subscription + 16, listener);
  if (!blocks()) {
    EXPECT_EQ(guest().Start("poll_oneoff", subscription, event, 1, used), State::kWaiting);
    guest().process().Abort("enough");
  }
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", client, fdflags::kNonblock), Errno::kSuccess);
  const Errno connected = guest().Call("sock_connect", client, Ipv4(Port(listener)));
  EXPECT_TRUE(connected == Errno::kSuccess || connected == Errno::kInProgress);
  EXPECT_EQ(Await("poll_oneoff", subscription, event, 1, used), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint32_t>(used), 1u);
  EXPECT_EQ(guest().Load<uint16_t>(event + 8), 0u);
  const uint32_t server = Accept(listener);
  guest().Store<uint8_t>(subscription + 8, 2);  // to write
  guest().Store(subscription + 16, client);
  EXPECT_EQ(Await("poll_oneoff", subscription, event, 1, used), Errno::kSuccess);
  EXPECT_EQ(Send(client, "on its way"), Errno::kSuccess);
  std::string bytes;
  EXPECT_EQ(Receive(server, 20, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "on its way");
}

TEST_P(WamrSocketsTest, ShutsBothWays) {
  Allow("127.0.0.1");
  const auto [client, server] = Pair();
  EXPECT_EQ(guest().Call("sock_shutdown", server, 0), Errno::kSuccess);
  std::string bytes;
  EXPECT_EQ(Receive(client, 10, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(Receive(server, 10, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(Send(server, "x"), Errno::kPipe);
}

TEST_P(WamrSocketsTest, Datagrams) {
  Allow("127.0.0.1");
  const uint32_t a = Open(kDatagram), b = Open(kDatagram);
  EXPECT_EQ(guest().MustFdStat(a).type, FileType::kSocketDgram);
  ASSERT_EQ(guest().Call("sock_bind", a, Ipv4(0)), Errno::kSuccess);
  ASSERT_EQ(guest().Call("sock_bind", b, Ipv4(0)), Errno::kSuccess);
  const uint32_t used = guest().Room(4), from = guest().Room(24);
  const uint32_t first = guest().Room(3), second = guest().Room(3);
  const uint32_t text = guest().Iovecs({{guest().Put("data"), 4}, {guest().Put("gram"), 4}});
  EXPECT_EQ(Await("sock_send_to", a, text, 2, 0, Ipv4(Port(b)), used), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint32_t>(used), 8u);
  EXPECT_EQ(Await("sock_send_to", a, text, 2, 0, Ipv4(Port(b)), used), Errno::kSuccess);
  EXPECT_EQ(Await("sock_send_to", a, text, 0, 0, Ipv4(Port(b)), used), Errno::kSuccess) << "empty";
  const uint32_t room = guest().Iovecs({{first, 3}, {second, 3}});
  for (const uint32_t flags : {1, 0}) {  // a look, then for good
    EXPECT_EQ(Await("sock_recv_from", b, room, 2, flags, from, used), Errno::kSuccess);
    EXPECT_EQ(guest().Load<uint32_t>(used), 6u);
    EXPECT_EQ(guest().Bytes(first, 3) + guest().Bytes(second, 3), "datagr");
    EXPECT_EQ(guest().Bytes(from, 8), std::string("\0\0\0\0\x7f\0\0\1", 8));
    EXPECT_EQ(guest().Load<uint16_t>(from + 8), Port(a));
  }
  std::string bytes;
  EXPECT_EQ(Receive(b, 5, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "datag");
  EXPECT_EQ(guest().Load<uint16_t>(roflags_), 1u) << "truncated";
  EXPECT_EQ(Receive(b, 5, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(guest().Load<uint16_t>(roflags_), 0u);
  // Connected, it needs no addresses.
  EXPECT_EQ(guest().Call("sock_connect", b, Ipv4(Port(a))), Errno::kSuccess);
  EXPECT_EQ(Send(b, "back"), Errno::kSuccess);
  EXPECT_EQ(Receive(a, 5, bytes), Errno::kSuccess);
  EXPECT_EQ(bytes, "back");
}

TEST_P(WamrSocketsTest, ReceivesFromAConnection) {
  Allow("127.0.0.1");
  const auto [client, server] = Pair();
  EXPECT_EQ(Send(client, "abc"), Errno::kSuccess);
  const uint32_t buffer = guest().Room(8), from = guest().Room(24), used = guest().Room(4);
  EXPECT_EQ(Await("sock_recv_from", server, guest().Iovecs({{buffer, 3}}), 1, 2, from, used),
            Errno::kSuccess);
  EXPECT_EQ(guest().Bytes(buffer, 3), "abc");
  EXPECT_EQ(guest().Load<uint16_t>(from + 8), Port(client));
}

// Calls that wait leave the thread to the host; a descriptor may be closed before they are over.
TEST_P(WamrWaitingTest, WaitsWithoutBlocking) {
  Allow("127.0.0.1");
  const uint32_t listener = Listener(), at = guest().Room(4);
  EXPECT_EQ(guest().Start("sock_accept", listener, 0, at), State::kWaiting);
  EXPECT_EQ(guest().Go(), State::kWaiting);
  guest().process().Abort("enough");
  const uint32_t datagrams = Open(kDatagram);
  EXPECT_EQ(guest().Start("sock_recv_from", datagrams, guest().Iovecs({{at, 4}}), 1, 0,
                          guest().Room(24), guest().Room(4)),
            State::kWaiting);
  EXPECT_EQ(guest().process().wait().sources.size(), 1u);
  guest().process().Abort("enough");
}

TEST_P(WamrSocketsTest, WrongArguments) {
  Allow("*");
  Guest& g = guest();
  const uint32_t end = g.size(), at = g.Room(24), far = 0xfffffff0;
  for (const uint32_t pointer : {end - 3, far, end}) {
    EXPECT_EQ(g.Call("sock_open", 0, kIpv4, kStream, pointer), Errno::kInval);
  }
  EXPECT_EQ(g.Call("sock_open", 0, 3, kStream, at), Errno::kAfNoSupport);
  EXPECT_EQ(g.Call("sock_open", 0, kIpv4, 2, at), Errno::kInval);
  const uint32_t fd = Open(), datagrams = Open(kDatagram);
  const uint32_t iovecs = g.Iovecs({{at, 8}}), bad = g.Iovecs({{end - 4, 8}});
  for (const uint32_t pointer : {end - 23, far, end}) {
    EXPECT_EQ(g.Call("sock_bind", fd, pointer), Errno::kInval);
    EXPECT_EQ(g.Call("sock_connect", fd, pointer), Errno::kInval);
    EXPECT_EQ(g.Call("sock_addr_local", fd, pointer), Errno::kInval);
    EXPECT_EQ(g.Call("sock_send_to", datagrams, iovecs, 1, 0, pointer, at), Errno::kInval);
    EXPECT_EQ(g.Call("sock_recv_from", datagrams, iovecs, 1, 0, pointer, at), Errno::kInval);
  }
  EXPECT_EQ(g.Call("sock_send_to", datagrams, iovecs, 1, 0, Ipv4(9), end - 3), Errno::kInval);
  EXPECT_EQ(g.Call("sock_recv_from", datagrams, iovecs, 1, 0, at, end - 3), Errno::kInval);
  EXPECT_EQ(g.Call("sock_send_to", datagrams, bad, 1, 0, Ipv4(9), at), Errno::kInval);
  EXPECT_EQ(g.Call("sock_recv_from", datagrams, bad, 1, 0, at, at), Errno::kInval);
  EXPECT_EQ(g.Call("sock_recv_from", datagrams, iovecs, ~0u, 0, at, at), Errno::kInval);
  EXPECT_EQ(g.Call("sock_recv_from", datagrams, iovecs, 1, 4, at, at), Errno::kInval);
  EXPECT_EQ(g.Call("sock_send_to", datagrams, iovecs, 1, 1, Ipv4(9), at), Errno::kInval);
  const uint32_t no_kind = Ipv4(1);
  g.Store<uint32_t>(no_kind, 2);
  EXPECT_EQ(g.Call("sock_bind", fd, no_kind), Errno::kProtoNoSupport);
  EXPECT_EQ(g.Call("sock_connect", fd, no_kind), Errno::kProtoNoSupport);
  EXPECT_EQ(g.Call("sock_listen", 99, 1), Errno::kBadf);
  EXPECT_EQ(g.Call("sock_listen", 1, 1), Errno::kNotCapable);
  for (const uint32_t other : {1u, 99u, ~0u}) {
    const Errno error = other == 1 ? Errno::kNotSock : Errno::kBadf;
    EXPECT_EQ(g.Call("sock_addr_remote", other, at), error);
    EXPECT_EQ(g.Call("sock_get_linger", other, at, at + 4), error);
    EXPECT_EQ(g.Call("sock_get_ip_ttl", other, at), error);
  }
  EXPECT_EQ(g.Call("sock_addr_remote", fd, at), Errno::kNotConn);
}

TEST_P(WamrSocketsTest, RightsAndLimits) {
  Allow("127.0.0.1");
  config.max_descriptors = 5;
  const uint32_t fd = Open(), last = Open(), at = guest().Room(4);
  EXPECT_EQ(last, 4u);
  EXPECT_EQ(guest().Call("sock_open", 0, kIpv4, kStream, at), Errno::kMfile);
  EXPECT_EQ(guest().Call("fd_fdstat_set_rights", fd, 0, 0), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_bind", fd, Ipv4(0)), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("sock_listen", fd, 1), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("sock_connect", fd, Ipv4(1)), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("sock_set_reuse_addr", fd, 1), Errno::kNotCapable);
}

// ---- Options ----

struct Option {
  const char* name;
  bool datagram;
  uint32_t value;
  int bytes;  // of what the getter stores
};

TEST_P(WamrSocketsTest, OptionsAreKept) {
  constexpr Option kOptions[] = {
      {"reuse_addr", false, 1, 1},
      {"reuse_port", false, 1, 1},
      {"keep_alive", false, 1, 1},
      {"broadcast", true, 1, 1},
      {"tcp_no_delay", false, 1, 1},
      {"tcp_quick_ack", false, 0, 1},
      {"tcp_keep_idle", false, 77, 4},
      {"tcp_keep_intvl", false, 13, 4},
      {"ip_ttl", false, 7, 1},
      {"ip_multicast_ttl", true, 9, 1},
      {"tcp_fastopen_connect", false, 1, 1},
      {"ip_ttl", true, 255, 1},
  };
  Guest& g = guest();
  const uint32_t at = g.Room(8), end = g.size();
  for (const Option& option : kOptions) {
    const std::string set = std::string("sock_set_") + option.name;
    const std::string get = std::string("sock_get_") + option.name;
    const uint32_t fd = Open(option.datagram ? kDatagram : kStream);
    g.Store<uint64_t>(at, ~uint64_t{0});
    EXPECT_EQ(g.Call(set, fd, option.value), Errno::kSuccess) << set;
    EXPECT_EQ(g.Call(get, fd, at), Errno::kSuccess) << get;
    const uint64_t mask = option.bytes == 1 ? 0xff : 0xffffffff;
    EXPECT_EQ(g.Load<uint64_t>(at), (~mask) | option.value) << get << ", and no byte more";
    EXPECT_EQ(g.Call(get, fd, end - option.bytes + 1), Errno::kInval) << get;
    EXPECT_EQ(g.Call(set, 99, option.value), Errno::kBadf) << set;
    EXPECT_EQ(g.Call(get, 99, at), Errno::kBadf) << get;
    EXPECT_EQ(g.Call(set, 0, option.value), Errno::kNotSock) << set;
    EXPECT_EQ(g.Close(fd), Errno::kSuccess);
  }
  const uint32_t fd = Open(), six = Open(kStream, kIpv6);
  for (const char* name : {"recv_buf_size", "send_buf_size"}) {
    EXPECT_EQ(g.Call(std::string("sock_set_") + name, fd, 16384), Errno::kSuccess);
    EXPECT_EQ(g.Call(std::string("sock_get_") + name, fd, at), Errno::kSuccess);
    EXPECT_GE(g.Load<uint32_t>(at), 16384u);
    EXPECT_EQ(g.Call(std::string("sock_set_") + name, fd, 0x80000000), Errno::kInval);
  }
  for (const uint32_t on : {1, 0}) {
    EXPECT_EQ(g.Call("sock_set_ipv6_only", six, on), Errno::kSuccess);
    EXPECT_EQ(g.Call("sock_get_ipv6_only", six, at), Errno::kSuccess);
    EXPECT_EQ(g.Load<uint8_t>(at), on);
  }
  EXPECT_EQ(g.Call("sock_set_ip_ttl", six, 5), Errno::kSuccess);
  EXPECT_EQ(g.Call("sock_get_ip_ttl", six, at), Errno::kSuccess);
  EXPECT_EQ(g.Load<uint8_t>(at), 5u);
  EXPECT_EQ(g.Call("sock_set_ip_ttl", fd, 256), Errno::kInval);
  for (const char* name : {"recv_timeout", "send_timeout"}) {
    EXPECT_EQ(g.Call(std::string("sock_set_") + name, fd, uint64_t{1} << 40), Errno::kSuccess);
    EXPECT_EQ(g.Call(std::string("sock_get_") + name, fd, at), Errno::kSuccess);
    EXPECT_EQ(g.Load<uint64_t>(at), uint64_t{1} << 40);
    EXPECT_EQ(g.Call(std::string("sock_get_") + name, fd, end - 7), Errno::kInval);
  }
}

TEST_P(WamrSocketsTest, Multicast) {
  Allow("listen:224.0.0.251,listen:[ff02::fb],127.0.0.1");
  const uint32_t fd = Open(kDatagram), six = Open(kDatagram, kIpv6), at = guest().Room(8);
  constexpr uint32_t kLoopback = 0x0100007f;
  const uint32_t group = Ipv4(0, {224, 0, 0, 251});
  EXPECT_EQ(guest().Call("sock_set_ip_add_membership", fd, group, kLoopback), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_set_ip_add_membership", fd, group, kLoopback), Errno::kAddrInUse);
  EXPECT_EQ(guest().Call("sock_set_ip_drop_membership", fd, group, kLoopback), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_set_ip_drop_membership", fd, group, kLoopback),
            Errno::kAddrNotAvail);
  EXPECT_EQ(guest().Call("sock_set_ip_add_membership", fd, Ipv4(0, {224, 0, 0, 252}), kLoopback),
            Errno::kAcces);
  EXPECT_EQ(guest().Call("sock_set_ip_add_membership", fd, Ipv4(0), kLoopback), Errno::kInval);
  EXPECT_EQ(guest().Call("sock_set_ip_add_membership", fd, guest().size() - 19, 0), Errno::kInval);
  const uint32_t group6 = Ipv6(0, {0xff02, 0, 0, 0, 0, 0, 0, 0xfb});
  EXPECT_EQ(guest().Call("sock_set_ip_add_membership", six, group6, 1), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_set_ip_drop_membership", six, group6, 1), Errno::kSuccess);
  for (const uint32_t ipv6 : {0, 1}) {
    const uint32_t which = ipv6 != 0 ? six : fd;
    for (const uint32_t on : {0, 1}) {
      EXPECT_EQ(guest().Call("sock_set_ip_multicast_loop", which, ipv6, on), Errno::kSuccess);
      EXPECT_EQ(guest().Call("sock_get_ip_multicast_loop", which, ipv6, at), Errno::kSuccess);
      EXPECT_EQ(guest().Load<uint8_t>(at), on);
    }
  }
}

TEST_P(WamrSocketsTest, LingeringBlocksNobody) {
  Allow("127.0.0.1");
  const auto [client, server] = Pair();
  const uint32_t at = guest().Room(8);
  EXPECT_EQ(guest().Call("sock_get_linger", client, at, at + 4), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint8_t>(at), 0u);
  EXPECT_EQ(guest().Call("sock_set_linger", client, 1, 30), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_get_linger", client, at, at + 4), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint8_t>(at), 1u);
  EXPECT_EQ(guest().Load<uint32_t>(at + 4), 30u);
  EXPECT_EQ(guest().Call("sock_get_linger", client, at, guest().size() - 3), Errno::kInval);
  EXPECT_EQ(guest().Call("sock_set_linger", client, 1, ~0u), Errno::kInval);
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", client, fdflags::kNonblock), Errno::kSuccess);
  const std::string piece(50'000, 's');
  Errno error = Errno::kSuccess;
  for (int i = 0; i < 10'000 && error == Errno::kSuccess; ++i) {
    error = Send(client, piece);
    guest().Release();
  }
  ASSERT_EQ(error, Errno::kAgain) << "there is something to linger for";
  const double begun = Seconds();
  EXPECT_EQ(guest().Close(client), Errno::kSuccess);
  EXPECT_LT(Seconds() - begun, 10);
  // For no time: the connection is reset.
  const auto [other, its_server] = Pair();
  EXPECT_EQ(guest().Call("sock_set_linger", other, 1, 0), Errno::kSuccess);
  EXPECT_EQ(guest().Close(other), Errno::kSuccess);
  std::string bytes;
  EXPECT_EQ(Receive(its_server, 10, bytes), Errno::kConnReset);
}

}  // namespace
}  // namespace fermata::wasi
