// Directories of the host's. Everything in them is found by a Resolver; the last step is a system
// call on a directory that is held open and a single name, and never follows a link.
#include "runtime/wasi/posix/host_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "runtime/wasi/posix/errors.h"
#include "runtime/wasi/posix/host_stat.h"
#include "runtime/wasi/posix/resolve.h"

namespace fermata::wasi {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

class HostDirectory : public Directory {
 public:
  HostDirectory(int fd, bool read_only, bool use_openat2, Rights base, Rights inheriting,
                uint16_t flags)
      : Directory(base, inheriting, flags),
        fd_(fd),
        read_only_(read_only),
        resolver_{fd, use_openat2} {}

  Errno Stat(FileStat& stat) override {
    struct stat status;
    if (fstat(fd_.get(), &status) != 0) return FromHost(errno);
    stat = ToFileStat(status);
    return Errno::kSuccess;
  }
  Errno SetFlags(uint16_t now) override { return now == flags ? Errno::kSuccess : Errno::kNotSup; }
  Errno SetTimes(const Times& times) override {
    if (read_only_) return Errno::kRofs;
    timespec to[2];
    ToTimespecs(times, to);
    return Outcome(futimens(fd_.get(), to));
  }
  Errno Advise(uint64_t, uint64_t, uint8_t) override { return Errno::kSuccess; }
  Errno Sync(bool) override { return Outcome(fsync(fd_.get())); }

  Errno Open(const std::string& path, const OpenRequest& request,
             std::unique_ptr<Descriptor>& opened) override;
  Errno List(uint64_t cookie, uint64_t room, std::vector<DirectoryEntry>& entries) override;
  Errno StatAt(const std::string& path, bool follow, FileStat& stat) override;
  Errno ReadLink(const std::string& path, std::string& target) override;
  Errno SetTimesAt(const std::string& path, bool follow, const Times& times) override;

  Errno MakeDirectory(const std::string& path) override {
    return InParent(path, [](int parent, const std::string& name, bool) {
      return mkdirat(parent, name.c_str(), 0777);
    });
  }
  Errno RemoveDirectory(const std::string& path) override {
    return InParent(path, [](int parent, const std::string& name, bool) {
      return unlinkat(parent, name.c_str(), AT_REMOVEDIR);
    });
  }
  Errno Unlink(const std::string& path) override {
    return InParent(path, [](int parent, const std::string& name, bool directory) {
      return unlinkat(parent, WithSlash(name, directory).c_str(), 0);
    });
  }
  Errno SymLink(const std::string& target, const std::string& path) override {
    // It could not be followed, and would lead astray whoever else reads the directory.
    if (target[0] == '/') return Errno::kNotCapable;
    return InParent(path, [&](int parent, const std::string& name, bool directory) {
      return symlinkat(target.c_str(), parent, WithSlash(name, directory).c_str());
    });
  }
  Errno Link(const std::string& path, Directory& to, const std::string& new_path) override {
    if (path.back() == '/' && !read_only_) {
      const Errno error = FindDirectory(path);
      return error != Errno::kSuccess ? error : Errno::kPerm;  // as for all directories
    }
    return Between(path, to, new_path, [](int from, const char* a, int onto, const char* b) {
      return linkat(from, a, onto, b, 0);
    });
  }
  Errno Rename(const std::string& path, Directory& to, const std::string& new_path) override {
    return Between(path, to, new_path, [](int from, const char* a, int onto, const char* b) {
      return renameat(from, a, onto, b);
    });
  }

 private:
  // Whether `path`, which ends in a slash, is a directory's. A system call that is given such a
  // name follows a link there, wherever it leads, and what it says tells the guest what is outside.
  Errno FindDirectory(const std::string& path) const {
    OwnedFd unused;
    return resolver_.Open(path, O_PATH | O_DIRECTORY, 0, /*follow=*/true, unused);
  }

  // A name that must be a directory's, so that the kernel says what is wrong if it isn't.
  static std::string WithSlash(const std::string& name, bool directory) {
    return directory ? name + "/" : name;
  }

