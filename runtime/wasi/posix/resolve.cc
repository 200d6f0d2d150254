#include "runtime/wasi/posix/resolve.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "runtime/wasi/posix/errors.h"

namespace fermata::wasi {
namespace {

constexpr int kMostLinks = 40;  // as Linux

// openat2, or -1: ENOSYS if there is none, EAGAIN if the tree changes too fast for it.
int OpenBeneath(int root, const std::string& path, int flags, mode_t mode) {
  static std::atomic<bool> missing{false};
  if (missing.load(std::memory_order_relaxed)) {
    errno = ENOSYS;
    return -1;
  }
  open_how how = {};
  how.flags = static_cast<uint64_t>(static_cast<unsigned>(flags));
  how.mode = flags & O_CREAT ? mode : 0;  // else it must be 0
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed on the way, so that the kernel could not be sure.
  for (int attempt = 0; attempt < 64; ++attempt) {
    const long fd = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == EINTR || errno == EAGAIN) continue;
    // Seccomp filters that don't know the call say EPERM, which it never says by itself for a
    // plain O_PATH of the directory.
    if (errno == ENOSYS || errno == EPERM) {
      open_how probe = {};
      probe.flags = O_PATH | O_CLOEXEC;
      probe.resolve = RESOLVE_BENEATH;
      const int code = errno;
      const long opened = syscall(SYS_openat2, root, ".", &probe, sizeof probe);
      if (opened >= 0) {
        close(static_cast<int>(opened));
        errno = code;
        return -1;
      }
      missing = true;
      errno = ENOSYS;
    }
    return -1;
  }
  return -1;
}

// A path walked name by name.
class Walk {
 public:
  explicit Walk(int root) : root_(root) {}

  // Goes to the directory that holds the last name.
  Errno Start(const std::string& path) {
    const Errno error = Push(path);
    return error == Errno::kSuccess ? Proceed() : error;
  }

  int at() const { return way_.empty() ? root_ : way_.back().get(); }
  // What is left: a name, maybe with slashes after it.
  std::string name() const { return rest_.substr(0, rest_.find('/')); }
  bool must_be_directory() const { return rest_.find('/') != std::string::npos; }

  // The last name is a link: goes to where its target's last name is. kInval if it is no link.
  Errno Expand() {
    const std::string link = name();
    const bool slash = must_be_directory();
    rest_.clear();
    const Errno error = Follow(link, slash);
    return error == Errno::kSuccess ? Proceed() : error;
  }

  // Enters the directory "..", which is the one that was come from.
  Errno Back() {
    if (way_.empty()) return Errno::kNotCapable;
    way_.pop_back();
    return Errno::kSuccess;
  }

 private:
  Errno Proceed() {
    Errno error = Errno::kSuccess;
    while (error == Errno::kSuccess && !LastName()) error = Enter(TakeName());
    return error;
  }

  bool LastName() const {
    const size_t slash = rest_.find('/');
    return slash == std::string::npos || rest_.find_first_not_of('/', slash) == std::string::npos;
  }

  std::string TakeName() {
    const size_t slash = rest_.find('/');
    std::string name = rest_.substr(0, slash);
    rest_.erase(0, rest_.find_first_not_of('/', slash));
    return name;
  }

  // `path` comes before what is left.
  Errno Push(const std::string& path) {
    if (path.empty()) return Errno::kNoEnt;
    if (path[0] == '/') return Errno::kNotCapable;
    if (path.size() + rest_.size() >= 2 * PATH_MAX) return Errno::kNameTooLong;
    if (rest_.empty()) {
      rest_ = path;
    } else {
      rest_ = path + "/" + rest_;
    }
    return Errno::kSuccess;
  }

