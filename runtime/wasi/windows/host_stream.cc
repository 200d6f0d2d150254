// Streams over the host's files, pipes and consoles, by the handles below the C library's descriptors:
// bytes are what they are, without line ends and ends of files of the C library's making.
//
// Only a pipe or a console can be waited for, and only to read. All else is done at once, which may
// block: writing to a pipe that nobody reads, for example.
// windows.h comes first.
// clang-format off
#include <windows.h>
#include <io.h>
// clang-format on

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "fermata/wasi/stream.h"
#include "runtime/wasi/descriptor.h"

namespace fermata::wasi {
namespace {

Errno FromWindows(DWORD code) {
  switch (code) {
    case ERROR_INVALID_HANDLE:
    case ERROR_ACCESS_DENIED:  // opened to write, or to read, only
      return Errno::kBadf;
    case ERROR_NO_DATA:
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
      return Errno::kPipe;
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL:
      return Errno::kNoSpc;
    case ERROR_NOT_ENOUGH_MEMORY:
      return Errno::kNoMem;
    case ERROR_LOCK_VIOLATION:
      return Errno::kBusy;
    default:
      return Errno::kIo;
  }
}

// ReadFile or WriteFile on the buffers, one after the other, until one is not done entirely.
template <class Transfer>
IoResult Each(absl::Span<const iovec> buffers, Transfer transfer) {
  uint64_t done = 0;
  for (const iovec& b : buffers) {
    const auto wanted =
        static_cast<DWORD>(std::min<size_t>(b.iov_len, std::numeric_limits<int32_t>::max()));
    DWORD n = 0;
    if (!transfer(b.iov_base, wanted, &n)) {
      return done != 0 ? IoResult{Errno::kSuccess, done}
                       : IoResult::Failed(FromWindows(GetLastError()));
    }
    done += n;
    if (n < b.iov_len) break;
  }
  return {Errno::kSuccess, done};
}

class HostStream : public Stream {
 public:
  HostStream(int fd, HANDLE handle, DWORD kind, bool owned)
      : fd_(fd), handle_(handle), kind_(kind), owned_(owned) {
    DWORD mode = 0;
    console_ = kind == FILE_TYPE_CHAR && GetConsoleMode(handle, &mode);
  }
  ~HostStream() override {
    if (owned_) _close(fd_);
  }

  IoResult Read(absl::Span<const iovec> buffers, bool peek) override {
    if (buffers.empty()) return {};
    if (peek) return IoResult::Failed(Errno::kNotSock);
    if (!CanRead()) return IoResult::Failed(Errno::kAgain);
    // One buffer: to fill the next one a pipe may have to wait.
    const IoResult result = Each(buffers.first(1), [&](void* data, DWORD size, DWORD* n) {
      return ReadFile(handle_, data, size, n, nullptr);
    });
    const bool ended = result.error == Errno::kPipe;
    return ended ? IoResult{} : result;
  }

  IoResult Write(absl::Span<const iovec> buffers) override {
    return Each(buffers, [&](const void* data, DWORD size, DWORD* n) {
      return WriteFile(handle_, data, size, n, nullptr);
    });
  }

  FileType type() const override {
    if (kind_ == FILE_TYPE_CHAR) return FileType::kCharacterDevice;
    if (kind_ == FILE_TYPE_DISK) return FileType::kRegularFile;
    return kind_ == FILE_TYPE_PIPE ? FileType::kSocketStream : FileType::kUnknown;
  }
  bool is_terminal() const override { return console_; }

  bool CanRead() override {
    if (console_) return HasKey();
    DWORD available = 0;
    if (kind_ != FILE_TYPE_PIPE) return true;
    // One that nobody writes to any more can't be looked into: reading says that it has ended.
    return !PeekNamedPipe(handle_, nullptr, 0, nullptr, &available, nullptr) || available != 0;
  }
  uint64_t Available() override {
    DWORD available = 0;
    const bool known =
        kind_ == FILE_TYPE_PIPE && PeekNamedPipe(handle_, nullptr, 0, nullptr, &available, nullptr);
    return known ? available : 0;
  }
  bool HungUp() override {
    return kind_ == FILE_TYPE_PIPE &&
           !PeekNamedPipe(handle_, nullptr, 0, nullptr, nullptr, nullptr) &&
           GetLastError() == ERROR_BROKEN_PIPE;
  }
  int native_handle() const override { return fd_; }

 private:
  // Whether somebody types. Reading then waits for the end of the line: consoles show what is typed only
  // while they are read.
  bool HasKey() {
    INPUT_RECORD record;
    DWORD n = 0;
    while (PeekConsoleInputW(handle_, &record, 1, &n) && n == 1) {
      if (record.EventType == KEY_EVENT && record.Event.KeyEvent.bKeyDown &&
          record.Event.KeyEvent.uChar.UnicodeChar != 0) {
        return true;
      }
      ReadConsoleInputW(handle_, &record, 1, &n);  // the mouse, or the window's size
    }
    return false;
  }

  const int fd_;
  const HANDLE handle_;
  const DWORD kind_;
  const bool owned_;
  bool console_ = false;
};

}  // namespace

absl::StatusOr<std::shared_ptr<Stream>> DescriptorStream(int fd, bool owned) {
  const intptr_t value = fd < 0 ? -1 : _get_osfhandle(fd);
  const HANDLE handle = reinterpret_cast<HANDLE>(value);
  const DWORD kind = value < 0 ? FILE_TYPE_UNKNOWN : GetFileType(handle);
  if (kind == FILE_TYPE_UNKNOWN) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd, ": not open"));
  }
  return std::shared_ptr<Stream>(std::make_shared<HostStream>(fd, handle, kind, owned));
}

std::unique_ptr<Descriptor> MakeHostDescriptor(int fd, bool owned, Rights base,
                                               Rights /*inheriting*/, uint16_t flags) {
  auto stream = DescriptorStream(fd, owned);
  if (!stream.ok()) return nullptr;
  const Rights rights = base & RightsOf(**stream);
  return std::make_unique<StreamDescriptor>(*std::move(stream), rights, flags);
}

}  // namespace fermata::wasi