  template <typename Call>
  Errno InParent(const std::string& path, Call call) {
    if (read_only_) return Errno::kRofs;
    OwnedFd parent;
    std::string name;
    bool directory;
    const Errno error = resolver_.OpenParent(path, parent, name, directory);
    return error != Errno::kSuccess ? error : Outcome(call(parent.get(), name, directory));
  }

  template <typename Call>
  Errno Between(const std::string& path, Directory& to, const std::string& new_path, Call call) {
    auto* target = dynamic_cast<HostDirectory*>(&to);
    if (target == nullptr) return Errno::kXdev;
    if (read_only_ || target->read_only_) return Errno::kRofs;
    OwnedFd from, onto;
    std::string name, new_name;
    bool directory, new_directory;
    Errno error = resolver_.OpenParent(path, from, name, directory);
    if (error == Errno::kSuccess) {
      error = target->resolver_.OpenParent(new_path, onto, new_name, new_directory);
    }
    if (error != Errno::kSuccess) return error;
    return Outcome(call(from.get(), WithSlash(name, directory).c_str(), onto.get(),
                        WithSlash(new_name, new_directory).c_str()));
  }

  OwnedFd fd_;
  bool read_only_;
  Resolver resolver_;
};

// The host's flags for what a guest asks of a file.
int OpenFlags(const Directory::OpenRequest& request) {
  const bool read = (request.base & (rights::kFdRead | rights::kFdReaddir)) != 0;
  const bool writes_data =
      (request.base & (rights::kFdWrite | rights::kFdAllocate | rights::kFdFilestatSetSize)) != 0;
  int flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;  // a FIFO must not block the host
  if (request.oflags & oflags::kDirectory) {
    // EISDIR if it is to be written.
    flags |= O_DIRECTORY | (request.base & rights::kFdWrite ? O_RDWR : O_RDONLY);
  } else {
    flags |= writes_data ? (read ? O_RDWR : O_WRONLY) : O_RDONLY;
  }
  if (request.oflags & oflags::kCreat) flags |= O_CREAT;
  if (request.oflags & oflags::kExcl) flags |= O_EXCL;
  if (request.oflags & oflags::kTrunc) flags |= O_TRUNC;
  if (request.fdflags & fdflags::kAppend) flags |= O_APPEND;
  if (request.fdflags & fdflags::kDsync) flags |= O_DSYNC;
  if (request.fdflags & (fdflags::kSync | fdflags::kRsync)) flags |= O_SYNC;
  return flags;
}

Errno HostDirectory::Open(const std::string& path, const OpenRequest& request,
                          std::unique_ptr<Descriptor>& opened) {
  constexpr Rights kWritesData =
      rights::kFdWrite | rights::kFdAllocate | rights::kFdFilestatSetSize;
  if (read_only_) {
    const bool changes =
        (request.oflags & (oflags::kCreat | oflags::kTrunc)) != 0 ||
        ((request.base & kWritesData) != 0 && (request.oflags & oflags::kDirectory) == 0);
    if (changes) return Errno::kRofs;
  }
  const int flags = OpenFlags(request);
  OwnedFd fd;
  Errno error = resolver_.Open(path, flags, 0666, request.follow, fd);
  // Opening for writing what turns out to be a directory: as one that is only read. (Guests ask for
  // all rights at once.)
  if (error == Errno::kIsDir && request.oflags == 0 && (request.base & rights::kFdReaddir) != 0) {
    error = resolver_.Open(path, (flags & ~O_ACCMODE) | O_RDONLY, 0666, request.follow, fd);
  }
  if (error != Errno::kSuccess) return error;
  struct stat status;
  if (fstat(fd.get(), &status) != 0) return FromHost(errno);
  if (S_ISDIR(status.st_mode)) {
    opened = std::make_unique<HostDirectory>(fd.Release(), read_only_, resolver_.use_openat2,
                                             request.base & rights::kDirectory, request.inheriting,
                                             request.fdflags);
    return Errno::kSuccess;
  }
  const Rights base = read_only_ ? request.base & ~Rights{rights::kWriting} : request.base;
  opened = MakeHostDescriptor(fd.get(), /*owned=*/true, base, request.inheriting, request.fdflags);
  if (opened == nullptr) return Errno::kIo;
  fd.Release();
  return Errno::kSuccess;
}

Errno HostDirectory::List(uint64_t cookie, uint64_t room, std::vector<DirectoryEntry>& entries) {
  OwnedFd again(openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return FromHost(errno);
  std::unique_ptr<DIR, CloseDir> dir(fdopendir(again.get()));
  if (dir == nullptr) return FromHost(errno);
  again.Release();
  if (cookie > static_cast<uint64_t>(LONG_MAX)) return Errno::kInval;
  if (cookie != 0) seekdir(dir.get(), static_cast<long>(cookie));
  struct stat self;
  if (fstat(fd_.get(), &self) != 0) return FromHost(errno);
  for (uint64_t used = 0; used < room;) {
    errno = 0;
    const dirent* found = readdir(dir.get());
    if (found == nullptr) return FromHost(errno);
    DirectoryEntry entry;
    entry.name = found->d_name;
    entry.next = static_cast<uint64_t>(telldir(dir.get()));
    // What lies outside is nobody's business.
    entry.ino = entry.name == ".." ? self.st_ino : found->d_ino;
    entry.type = ToFileType(DTTOIF(found->d_type));
    if (found->d_type == DT_UNKNOWN) {
      struct stat status;
      if (fstatat(fd_.get(), found->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        entry.type = ToFileType(status.st_mode);
      }
    }
    used += kDirentBytes + entry.name.size();
    entries.push_back(std::move(entry));
  }
  return Errno::kSuccess;
}

Errno HostDirectory::StatAt(const std::string& path, bool follow, FileStat& stat) {
  OwnedFd fd;
  const Errno error = resolver_.Open(path, O_PATH, 0, follow, fd);
  if (error != Errno::kSuccess) return error;
  struct stat status;
  if (fstatat(fd.get(), "", &status, AT_EMPTY_PATH) != 0) return FromHost(errno);
  stat = ToFileStat(status);
  return Errno::kSuccess;
}

Errno HostDirectory::ReadLink(const std::string& path, std::string& target) {
  OwnedFd parent;
  std::string name;
  bool directory;
  Errno error = resolver_.OpenParent(path, parent, name, directory);
  if (error != Errno::kSuccess) return error;
  if (directory) {
    error = FindDirectory(path);
    return error != Errno::kSuccess ? error : Errno::kInval;
  }
  char text[PATH_MAX];
  const ssize_t n = readlinkat(parent.get(), name.c_str(), text, sizeof text);
  if (n < 0) return FromHost(errno);
  target.assign(text, static_cast<size_t>(n));
  return Errno::kSuccess;
}

Errno HostDirectory::SetTimesAt(const std::string& path, bool follow, const Times& times) {
  if (read_only_) return Errno::kRofs;
  timespec to[2];
  ToTimespecs(times, to);
  OwnedFd fd;
  const Errno error = resolver_.Open(path, O_PATH, 0, follow, fd);
  if (error != Errno::kSuccess) return error;
  if (utimensat(fd.get(), "", to, AT_EMPTY_PATH) == 0) return Errno::kSuccess;
  // Kernels before 5.8 want a name. The link in /proc is ours, and leads to what is open.
  if (errno != EINVAL && errno != ENOENT) return FromHost(errno);
  return Outcome(utimensat(AT_FDCWD, absl::StrCat("/proc/self/fd/", fd.get()).c_str(), to, 0));
}

}  // namespace

std::unique_ptr<Directory> MakeHostDirectory(int fd, bool read_only, bool use_openat2) {
  return std::make_unique<HostDirectory>(fd, read_only, use_openat2, rights::kDirectory,
                                         rights::kAll, 0);
}

absl::StatusOr<std::unique_ptr<Directory>> OpenHostDirectory(const std::string& path,
                                                             bool read_only, bool use_openat2) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) return MakeHostDirectory(fd, read_only, use_openat2);
  return absl::NotFoundError(
      absl::StrCat("cannot open the directory ", path, ": ", strerror(errno)));
}

}  // namespace fermata::wasi
