// What a guest's file descriptors stand for.
#ifndef FERMATA_RUNTIME_WASI_DESCRIPTOR_H_
#define FERMATA_RUNTIME_WASI_DESCRIPTOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fermata/wasi/stream.h"
#include "fermata/wasi/types.h"

namespace fermata::wasi {

// What may be done with a descriptor: bits.
using Rights = uint64_t;
namespace rights {
enum : Rights {
  kFdDatasync = 1u << 0,
  kFdRead = 1u << 1,
  kFdSeek = 1u << 2,
  kFdFdstatSetFlags = 1u << 3,
  kFdSync = 1u << 4,
  kFdTell = 1u << 5,
  kFdWrite = 1u << 6,
  kFdAdvise = 1u << 7,
  kFdAllocate = 1u << 8,
  kPathCreateDirectory = 1u << 9,
  kPathCreateFile = 1u << 10,
  kPathLinkSource = 1u << 11,
  kPathLinkTarget = 1u << 12,
  kPathOpen = 1u << 13,
  kFdReaddir = 1u << 14,
  kPathReadlink = 1u << 15,
  kPathRenameSource = 1u << 16,
  kPathRenameTarget = 1u << 17,
  kPathFilestatGet = 1u << 18,
  kPathFilestatSetSize = 1u << 19,
  kPathFilestatSetTimes = 1u << 20,
  kFdFilestatGet = 1u << 21,
  kFdFilestatSetSize = 1u << 22,
  kFdFilestatSetTimes = 1u << 23,
  kPathSymlink = 1u << 24,
  kPathRemoveDirectory = 1u << 25,
  kPathUnlinkFile = 1u << 26,
  kPollFdReadwrite = 1u << 27,
  kSockShutdown = 1u << 28,
  kSockAccept = 1u << 29,

  kAll = (1u << 30) - 1,
  // What can be done at all with each kind of thing.
  kFile = kFdDatasync | kFdRead | kFdSeek | kFdFdstatSetFlags | kFdSync | kFdTell | kFdWrite |
          kFdAdvise | kFdAllocate | kFdFilestatGet | kFdFilestatSetSize | kFdFilestatSetTimes |
          kPollFdReadwrite,
  kStream = kFdRead | kFdFdstatSetFlags | kFdWrite | kFdFilestatGet | kPollFdReadwrite |
            kSockShutdown | kSockAccept,
  kDirectory = kFdFdstatSetFlags | kFdSync | kFdAdvise | kPathCreateDirectory | kPathCreateFile |
               kPathLinkSource | kPathLinkTarget | kPathOpen | kFdReaddir | kPathReadlink |
               kPathRenameSource | kPathRenameTarget | kPathFilestatGet | kPathFilestatSetSize |
               kPathFilestatSetTimes | kFdFilestatGet | kFdFilestatSetTimes | kPathSymlink |
               kPathRemoveDirectory | kPathUnlinkFile | kFdDatasync | kPollFdReadwrite,
  // What changes files or directories: files on read-only mounts are opened without.
  kWriting = kFdDatasync | kFdWrite | kFdAllocate | kPathCreateDirectory | kPathCreateFile |
             kPathLinkSource | kPathLinkTarget | kPathRenameSource | kPathRenameTarget |
             kPathFilestatSetSize | kPathFilestatSetTimes | kFdFilestatSetSize |
             kFdFilestatSetTimes | kPathSymlink | kPathRemoveDirectory | kPathUnlinkFile,
};
}  // namespace rights

namespace fdflags {
enum : uint16_t { kAppend = 1, kDsync = 2, kNonblock = 4, kRsync = 8, kSync = 16, kAll = 31 };
}
namespace oflags {
enum : uint16_t { kCreat = 1, kDirectory = 2, kExcl = 4, kTrunc = 8, kAll = 15 };
}
enum class Whence : uint8_t { kSet = 0, kCur = 1, kEnd = 2 };

struct FileStat {
  uint64_t dev = 0;
  uint64_t ino = 0;
  FileType type = FileType::kUnknown;
  uint64_t nlink = 0;
  uint64_t size = 0;
  uint64_t atim = 0, mtim = 0, ctim = 0;  // ns since 1970
};

// Timestamps to be set; each is left as it is, set to now, or set to a time.
struct Times {
  enum Kind : uint8_t { kOmit, kNow, kTime };
  Kind access_kind = kOmit, modify_kind = kOmit;
  uint64_t access = 0, modify = 0;  // ns since 1970
};

struct DirectoryEntry {
  uint64_t next;  // cookie of the entry after it
  uint64_t ino;
  FileType type;
  std::string name;
};

class Directory;

// Where a descriptor comes from: what a snapshot of a process keeps of it.
struct Origin {
  enum Kind : uint8_t { kOther, kInitial, kOpened } kind = kOther;
  uint32_t initial = 0;  // the number it had at first, or the directory's that it was opened in
  std::string path;      // kOpened: in that directory
};

// One open thing. Methods that a kind of thing does not have fail as POSIX says.
class Descriptor {
 public:
  Descriptor(Rights base, Rights inheriting, uint16_t flags)
      : base(base), inheriting(inheriting), flags(flags) {}
  virtual ~Descriptor() = default;
  Descriptor(const Descriptor&) = delete;

  Rights base;                         // what may be done with it
  Rights inheriting;                   // what may be done with what is opened through it
  uint16_t flags;                      // fdflags
  std::optional<std::string> preopen;  // mounts: the guest's name of it
  Origin origin;

