// Streams over descriptors of the host's.
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "fermata/wasi/stream.h"
#include "runtime/os/signals.h"
#include "runtime/wasi/posix/errors.h"

namespace fermata::wasi {
namespace {

// A pipe without a reader gives the guest an error, as a socket would.
using internal::WithoutSigpipe;

FileType TypeOf(mode_t mode) {
  if (S_ISCHR(mode)) return FileType::kCharacterDevice;
  if (S_ISBLK(mode)) return FileType::kBlockDevice;
  if (S_ISFIFO(mode)) return FileType::kSocketStream;  // WASI has no word for pipes
  if (S_ISSOCK(mode)) return FileType::kSocketStream;
  if (S_ISREG(mode)) return FileType::kRegularFile;
  return FileType::kUnknown;
}

IoResult Transferred(ssize_t n) {
  return n < 0 ? IoResult::Failed(FromHost(errno))
               : IoResult{Errno::kSuccess, static_cast<uint64_t>(n)};
}

class HostStream : public Stream {
 public:
  HostStream(int fd, bool owned, mode_t mode) : fd_(fd), owned_(owned), type_(TypeOf(mode)) {
    int kind = 0;
    socklen_t size = sizeof kind;
    socket_ = S_ISSOCK(mode);
    if (socket_ && getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_DGRAM) {
      type_ = FileType::kSocketDgram;
    }
    const int flags = fcntl(fd, F_GETFL);
    if (owned && flags >= 0) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    nonblocking_ = owned || (flags >= 0 && (flags & O_NONBLOCK) != 0);
    pipe_ = S_ISFIFO(mode);
    terminal_ = S_ISCHR(mode) && isatty(fd) == 1;
  }
  ~HostStream() override {
    if (owned_) close(fd_);
  }

  IoResult Read(absl::Span<const iovec> buffers, bool peek) override {
    if (buffers.empty()) return {};
    if (socket_) {
      msghdr message = Message(buffers);
      const int flags = MSG_DONTWAIT | (peek ? MSG_PEEK : 0);
      return Transferred(Retry([&] { return recvmsg(fd_, &message, flags); }));
    }
    if (peek) return IoResult::Failed(Errno::kNotSock);
    if (!nonblocking_ && !CanRead()) return IoResult::Failed(Errno::kAgain);
    return Transferred(
        Retry([&] { return readv(fd_, buffers.data(), static_cast<int>(buffers.size())); }));
  }

  IoResult Write(absl::Span<const iovec> buffers) override {
    if (buffers.empty()) return {};
    if (socket_) {
      const msghdr message = Message(buffers);
      return Transferred(
          Retry([&] { return sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL); }));
    }
    absl::InlinedVector<iovec, 4> some;
    if (!nonblocking_) {
      if (!CanWrite()) return IoResult::Failed(Errno::kAgain);
      // A pipe that is ready takes this much without blocking.
      if (pipe_) buffers = First(buffers, PIPE_BUF, some);
    }
    const WithoutSigpipe guard;
    return Transferred(
        Retry([&] { return writev(fd_, buffers.data(), static_cast<int>(buffers.size())); }));
  }

  Errno Accept(std::shared_ptr<Stream>& connection) override {
    if (!socket_) return Errno::kNotSock;
    if (!nonblocking_ && !CanRead()) return Errno::kAgain;
    const int fd = Retry([&] { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); });
    if (fd < 0) return FromHost(errno);
    auto stream = DescriptorStream(fd, /*owned=*/true);
    if (!stream.ok()) return Errno::kIo;
    connection = *std::move(stream);
    return Errno::kSuccess;
  }

  Errno Shutdown(bool read, bool write) override {
    if (!socket_) return Errno::kNotSock;
    const int how = read && write ? SHUT_RDWR : read ? SHUT_RD : SHUT_WR;
    return Outcome(shutdown(fd_, how));
  }

  FileType type() const override { return type_; }
  bool is_terminal() const override { return terminal_; }
  bool CanRead() override { return Ready(POLLIN); }
  bool CanWrite() override { return Ready(POLLOUT); }
  uint64_t Available() override {
    int n = 0;
    return ioctl(fd_, FIONREAD, &n) == 0 && n > 0 ? static_cast<uint64_t>(n) : 0;
  }
  bool HungUp() override {
    pollfd p = {fd_, 0, 0};
    return Retry([&] { return poll(&p, 1, 0); }) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
  }
  int native_handle() const override { return fd_; }
  int native_socket() const override { return socket_ && owned_ ? fd_ : -1; }

 private:
  static msghdr Message(absl::Span<const iovec> buffers) {
    msghdr message = {};
    message.msg_iov = const_cast<iovec*>(buffers.data());
    message.msg_iovlen = buffers.size();
    return message;
  }

  static absl::Span<const iovec> First(absl::Span<const iovec> buffers, size_t most,
                                       absl::InlinedVector<iovec, 4>& first) {
    for (const iovec& b : buffers) {
      if (most == 0) break;
      first.push_back({b.iov_base, std::min(b.iov_len, most)});
      most -= first.back().iov_len;
    }
    return first;
  }

  bool Ready(short events) const {
    pollfd p = {fd_, events, 0};
    return Retry([&] { return poll(&p, 1, 0); }) != 0;  // errors show when it is used
  }

  int fd_;
  bool owned_;
  FileType type_;
  bool terminal_ = false;
  bool socket_ = false;
  bool pipe_ = false;
  bool nonblocking_ = false;
};

}  // namespace

absl::StatusOr<std::shared_ptr<Stream>> DescriptorStream(int fd, bool owned) {
  struct stat status;
  if (fstat(fd, &status) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd, ": ", strerror(errno)));
  }
  return std::shared_ptr<Stream>(std::make_shared<HostStream>(fd, owned, status.st_mode));
}

}  // namespace fermata::wasi
