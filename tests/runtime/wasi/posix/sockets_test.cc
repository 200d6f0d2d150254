// sock_*: pairs of sockets, and one that listens on the loopback interface.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

constexpr uint32_t kSocket = 3;  // no mounts

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) { EXPECT_GE(fd, 0) << strerror(errno); }
  ~Fd() { Close(); }
  Fd(const Fd&) = delete;
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  std::string Read(size_t most) const {
    std::string bytes(most, '\0');
    const ssize_t n = recv(fd_, bytes.data(), most, MSG_DONTWAIT);
    bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return bytes;
  }
  void Write(absl::string_view bytes) const {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  int fd_;
};

// One side is the guest's descriptor kSocket.
class SocketsTest : public WasiTest {
 protected:
  void Connect(int type = SOCK_STREAM) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    peer = std::make_unique<Fd>(ends[1]);
    auto stream = DescriptorStream(ends[0], /*owned=*/true);
    ASSERT_TRUE(stream.ok()) << stream.status();
    config.sockets.push_back(*stream);
  }
  State StartReceive(uint32_t size, uint32_t flags, uint32_t fd = kSocket) {
    buffer_ = guest().Room(size);
    used_ = guest().Room(4);
    flags_ = guest().Room(2);
    return guest().Start(
        "sock_recv", fd,
        guest().Iovecs({{buffer_, size / 2}, {buffer_ + size / 2, size - size / 2}}), 2, flags,
        used_, flags_);
  }
  std::string Received() {
    EXPECT_EQ(guest().result(), Errno::kSuccess);
    EXPECT_EQ(guest().Load<uint16_t>(flags_), 0u);
    return guest().Bytes(buffer_, guest().Load<uint32_t>(used_));
  }
  Errno Send(absl::string_view bytes, uint32_t flags = 0) {
    const uint32_t size = static_cast<uint32_t>(bytes.size());
    return guest().Call("sock_send", kSocket, guest().Iovecs({{guest().Put(bytes), size}}), 1,
                        flags, guest().Room(4));
  }

  std::unique_ptr<Fd> peer;
  uint32_t buffer_ = 0, used_ = 0, flags_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Modes, SocketsTest, testing::ValuesIn(BothAnswers()), NameOfMode);

constexpr uint32_t kPeek = 1, kWaitAll = 2;

TEST_P(SocketsTest, SendsAndReceives) {
  Connect();
  EXPECT_EQ(guest().MustFdStat(kSocket).type, FileType::kSocketStream);
  EXPECT_EQ(Send("from the guest"), Errno::kSuccess);
  EXPECT_EQ(peer->Read(100), "from the guest");
  EXPECT_EQ(guest().Write(kSocket, "also"), Errno::kSuccess);
  EXPECT_EQ(peer->Read(100), "also");
  ASSERT_EQ(StartReceive(10, 0), State::kWaiting);
  EXPECT_EQ(guest().Go(), State::kWaiting);
  peer->Write("to it");
  EXPECT_TRUE(BlockFor(guest().process().wait()));
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Received(), "to it");
}

TEST_P(SocketsTest, Peeks) {
  Connect();
  ASSERT_EQ(StartReceive(4, kPeek), State::kWaiting);
  peer->Write("abcdef");
  ASSERT_EQ(guest().Go(), State::kFinished);
  EXPECT_EQ(Received(), "abcd");
  ASSERT_EQ(StartReceive(10, kPeek), State::kFinished);
  EXPECT_EQ(Received(), "abcdef");
  ASSERT_EQ(StartReceive(10, 0), State::kFinished);
  EXPECT_EQ(Received(), "abcdef") << "it was still there";
}

TEST_P(SocketsTest, WaitsForAll) {
  Connect();
  ASSERT_EQ(StartReceive(8, kWaitAll), State::kWaiting);
  for (const char* piece : {"ab", "c", "def"}) {
    peer->Write(piece);
    EXPECT_EQ(guest().Go(), State::kWaiting) << piece;
  }
  peer->Write("gh, more");
  while (guest().waits() && BlockFor(guest().process().wait())) guest().Go();
  EXPECT_EQ(Received(), "abcdefgh");
  ASSERT_EQ(StartReceive(10, 0), State::kFinished);
  EXPECT_EQ(Received(), ", more");
  // All of nothing, and all until the end.
  StartReceive(0, kWaitAll);
  while (guest().waits()) guest().Go();
  EXPECT_EQ(Received(), "");
  ASSERT_EQ(StartReceive(8, kWaitAll), State::kWaiting);
  peer->Write("xyz");
  EXPECT_EQ(guest().Go(), State::kWaiting);
  peer->Close();
  while (guest().waits()) guest().Go();
  EXPECT_EQ(Received(), "xyz");
}