  virtual FileType type() const = 0;
  virtual Errno Stat(FileStat& stat) = 0;
  virtual Errno SetFlags(uint16_t) { return Errno::kNotSup; }
  virtual IoResult Read(absl::Span<const iovec>) { return IoResult::Failed(Errno::kIsDir); }
  virtual IoResult Write(absl::Span<const iovec>) { return IoResult::Failed(Errno::kIsDir); }
  virtual IoResult ReadAt(absl::Span<const iovec>, uint64_t) {
    return IoResult::Failed(Errno::kSpipe);
  }
  virtual IoResult WriteAt(absl::Span<const iovec>, uint64_t) {
    return IoResult::Failed(Errno::kSpipe);
  }
  virtual Errno Seek(int64_t, Whence, uint64_t&) { return Errno::kSpipe; }
  virtual Errno SetSize(uint64_t) { return Errno::kInval; }
  virtual Errno SetTimes(const Times&) { return Errno::kInval; }
  virtual Errno Allocate(uint64_t, uint64_t) { return Errno::kInval; }
  virtual Errno Advise(uint64_t, uint64_t, uint8_t) { return Errno::kSpipe; }
  virtual Errno Sync(bool /*data_only*/) { return Errno::kInval; }
  virtual Directory* directory() { return nullptr; }
  virtual std::shared_ptr<Stream> stream() { return nullptr; }
};

// Paths are the guest's, not empty, without NULs; none leads out: kNotCapable.
class Directory : public Descriptor {
 public:
  using Descriptor::Descriptor;
  FileType type() const override { return FileType::kDirectory; }
  Directory* directory() override { return this; }

  struct OpenRequest {
    bool follow = false;
    uint16_t oflags = 0, fdflags = 0;
    Rights base = 0, inheriting = 0;
  };
  virtual Errno Open(const std::string& path, const OpenRequest& request,
                     std::unique_ptr<Descriptor>& opened) = 0;
  // Entries from `cookie` (0: the first), until `room` bytes are used up or there are no more.
  virtual Errno List(uint64_t cookie, uint64_t room, std::vector<DirectoryEntry>& entries) = 0;
  virtual Errno StatAt(const std::string& path, bool follow, FileStat& stat) = 0;
  virtual Errno ReadLink(const std::string& path, std::string& target) = 0;
  virtual Errno SetTimesAt(const std::string&, bool, const Times&) { return Errno::kRofs; }
  virtual Errno MakeDirectory(const std::string&) { return Errno::kRofs; }
  virtual Errno RemoveDirectory(const std::string&) { return Errno::kRofs; }
  virtual Errno Unlink(const std::string&) { return Errno::kRofs; }
  virtual Errno SymLink(const std::string& /*target*/, const std::string&) { return Errno::kRofs; }
  virtual Errno Link(const std::string&, Directory& /*to*/, const std::string&) {
    return Errno::kRofs;
  }
  virtual Errno Rename(const std::string&, Directory& /*to*/, const std::string&) {
    return Errno::kRofs;
  }
};

// Bytes a guest's struct dirent takes.
inline constexpr uint64_t kDirentBytes = 24;

// All that can be done with a stream. C libraries take a character device for a terminal unless it
// has the rights to seek or tell, which /dev/null and its like therefore have.
inline Rights RightsOf(const Stream& stream) {
  const bool device = stream.type() == FileType::kCharacterDevice && !stream.is_terminal();
  return rights::kStream | (device ? rights::kFdSeek | rights::kFdTell : Rights{0});
}

// What is known of a socket beyond the host's own state of it.
struct SocketState {
  bool opened_by_guest = false;                    // by sock_open, or accepted by such a one
  bool bound = false;                              // to an address that was looked at
  uint64_t receive_timeout = 0, send_timeout = 0;  // us; 0: none
  // Seconds: what the guest has set. The host's socket is not told, as close(2) would block.
  std::optional<uint32_t> linger;
};

// A stream with rights and flags.
class StreamDescriptor : public Descriptor {
 public:
  StreamDescriptor(std::shared_ptr<Stream> stream, Rights base, uint16_t flags = 0)
      : Descriptor(base, base, flags), stream_(std::move(stream)) {}
  FileType type() const override { return stream_->type(); }
  Errno Stat(FileStat& stat) override {
    stat.type = type();
    return Errno::kSuccess;
  }
  Errno SetFlags(uint16_t flags_now) override {
    flags = flags_now;
    return Errno::kSuccess;
  }
  IoResult Read(absl::Span<const iovec> buffers) override {
    const IoResult result = stream_->Read(buffers, false);
    bytes_read += result.bytes;
    return result;
  }
  IoResult Write(absl::Span<const iovec> buffers) override {
    const IoResult result = stream_->Write(buffers);
    bytes_written += result.bytes;
    return result;
  }
  std::shared_ptr<Stream> stream() override { return stream_; }

  uint64_t bytes_read = 0, bytes_written = 0;  // not those of sock_recv and sock_send
  SocketState socket;

 private:
  std::shared_ptr<Stream> stream_;
};

// A directory of files that exist only in the program: path within it -> contents.
std::unique_ptr<Directory> MakeVirtualDirectory(std::map<std::string, std::string> files);
// A directory of the host's. kNotFound: it can't be opened. kUnimplemented: not on this system.
absl::StatusOr<std::unique_ptr<Directory>> OpenHostDirectory(const std::string& path,
                                                             bool read_only, bool use_openat2);
// A file of the host's that has been opened: by what it is, a file, a directory or a stream.
// `owned`: it is closed in the end, and may be made non-blocking. Null: it is not open.
std::unique_ptr<Descriptor> MakeHostDescriptor(int fd, bool owned, Rights base, Rights inheriting,
                                               uint16_t flags);

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_DESCRIPTOR_H_
