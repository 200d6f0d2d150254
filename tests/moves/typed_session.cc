// WASI programs that read lines and answer them.
#include "absl/strings/str_cat.h"
#include "fermata/wasi/snapshot.h"
#include "tests/moves/session.h"

namespace fermata::moves {
namespace {

using wasi::Errno;
using wasi::IoResult;

// What the streams of a program have in common.
struct Terminal {
  absl::string_view input;  // all of it
  std::string* output = nullptr;
  // Whether the next read or write is done. Each shuts it again.
  bool open = false;
  uint64_t read = 0, written = 0;  // since the program began, on whichever machines
};

// One of the three standard streams.
class TerminalStream : public wasi::Stream {
 public:
  explicit TerminalStream(Terminal& terminal) : terminal_(terminal) {}
  wasi::FileType type() const override { return wasi::FileType::kCharacterDevice; }

  // A line at a time.
  IoResult Read(absl::Span<const iovec> buffers, bool peek) override {
    if (peek) return IoResult::Failed(Errno::kNotSup);
    if (!Pass()) return IoResult::Failed(Errno::kAgain);
    absl::string_view line = terminal_.input.substr(terminal_.read);
    line = line.substr(0, line.find('\n') + 1);
    uint64_t size = 0;
    for (const iovec& buffer : buffers) {
      size += line.copy(static_cast<char*>(buffer.iov_base), buffer.iov_len, size);
    }
    terminal_.output->append(line.data(), size);  // terminals echo
    terminal_.read += size;
    return {Errno::kSuccess, size};
  }
  IoResult Write(absl::Span<const iovec> buffers) override {
    if (!Pass()) return IoResult::Failed(Errno::kAgain);
    uint64_t size = 0;
    for (const iovec& buffer : buffers) {
      terminal_.output->append(static_cast<const char*>(buffer.iov_base), buffer.iov_len);
      size += buffer.iov_len;
    }
    terminal_.written += size;
    return {Errno::kSuccess, size};
  }

 private:
  bool Pass() { return std::exchange(terminal_.open, false); }
  Terminal& terminal_;
};

// A millisecond for each byte that was read or written: the same time wherever the program is.
class TerminalClock : public wasi::Clock {
 public:
  explicit TerminalClock(const Terminal& terminal) : terminal_(terminal) {}
  Errno Now(wasi::ClockId id, uint64_t& time) override {
    if (id > wasi::ClockId::kThreadCpu) return Errno::kInval;
    time = (terminal_.read + terminal_.written) * 1'000'000;
    if (id == wasi::ClockId::kRealtime) time += 1'000'000'000'000'000'000;
    return Errno::kSuccess;
  }
  Errno Resolution(wasi::ClockId, uint64_t& resolution) override {
    resolution = 1'000'000;
    return Errno::kSuccess;
  }

 private:
  const Terminal& terminal_;
};

class TypedSession : public Session {
 public:
  TypedSession(const ModuleInfo& info, Typed typed) : info_(info), typed_(std::move(typed)) {
    terminal_.input = typed_.input;
    terminal_.output = &output_;
  }

  absl::Status Begin() override {
    auto process = wasi::Process::Create(info_, Options());
    if (!process.ok()) return process.status();
    process_ = *std::move(process);
    return Run();
  }

  absl::Status Restore(absl::string_view bytes) override {
    wasi::RestoreOptions options;
    options.process = Options();
    options.host.most_bytes = 1 << 26;
    options.host.most_instances = 8;
    options.stream = [&](const wasi::SavedStream& stream) {
      terminal_.read += stream.bytes_read;
      terminal_.written += stream.bytes_written;
      return std::shared_ptr<wasi::Stream>();  // that of Options()
    };
    auto process = wasi::RestoreProcess(info_, bytes, std::move(options));
    if (!process.ok()) return process.status();
    process_ = *std::move(process);
    if (terminal_.read > terminal_.input.size()) {
      return absl::InvalidArgumentError("the program has read more than there is");
    }
    return absl::OkStatus();
  }

  bool held() const override { return process_->state() == wasi::Process::State::kWaiting; }

  absl::Status Advance() override {
    terminal_.open = true;
    return Run();
  }

  absl::StatusOr<std::string> Save(const SaveOptions& options) override {
    return wasi::SaveProcess(*process_, options);
  }
  // Whoever tampers with an interpreter can make it loop for ever.
  bool always_yields() const override { return false; }
  StoreHandle& store() override { return process_->store(); }
  absl::Span<const DynamicStep> steps() override {
    return absl::MakeConstSpan(&process_->step(), held() ? 1 : 0);
  }

 private:
  wasi::Process::Options Options() {
    wasi::Process::Options options;
    wasi::Config& config = options.config;
    config.args = typed_.args;
    config.in = std::make_shared<TerminalStream>(terminal_);
    config.out = std::make_shared<TerminalStream>(terminal_);
    config.err = std::make_shared<TerminalStream>(terminal_);
    config.clock = std::make_shared<TerminalClock>(terminal_);
    config.random = [this](absl::Span<uint8_t> bytes) {
      return wasi::DeterministicRandom(terminal_.read + terminal_.written)(bytes);
    };
    wasi::Mount mount;
    mount.guest = "/w";
    mount.files = typed_.files;
    config.mounts.push_back(std::move(mount));
    options.limits.memory_pages = 1000;
    options.limits.table_elements = 100000;
    options.limits.frame_bytes = 1 << 20;
    return options;
  }

  absl::Status Run() {
    process_->Run();
    if (held()) {
      return terminal_.open ? absl::InternalError("the program waits for something else")
                            : absl::OkStatus();
    }
    absl::StrAppend(&output_, "exit status ", process_->exit_code(), "\n");
    if (!process_->message().empty()) absl::StrAppend(&output_, process_->message(), "\n");
    return absl::OkStatus();
  }

  const ModuleInfo& info_;
  const Typed typed_;
  Terminal terminal_;
  std::unique_ptr<wasi::Process> process_;
};

}  // namespace

std::unique_ptr<Session> MakeTypedSession(const ModuleInfo& info, Typed typed) {
  return std::make_unique<TypedSession>(info, std::move(typed));
}

}  // namespace fermata::moves