TEST_P(SocketsTest, Nonblocking) {
  Connect();
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", kSocket, fdflags::kNonblock), Errno::kSuccess);
  ASSERT_EQ(StartReceive(4, 0), State::kFinished);
  EXPECT_EQ(guest().result(), Errno::kAgain);
  ASSERT_EQ(StartReceive(4, kWaitAll), State::kFinished);
  EXPECT_EQ(guest().result(), Errno::kAgain);
  peer->Write("ab");
  ASSERT_EQ(StartReceive(4, kWaitAll), State::kFinished);
  EXPECT_EQ(Received(), "ab");
  const std::string piece(4096, 's');
  Errno error = Errno::kSuccess;
  for (int i = 0; i < 10000 && error == Errno::kSuccess; ++i) {
    error = Send(piece);
    guest().Release();
  }
  EXPECT_EQ(error, Errno::kAgain);
}

TEST_P(SocketsTest, Datagrams) {
  Connect(SOCK_DGRAM);
  EXPECT_EQ(guest().MustFdStat(kSocket).type, FileType::kSocketDgram);
  peer->Write("one");
  peer->Write("two");
  ASSERT_EQ(StartReceive(100, 0), State::kFinished);
  EXPECT_EQ(Received(), "one") << "one at a time";
  EXPECT_EQ(Send("three"), Errno::kSuccess);
  EXPECT_EQ(peer->Read(100), "three");
}

TEST_P(SocketsTest, Shutdown) {
  Connect();
  EXPECT_EQ(guest().Call("sock_shutdown", kSocket, 0), Errno::kInval);
  EXPECT_EQ(guest().Call("sock_shutdown", kSocket, 4), Errno::kInval);
  EXPECT_EQ(guest().Call("sock_shutdown", kSocket, 2), Errno::kSuccess);
  EXPECT_EQ(Send("x"), Errno::kPipe) << "and no signal";
  char byte;
  EXPECT_EQ(recv(peer->get(), &byte, 1, MSG_DONTWAIT), 0) << "the peer sees the end";
  peer->Write("still");
  ASSERT_EQ(StartReceive(10, 0), State::kFinished);
  EXPECT_EQ(Received(), "still");
  EXPECT_EQ(guest().Call("sock_shutdown", kSocket, 1), Errno::kSuccess);
  ASSERT_EQ(StartReceive(10, 0), State::kFinished);
  EXPECT_EQ(Received(), "");
}

TEST_P(SocketsTest, PeerHasGone) {
  Connect();
  peer->Close();
  EXPECT_EQ(Send("x"), Errno::kPipe);
  ASSERT_EQ(StartReceive(4, 0), State::kFinished);
  EXPECT_EQ(Received(), "");
}

TEST_P(SocketsTest, WrongArguments) {
  Connect();
  Guest& g = guest();
  const uint32_t room = g.Room(8), iovecs = g.Iovecs({{room, 8}}), end = g.size();
  EXPECT_EQ(g.Call("sock_recv", kSocket, iovecs, 1, 4, room, room), Errno::kInval);
  EXPECT_EQ(g.Call("sock_send", kSocket, iovecs, 1, 1, room), Errno::kInval);
  EXPECT_EQ(g.Call("sock_recv", 99, iovecs, 1, 0, room, room), Errno::kBadf);
  EXPECT_EQ(g.Call("sock_send", 99, iovecs, 1, 0, room), Errno::kBadf);
  EXPECT_EQ(g.Call("sock_shutdown", 99, 1), Errno::kBadf);
  EXPECT_EQ(g.Call("sock_accept", 99, 0, room), Errno::kBadf);
  EXPECT_EQ(g.Call("sock_accept", kSocket, 1, room), Errno::kInval);
  EXPECT_EQ(g.Call("sock_accept", kSocket, 0, room), Errno::kInval) << "it does not listen";
  EXPECT_EQ(g.Call("sock_shutdown", 1, 1), Errno::kNotSock);
  EXPECT_EQ(g.Call("sock_accept", 1, 0, room), Errno::kNotCapable);
  peer->Write("kept");
  EXPECT_EQ(g.Call("sock_recv", kSocket, iovecs, 1, 0, end - 3, room), Errno::kFault);
  EXPECT_EQ(g.Call("sock_recv", kSocket, iovecs, 1, 0, room, end - 1), Errno::kFault);
  EXPECT_EQ(g.Call("sock_recv", kSocket, iovecs, 0xffffffff, 0, room, room), Errno::kFault);
  EXPECT_EQ(g.Call("sock_send", kSocket, end - 4, 1, 0, room), Errno::kFault);
  ASSERT_EQ(StartReceive(8, 0), State::kFinished);
  EXPECT_EQ(Received(), "kept");
}

TEST_P(SocketsTest, RightsOfSockets) {
  Connect();
  EXPECT_EQ(guest().Call("fd_fdstat_set_rights", kSocket, rights::kFdFilestatGet, 0),
            Errno::kSuccess);
  EXPECT_EQ(Send("x"), Errno::kNotCapable);
  ASSERT_EQ(StartReceive(8, 0), State::kFinished);
  EXPECT_EQ(guest().result(), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("sock_shutdown", kSocket, 1), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("sock_accept", kSocket, 0, guest().Room(4)), Errno::kNotCapable);
}

