// Streams that live within the program.
#include <algorithm>
#include <cstring>
#include <utility>

#include "fermata/wasi/stream.h"

namespace fermata::wasi {

IoResult Stream::Read(absl::Span<const iovec>, bool) { return IoResult::Failed(Errno::kBadf); }
IoResult Stream::Write(absl::Span<const iovec>) { return IoResult::Failed(Errno::kBadf); }
Errno Stream::Accept(std::shared_ptr<Stream>&) { return Errno::kNotSock; }
Errno Stream::Shutdown(bool, bool) { return Errno::kNotSock; }

namespace {

class Null : public Stream {
 public:
  IoResult Read(absl::Span<const iovec>, bool) override { return {}; }
  IoResult Write(absl::Span<const iovec> buffers) override {
    uint64_t size = 0;
    for (const iovec& b : buffers) size += b.iov_len;
    return {Errno::kSuccess, size};
  }
};

// Copies from the front of `bytes` into the buffers: how many.
uint64_t CopyOut(absl::string_view bytes, absl::Span<const iovec> buffers) {
  uint64_t done = 0;
  for (const iovec& b : buffers) {
    const size_t n = std::min<size_t>(b.iov_len, bytes.size() - done);
    if (n != 0) memcpy(b.iov_base, bytes.data() + done, n);
    done += n;
  }
  return done;
}

// Appends at most `most` bytes from the buffers to `to`: how many.
uint64_t CopyIn(absl::Span<const iovec> buffers, uint64_t most, std::string& to) {
  uint64_t done = 0;
  for (const iovec& b : buffers) {
    const size_t n = std::min<uint64_t>(b.iov_len, most - done);
    to.append(static_cast<const char*>(b.iov_base), n);
    done += n;
  }
  return done;
}

class Bytes : public Stream {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  IoResult Read(absl::Span<const iovec> buffers, bool peek) override {
    const uint64_t n = CopyOut(absl::string_view(bytes_).substr(at_), buffers);
    if (!peek) at_ += n;
    return {Errno::kSuccess, n};
  }
  uint64_t Available() override { return bytes_.size() - at_; }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

class Collecting : public Stream {
 public:
  Collecting(std::string* output, uint64_t most) : output_(output), most_(most) {}
  IoResult Write(absl::Span<const iovec> buffers) override {
    const uint64_t room = most_ - std::min<uint64_t>(most_, output_->size());
    if (room == 0 && !buffers.empty()) return IoResult::Failed(Errno::kNoSpc);
    return {Errno::kSuccess, CopyIn(buffers, room, *output_)};
  }

 private:
  std::string* output_;
  uint64_t most_;
};

class Callbacks : public Stream {
 public:
  explicit Callbacks(StreamCallbacks callbacks) : callbacks_(std::move(callbacks)) {}
  IoResult Read(absl::Span<const iovec> buffers, bool peek) override {
    if (peek) return IoResult::Failed(Errno::kNotSup);
    return Each(callbacks_.read, buffers, [](const iovec& b) {
      return absl::Span<uint8_t>(static_cast<uint8_t*>(b.iov_base), b.iov_len);
    });
  }
  IoResult Write(absl::Span<const iovec> buffers) override {
    return Each(callbacks_.write, buffers, [](const iovec& b) {
      return absl::Span<const uint8_t>(static_cast<const uint8_t*>(b.iov_base), b.iov_len);
    });
  }
  bool CanRead() override { return callbacks_.can_read == nullptr || callbacks_.can_read(); }
  bool CanWrite() override { return callbacks_.can_write == nullptr || callbacks_.can_write(); }

 private:
  template <class Function, class ToSpan>
  static IoResult Each(const Function& function, absl::Span<const iovec> buffers, ToSpan span) {
    if (function == nullptr) return IoResult::Failed(Errno::kBadf);
    uint64_t done = 0;
    for (const iovec& b : buffers) {
      IoResult result = function(span(b));
      if (!result.ok()) return done != 0 ? IoResult{Errno::kSuccess, done} : result;
      // A callback that claims more than it was given room for is not believed.
      result.bytes = std::min<uint64_t>(result.bytes, b.iov_len);
      done += result.bytes;
      if (result.bytes < b.iov_len) break;
    }
    return {Errno::kSuccess, done};
  }

  StreamCallbacks callbacks_;
};

}  // namespace

std::shared_ptr<Stream> NullStream() { return std::make_shared<Null>(); }
std::shared_ptr<Stream> BytesStream(std::string bytes) {
  return std::make_shared<Bytes>(std::move(bytes));
}
std::shared_ptr<Stream> CollectingStream(std::string* output, uint64_t most) {
  return std::make_shared<Collecting>(output, most);
}
std::shared_ptr<Stream> CallbackStream(StreamCallbacks callbacks) {
  return std::make_shared<Callbacks>(std::move(callbacks));
}

// ---- MemoryPipe ----

struct MemoryPipe::State {
  uint64_t capacity;
  std::string bytes;
  bool closed = false;

  uint64_t Room() const { return capacity - std::min<uint64_t>(capacity, bytes.size()); }

  class Reader : public Stream {
   public:
    explicit Reader(std::shared_ptr<State> state) : state_(std::move(state)) {}
    IoResult Read(absl::Span<const iovec> buffers, bool peek) override {
      if (buffers.empty()) return {};
      if (!CanRead()) return IoResult::Failed(Errno::kAgain);
      const uint64_t n = CopyOut(state_->bytes, buffers);
      if (!peek) state_->bytes.erase(0, n);
      return {Errno::kSuccess, n};
    }
    bool CanRead() override { return !state_->bytes.empty() || state_->closed; }
    uint64_t Available() override { return state_->bytes.size(); }
    bool HungUp() override { return state_->closed; }

   private:
    std::shared_ptr<State> state_;
  };

  class Writer : public Stream {
   public:
    explicit Writer(std::shared_ptr<State> state) : state_(std::move(state)) {}
    IoResult Write(absl::Span<const iovec> buffers) override {
      if (state_->closed) return IoResult::Failed(Errno::kPipe);
      if (buffers.empty()) return {};
      if (!CanWrite()) return IoResult::Failed(Errno::kAgain);
      return {Errno::kSuccess, CopyIn(buffers, state_->Room(), state_->bytes)};
    }
    bool CanWrite() override { return state_->closed || state_->Room() != 0; }
    bool HungUp() override { return state_->closed; }

   private:
    std::shared_ptr<State> state_;
  };
};

MemoryPipe::MemoryPipe(uint64_t capacity) : state_(std::make_shared<State>()) {
  state_->capacity = std::max<uint64_t>(capacity, 1);
}
std::shared_ptr<Stream> MemoryPipe::reader() const {
  return std::make_shared<State::Reader>(state_);
}
std::shared_ptr<Stream> MemoryPipe::writer() const {
  return std::make_shared<State::Writer>(state_);
}
size_t MemoryPipe::Write(absl::string_view bytes) {
  if (state_->closed) return 0;
  const size_t n = std::min<uint64_t>(bytes.size(), state_->Room());
  state_->bytes.append(bytes.data(), n);
  return n;
}
std::string MemoryPipe::Read() { return std::exchange(state_->bytes, std::string()); }
void MemoryPipe::Close() { state_->closed = true; }

}  // namespace fermata::wasi
