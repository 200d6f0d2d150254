// Where a WASI guest's bytes come from and go to: its standard streams, pipes and sockets.
//
// A stream never blocks: what can't be done now is Errno::kAgain, and the guest's call suspends
// until the stream may be ready.
#ifndef FERMATA_WASI_STREAM_H_
#define FERMATA_WASI_STREAM_H_

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "fermata/wasi/types.h"

namespace fermata::wasi {

class Stream {
 public:
  virtual ~Stream() = default;

  // Fills the buffers in order: how many bytes, 0 at the end of the stream. `peek`: they stay there
  // (sockets only).
  virtual IoResult Read(absl::Span<const iovec> buffers, bool peek);
  // Takes from the buffers in order: how many bytes, at least one unless all are empty.
  virtual IoResult Write(absl::Span<const iovec> buffers);
  // A listening socket: the next connection.
  virtual Errno Accept(std::shared_ptr<Stream>& connection);
  virtual Errno Shutdown(bool read, bool write);

  // What a guest's fstat says.
  virtual FileType type() const { return FileType::kUnknown; }
  // What a guest's isatty says: programs then ask and answer line by line, print prompts and
  // colours.
  virtual bool is_terminal() const { return type() == FileType::kCharacterDevice; }
  // Whether Read (Write) would do something else than kAgain. For streams without a native handle.
  virtual bool CanRead() { return true; }
  virtual bool CanWrite() { return true; }
  // Bytes that can be read at once; 0 if that isn't known.
  virtual uint64_t Available() { return 0; }
  // The other side is gone: nothing more will come, or nobody takes what is written.
  virtual bool HungUp() { return false; }
  // The descriptor to poll for readiness; -1: the embedder knows when to go on.
  virtual int native_handle() const { return -1; }
  // The host's socket, for what is done with a socket itself (addresses, options, datagrams with
  // their senders); -1: there is none, or it is not the guest's to change.
  virtual int native_socket() const { return -1; }
};

// Nothing to read; what is written is dropped.
std::shared_ptr<Stream> NullStream();
// Reads these bytes.
std::shared_ptr<Stream> BytesStream(std::string bytes);
// Appends what is written to `*output`, which outlives the stream; at most `most` bytes, then
// kNoSpc.
std::shared_ptr<Stream> CollectingStream(std::string* output, uint64_t most = uint64_t{1} << 32);

// Calls functions of the host. Each returns as Stream's method does; a null one: kBadf.
struct StreamCallbacks {
  std::function<IoResult(absl::Span<uint8_t>)> read;
  std::function<IoResult(absl::Span<const uint8_t>)> write;
  std::function<bool()> can_read;  // null: always
  std::function<bool()> can_write;
};
std::shared_ptr<Stream> CallbackStream(StreamCallbacks callbacks);

// A file descriptor of the host's: a pipe, terminal, socket or other device. An owned one is closed
// with the stream, and is made non-blocking; else it may be shared with other programs, is left as
// it is, and is polled before each use. Error: not an open descriptor.
absl::StatusOr<std::shared_ptr<Stream>> DescriptorStream(int fd, bool owned);

// A bounded pipe within the program. The guest has one side, the host the other; whoever finds it
// empty or full tries again later. For one thread.
class MemoryPipe {
 public:
  explicit MemoryPipe(uint64_t capacity = 64 * 1024);
  // The sides of a guest: one that reads what the host writes, and one for the other way.
  std::shared_ptr<Stream> reader() const;
  std::shared_ptr<Stream> writer() const;
  // The host's side: how many bytes fitted; all that is there.
  size_t Write(absl::string_view bytes);
  std::string Read();
  // No more will be written: a reader finds the end.
  void Close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_STREAM_H_
