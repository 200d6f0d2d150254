// Finding what a guest's path names without ever leaving the directory it starts in.
//
// Either the kernel does it (openat2 with RESOLVE_BENEATH), or the path is walked one name at a
// time: each directory on the way is held open, ".." goes back along the way that was come, links
// are read and their targets walked in their place. Neither can be raced out of the directory.
#ifndef FERMATA_RUNTIME_WASI_POSIX_RESOLVE_H_
#define FERMATA_RUNTIME_WASI_POSIX_RESOLVE_H_

#include <sys/types.h>

#include <string>

#include "fermata/wasi/types.h"

namespace fermata::wasi {

// A descriptor of the host's that is closed with it.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.Release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~OwnedFd() { Reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Reset(int fd = -1);

 private:
  int fd_;
};

// How the paths of one directory tree are resolved.
struct Resolver {
  int root;  // the directory
  bool use_openat2;

  // Opens what `path` names, as openat does. `follow`: a link at its end too; otherwise kLoop if
  // there is one. (With O_PATH: the link itself.)
  Errno Open(const std::string& path, int flags, mode_t mode, bool follow, OwnedFd& opened) const;

  // The directory that holds the last name of `path`, and that name, for system calls that take
  // both. `name` is without slashes; it is "." or ".." if the path ends so, and ".." is then known
  // not to lead out. `must_be_directory`: slashes followed it.
  Errno OpenParent(const std::string& path, OwnedFd& parent, std::string& name,
                   bool& must_be_directory) const;
};

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_POSIX_RESOLVE_H_
