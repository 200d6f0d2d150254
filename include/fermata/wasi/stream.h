// Where a WASI guest's bytes come from and go to: its standard streams, pipes and sockets.
//
// A stream never blocks. An operation that can't be done now returns Errno::kAgain, and the guest's
// call suspends until the stream may be ready.
#ifndef FERMATA_WASI_STREAM_H_
#define FERMATA_WASI_STREAM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fermata/wasi/iovec.h"
#include "fermata/wasi/types.h"

namespace fermata::wasi {

// Streams of the host's own derive from this, and override what they support.
class Stream {
 public:
  virtual ~Stream() = default;

  // Fills the buffers in order. Returns the number of bytes, which is 0 at the end of the stream.
  // `peek`: the bytes stay in the stream (sockets only).
  virtual IoResult Read(absl::Span<const iovec> buffers, bool peek);
  // Writes the buffers in order. Returns the number of bytes, at least one unless all buffers are
  // empty.
  virtual IoResult Write(absl::Span<const iovec> buffers);
  // Accepts the next connection of a listening socket.
  virtual Errno Accept(std::shared_ptr<Stream>& connection);
  virtual Errno Shutdown(bool read, bool write);

  // The type that a guest's fstat reports.
  virtual FileType type() const { return FileType::kUnknown; }
  // What a guest's isatty returns. If it is true, programs read and write line by line, and print
  // prompts and colours.
  virtual bool is_terminal() const { return type() == FileType::kCharacterDevice; }
  // Whether Read (Write) would return something else than kAgain. For streams without a native
  // handle.
  virtual bool CanRead() { return true; }
  virtual bool CanWrite() { return true; }
  // How many bytes can be read at once; 0 if that isn't known.
  virtual uint64_t Available() { return 0; }
  // Whether the other side is gone, so that nothing more will come, or nobody reads what is
  // written.
  virtual bool HungUp() { return false; }
  // The descriptor to poll for readiness; -1 if there is none: the host then says when it is ready.
  virtual int native_handle() const { return -1; }
  // The host's socket, for operations on the socket itself (addresses, options, datagrams with
  // their senders); -1 if there is none, or the guest must not change it.
  virtual int native_socket() const { return -1; }
};

// Has nothing to read, and drops what is written.
std::shared_ptr<Stream> NullStream();
// Reads these bytes.
std::shared_ptr<Stream> BytesStream(std::string bytes);
// Appends what is written to `*output`, which must outlive the stream. After `most` bytes: kNoSpc.
std::shared_ptr<Stream> CollectingStream(std::string* output, uint64_t most = uint64_t{1} << 32);

// Calls functions of the host. Each returns what Stream's method does; a null one means kBadf.
struct StreamCallbacks {
  std::function<IoResult(absl::Span<uint8_t>)> read;
  std::function<IoResult(absl::Span<const uint8_t>)> write;
  std::function<bool()> can_read;  // null: always
  std::function<bool()> can_write;
};
// A stream that calls these functions.
std::shared_ptr<Stream> CallbackStream(StreamCallbacks callbacks);

// A file descriptor of the host: a pipe, terminal, socket or other device. If it is owned, it is
// made non-blocking, and closed with the stream. Otherwise it may be shared with other programs: it
// is left as it is, and polled before each use. Error: not an open descriptor.
absl::StatusOr<std::shared_ptr<Stream>> DescriptorStream(int fd, bool owned);

// A bounded pipe within the program. The guest has one side and the host the other; a side that
// finds it empty or full tries again later. For one thread.
class MemoryPipe {
 public:
  explicit MemoryPipe(uint64_t capacity = 64 * 1024);
  // The guest's sides: one reads what the host writes, the other one writes what the host reads.
  std::shared_ptr<Stream> reader() const;
  std::shared_ptr<Stream> writer() const;
  // The host's side. Write returns how many bytes fitted; Read takes all that is there.
  size_t Write(absl::string_view bytes);
  std::string Read();
  // Nothing more will be written: the reader finds the end of the stream.
  void Close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_STREAM_H_
