// Regular files of the host's, and what else may be found behind a descriptor.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

#include "runtime/wasi/posix/errors.h"
#include "runtime/wasi/posix/host_stat.h"
#include "runtime/wasi/posix/resolve.h"

namespace fermata::wasi {

FileStat ToFileStat(const struct stat& status) {
  const auto ns = [](const timespec& t) {
    return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
  };
  FileStat result;
  result.dev = status.st_dev;
  result.ino = status.st_ino;
  result.type = ToFileType(status.st_mode);
  result.nlink = status.st_nlink;
  result.size = static_cast<uint64_t>(status.st_size);
  result.atim = ns(status.st_atim);
  result.mtim = ns(status.st_mtim);
  result.ctim = ns(status.st_ctim);
  return result;
}

FileType ToFileType(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kRegularFile;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymbolicLink;
  if (S_ISCHR(mode)) return FileType::kCharacterDevice;
  if (S_ISBLK(mode)) return FileType::kBlockDevice;
  if (S_ISSOCK(mode) || S_ISFIFO(mode)) return FileType::kSocketStream;
  return FileType::kUnknown;
}

void ToTimespecs(const Times& times, timespec to[2]) {
  const auto convert = [](Times::Kind kind, uint64_t ns) -> timespec {
    if (kind == Times::kOmit) return {0, UTIME_OMIT};
    if (kind == Times::kNow) return {0, UTIME_NOW};
    return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  };
  to[0] = convert(times.access_kind, times.access);
  to[1] = convert(times.modify_kind, times.modify);
}

namespace {

constexpr uint64_t kMostOffset = std::numeric_limits<off_t>::max();

IoResult Transferred(ssize_t n) {
  return n < 0 ? IoResult::Failed(FromHost(errno))
               : IoResult{Errno::kSuccess, static_cast<uint64_t>(n)};
}

class HostFile : public Descriptor {
 public:
  HostFile(int fd, bool owned, Rights base, Rights inheriting, uint16_t flags)
      : Descriptor(base, inheriting, flags), fd_(fd), owned_(owned) {}
  ~HostFile() override {
    if (owned_) close(fd_);
  }

  FileType type() const override { return FileType::kRegularFile; }

  Errno Stat(FileStat& stat) override {
    struct stat status;
    if (fstat(fd_, &status) != 0) return FromHost(errno);
    stat = ToFileStat(status);
    return Errno::kSuccess;
  }

  Errno SetFlags(uint16_t now) override {
    // What can't be changed on an open file must stay as it is.
    constexpr uint16_t kSyncing = fdflags::kDsync | fdflags::kRsync | fdflags::kSync;
    if ((now & kSyncing) != (flags & kSyncing)) return Errno::kNotSup;
    const int before = fcntl(fd_, F_GETFL);
    if (before < 0) return FromHost(errno);
    const int append = now & fdflags::kAppend ? O_APPEND : 0;
    if (fcntl(fd_, F_SETFL, (before & ~O_APPEND) | append) != 0) return FromHost(errno);
    flags = now;
    return Errno::kSuccess;
  }

  IoResult Read(absl::Span<const iovec> b) override {
    return Transferred(Retry([&] { return readv(fd_, b.data(), static_cast<int>(b.size())); }));
  }
  IoResult Write(absl::Span<const iovec> b) override {
    return Transferred(Retry([&] { return writev(fd_, b.data(), static_cast<int>(b.size())); }));
  }
  IoResult ReadAt(absl::Span<const iovec> b, uint64_t offset) override {
    if (offset > kMostOffset) return IoResult::Failed(Errno::kInval);
    return Transferred(Retry([&] {
      return preadv(fd_, b.data(), static_cast<int>(b.size()), static_cast<off_t>(offset));
    }));
  }
  IoResult WriteAt(absl::Span<const iovec> b, uint64_t offset) override {
    if (offset > kMostOffset) return IoResult::Failed(Errno::kInval);
    return Transferred(Retry([&] {
      return pwritev(fd_, b.data(), static_cast<int>(b.size()), static_cast<off_t>(offset));
    }));
  }

  Errno Seek(int64_t offset, Whence whence, uint64_t& position) override {
    const int how = whence == Whence::kSet   ? SEEK_SET
                    : whence == Whence::kCur ? SEEK_CUR
                                             : SEEK_END;
    const off_t result = lseek(fd_, offset, how);
    if (result < 0) return FromHost(errno);
    position = static_cast<uint64_t>(result);
    return Errno::kSuccess;
  }

  Errno SetSize(uint64_t size) override {
    if (size > kMostOffset) return Errno::kFbig;
    return Outcome(Retry([&] { return ftruncate(fd_, static_cast<off_t>(size)); }));
  }
  Errno SetTimes(const Times& times) override {
    timespec to[2];
    ToTimespecs(times, to);
    return Outcome(futimens(fd_, to));
  }
  Errno Allocate(uint64_t offset, uint64_t size) override {
    if (offset > kMostOffset || size > kMostOffset - offset) return Errno::kFbig;
    // Not posix_fallocate: where the file system has no such thing it writes to each block, for as
    // long as that takes.
    return Outcome(Retry(
        [&] { return fallocate(fd_, 0, static_cast<off_t>(offset), static_cast<off_t>(size)); }));
  }
  Errno Advise(uint64_t offset, uint64_t size, uint8_t advice) override {
    constexpr int kAdvice[] = {POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
                               POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE};
    if (offset > kMostOffset || size > kMostOffset) return Errno::kInval;
    return FromHost(
        posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(size), kAdvice[advice]));
  }
  Errno Sync(bool data_only) override {
    return Outcome(Retry([&] { return data_only ? fdatasync(fd_) : fsync(fd_); }));
  }

 private:
  int fd_;
  bool owned_;
};

}  // namespace

std::unique_ptr<Descriptor> MakeHostFile(int fd, bool owned, Rights base, Rights inheriting,
                                         uint16_t flags) {
  return std::make_unique<HostFile>(fd, owned, base, inheriting, flags);
}

std::unique_ptr<Descriptor> MakeHostDescriptor(int fd, bool owned, Rights base, Rights inheriting,
                                               uint16_t flags) {
  struct stat status;
  if (fstat(fd, &status) != 0) return nullptr;
  if (S_ISREG(status.st_mode)) {
    return MakeHostFile(fd, owned, base & rights::kFile, inheriting, flags);
  }
  auto stream = DescriptorStream(fd, owned);
  if (!stream.ok()) return nullptr;
  const Rights rights = base & RightsOf(**stream);
  return std::make_unique<StreamDescriptor>(*std::move(stream), rights, flags);
}

}  // namespace fermata::wasi