// ---- A socket that listens ----

class ListeningTest : public SocketsTest {
 protected:
  void Listen(bool owned) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0) << strerror(errno);
    ASSERT_EQ(listen(fd, 5), 0);
    ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = address;
    if (!owned) listener_ = std::make_unique<Fd>(fd);
    auto stream = DescriptorStream(fd, owned);
    ASSERT_TRUE(stream.ok());
    config.sockets.push_back(*stream);
  }
  std::unique_ptr<Fd> Dial() {
    auto fd = std::make_unique<Fd>(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(fd->get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    return fd;
  }
  sockaddr_in address_;
  std::unique_ptr<Fd> listener_;
};
INSTANTIATE_TEST_SUITE_P(Modes, ListeningTest, testing::ValuesIn(BothAnswers()), NameOfMode);

TEST_P(ListeningTest, Accepts) {
  Listen(GetParam().answers == Answers::kBound);
  const uint32_t at = guest().Room(4);
  ASSERT_EQ(guest().Start("sock_accept", kSocket, 0, at), State::kWaiting);
  EXPECT_EQ(guest().Go(), State::kWaiting);
  const auto client = Dial();
  EXPECT_TRUE(BlockFor(guest().process().wait()));
  ASSERT_EQ(guest().Go(), State::kFinished);
  ASSERT_EQ(guest().result(), Errno::kSuccess);
  const uint32_t fd = guest().Load<uint32_t>(at);
  EXPECT_EQ(fd, kSocket + 1);
  EXPECT_EQ(guest().MustFdStat(fd).type, FileType::kSocketStream);
  EXPECT_EQ(guest().MustFdStat(fd).flags, 0u);
  EXPECT_EQ(guest().Write(fd, "welcome"), Errno::kSuccess);
  std::string bytes(7, '\0');
  EXPECT_EQ(recv(client->get(), bytes.data(), 7, MSG_WAITALL), 7);
  EXPECT_EQ(bytes, "welcome");
  EXPECT_EQ(guest().Close(fd), Errno::kSuccess);
  EXPECT_EQ(recv(client->get(), bytes.data(), 7, 0), 0) << "closed with the descriptor";
}

TEST_P(ListeningTest, AcceptsNonblocking) {
  Listen(true);
  EXPECT_EQ(guest().Call("fd_fdstat_set_flags", kSocket, fdflags::kNonblock), Errno::kSuccess);
  const uint32_t at = guest().Room(4);
  EXPECT_EQ(guest().Call("sock_accept", kSocket, 0, at), Errno::kAgain);
  const auto client = Dial();
  EXPECT_EQ(guest().Call("sock_accept", kSocket, fdflags::kNonblock, at), Errno::kSuccess);
  const uint32_t fd = guest().Load<uint32_t>(at);
  EXPECT_EQ(guest().MustFdStat(fd).flags, fdflags::kNonblock);
  std::string bytes;
  EXPECT_EQ(guest().Read(fd, 4, bytes), Errno::kAgain);
}

// What is accepted has no more rights than the socket that listens passes on.
TEST_P(ListeningTest, AcceptedRights) {
  Listen(true);
  EXPECT_EQ(guest().Call("fd_fdstat_set_rights", kSocket, rights::kSockAccept, rights::kFdWrite),
            Errno::kSuccess);
  const auto client = Dial();
  const uint32_t at = guest().Room(4);
  EXPECT_EQ(guest().Call("sock_accept", kSocket, 0, at), Errno::kSuccess);
  const uint32_t fd = guest().Load<uint32_t>(at);
  EXPECT_EQ(guest().MustFdStat(fd).base, rights::kFdWrite);
  EXPECT_EQ(guest().MustFdStat(fd).inheriting & ~Rights{rights::kFdWrite}, 0u);
  EXPECT_EQ(guest().Write(fd, "x"), Errno::kSuccess);
  std::string bytes;
  EXPECT_EQ(guest().Read(fd, 1, bytes), Errno::kNotCapable);
  EXPECT_EQ(guest().Call("fd_fdstat_set_rights", fd, rights::kFdRead, 0), Errno::kNotCapable);
}

TEST_P(ListeningTest, NoConnectionIsLost) {
  config.max_descriptors = 5;
  Listen(true);
  const auto client = Dial(), second = Dial();
  const uint32_t at = guest().Room(4), end = guest().size();
  EXPECT_EQ(guest().Call("sock_accept", kSocket, 0, end - 3), Errno::kFault);
  EXPECT_EQ(guest().Call("sock_accept", kSocket, 0, at), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_accept", kSocket, 0, at), Errno::kMfile);
  EXPECT_EQ(guest().Close(4), Errno::kSuccess);
  EXPECT_EQ(guest().Call("sock_accept", kSocket, 0, at), Errno::kSuccess) << "it still waited";
}

}  // namespace
}  // namespace fermata::wasi