  Errno Enter(const std::string& name) {
    if (name == ".") return Errno::kSuccess;
    if (name == "..") return Back();
    OwnedFd next(Retry(
        [&] { return openat(at(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }));
    if (next) {
      way_.push_back(std::move(next));
      return Errno::kSuccess;
    }
    // Linux says ENOTDIR for links here, others ELOOP.
    if (errno != ENOTDIR && errno != ELOOP) return FromHost(errno);
    const Errno error = Follow(name, /*directory=*/true);
    return error == Errno::kInval ? Errno::kNotDir : error;
  }

  Errno Follow(const std::string& name, bool directory) {
    char target[PATH_MAX];
    const ssize_t n = readlinkat(at(), name.c_str(), target, sizeof target);
    if (n < 0) return FromHost(errno);
    if (n == static_cast<ssize_t>(sizeof target)) return Errno::kNameTooLong;
    if (++links_ > kMostLinks) return Errno::kLoop;
    std::string path(target, static_cast<size_t>(n));
    if (directory && rest_.empty()) path += "/";
    return Push(path);
  }

  int root_;
  std::vector<OwnedFd> way_;  // from below the root to where we are
  std::string rest_;
  int links_ = 0;
};

Errno OpenWalking(int root, const std::string& path, int flags, mode_t mode, bool follow,
                  OwnedFd& opened) {
  Walk walk(root);
  Errno error = walk.Start(path);
  while (error == Errno::kSuccess) {
    const std::string name = walk.name();
    if (name == "..") {
      error = walk.Back();
      if (error != Errno::kSuccess) break;
    }
    const bool directory = walk.must_be_directory();
    // No path with a slash at its end makes a file. Kernels differ in how they say so.
    if (directory && (flags & O_CREAT) != 0) return Errno::kIsDir;
    int how = flags | O_NOFOLLOW | O_CLOEXEC;
    if (directory) how |= O_DIRECTORY;
    const std::string& target = name == ".." ? "." : name;
    // With O_PATH a link would be opened itself.
    bool is_link = false;
    if (follow || directory) {
      char c;
      is_link = readlinkat(walk.at(), target.c_str(), &c, 1) >= 0;
    }
    if (!is_link) {
      opened.Reset(Retry([&] { return openat(walk.at(), target.c_str(), how, mode); }));
      if (opened) return Errno::kSuccess;
      // Became a link meanwhile, or is one that is not to be followed.
      if (errno != ELOOP || !follow) return FromHost(errno);
    }
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return Errno::kExist;
    error = walk.Expand();
  }
  return error;
}

}  // namespace

void OwnedFd::Reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Errno Resolver::Open(const std::string& path, int flags, mode_t mode, bool follow,
                     OwnedFd& opened) const {
  if (path.empty()) return Errno::kNoEnt;
  if (path[0] == '/') return Errno::kNotCapable;
  if (use_openat2) {
    const int how = flags | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    opened.Reset(OpenBeneath(root, path, how, mode));
    if (opened) return Errno::kSuccess;
    if (errno == EXDEV) return Errno::kNotCapable;
    if (errno != ENOSYS && errno != EAGAIN) return FromHost(errno);
  }
  return OpenWalking(root, path, flags, mode, follow, opened);
}

Errno Resolver::OpenParent(const std::string& path, OwnedFd& parent, std::string& name,
                           bool& must_be_directory) const {
  if (path.empty()) return Errno::kNoEnt;
  if (path[0] == '/') return Errno::kNotCapable;
  const size_t end = path.find_last_not_of('/');
  must_be_directory = end + 1 != path.size();
  const size_t slash = path.rfind('/', end);
  const size_t begin = slash == std::string::npos ? 0 : slash + 1;
  name = path.substr(begin, end + 1 - begin);
  if (name == "..") {
    OwnedFd unused;
    const Errno error = Open(path, O_PATH | O_DIRECTORY, 0, /*follow=*/true, unused);
    if (error != Errno::kSuccess) return error;
  }
  const std::string folder = begin == 0 ? "." : path.substr(0, begin);
  return Open(folder, O_PATH | O_DIRECTORY, 0, /*follow=*/true, parent);
}

}  // namespace fermata::wasi
