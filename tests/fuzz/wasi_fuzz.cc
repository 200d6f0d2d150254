// All functions of WASI preview 1, called with arbitrary arguments by a guest whose memory is
// arbitrary. The bytes are a program: a call is the number of a function and a byte for each
// argument, which stands for a number that matters; 0xff and what follows writes into the memory.
//
// What a guest does to files stays beneath the mounted folder and is bounded by RLIMIT_FSIZE.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "fermata/wasi/process.h"
#include "fuzz_wasi.h"
#include "tests/fuzz/target.h"
#include "tests/support/files.h"

namespace fermata::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kMemory = 4 * 65536;
constexpr size_t kMostCalls = 64;

// The folder that is mounted, as each run finds it.
std::string MakeMount() {
  const fs::path folder = fs::path(ScratchFolder()) / "mount";
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  fs::create_directories(folder / "d" / "e");
  testing_support::WriteFile(folder / "f", "contents");
  fs::create_symlink("d/e", folder / "l", ignored);
  fs::create_symlink("../..", folder / "up", ignored);
  return folder.string();
}

void Fail(const std::string& what) {
  std::fprintf(stderr, "wasi_fuzz: %s\n", what.c_str());
  std::abort();
}

class Program {
 public:
  Program(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}

  void Run() {
    wasi::Config config;
    config.args = {"program", "argument"};
    config.env = {"A=b"};
    config.use_openat2 = Byte() % 2 == 0;
    config.max_descriptors = 40;
    config.mounts.push_back(wasi::Mount{"/m", MakeMount(), false, {}});
    config.mounts.push_back(wasi::Mount{"/r", MakeMount() + "/d", true, {}});
    wasi::Process::Options options;
    options.config = std::move(config);
    options.always_suspend = Byte() % 2 == 0;
    auto process = wasi::Process::Create(::fuzz::WasiModuleInfo(), std::move(options));
    if (!process.ok()) Fail(process.status().ToString());
    process_ = std::move(*process);
    for (size_t calls = 0; data_ != end_ && calls < kMostCalls; ++calls) {
      const uint8_t what = Byte();
      if (what == 0xff) {
        Write();
      } else if (!Call(what)) {
        return;
      }
    }
  }

 private:
  uint8_t Byte() { return data_ == end_ ? 0 : *data_++; }

  void Write() {
    const uint32_t at = Byte() * 16;
    const size_t length = std::min<size_t>(Byte(), static_cast<size_t>(end_ - data_));
    auto memory = process_->instance().FindMemory("memory");
    if (!memory.ok()) Fail("no memory");
    std::memcpy(memory->Span(at, length).data(), data_, length);
    data_ += length;
  }

  // Small numbers, addresses of what Write wrote, and places around the ends of memory and of
  // types.
  uint64_t Number(ValType type) {
    constexpr uint64_t kNumbers[] = {
        kMemory - 1,       kMemory - 4,  kMemory - 8, kMemory,   0x7fffffff, 0x80000000,
        0xffffffff,        0xfffffff8,   0x10000,     4096,      1000,       uint64_t{1} << 32,
        ~uint64_t{0} >> 1, ~uint64_t{0}, 0xffffff,    0x1fffffff};
    const uint8_t byte = Byte();
    const uint64_t number = byte < 0x40   ? byte
                            : byte < 0xf0 ? (byte - 0x40) * 8
                                          : kNumbers[byte - 0xf0];
    return type == ValType::kI32 ? number & 0xffffffff : number;
  }

  // Returns whether the guest goes on.
  bool Call(uint8_t what) {
    const ModuleInfo& info = ::fuzz::WasiModuleInfo();
    const core::ExportInfo& e = info.exports[what % info.export_count];
    if (e.kind != ExternKind::kFunction) return true;
    const absl::string_view name(e.name.data, e.name.size);
    absl::StatusOr<Extern> function = process_->instance().Find(name);
    if (!function.ok()) Fail(function.status().ToString());
    std::vector<Value> arguments;
    for (const ValType type : function->signature.params) {
      arguments.push_back({type, Number(type)});
    }
    const absl::Status begun = process_->Begin(name, arguments);
    if (!begun.ok()) Fail(begun.ToString());
    // A call that waits is tried once more, and then given up, with its guest.
    wasi::Process::State state = process_->Run();
    if (state == wasi::Process::State::kWaiting) state = process_->Run();
    return state == wasi::Process::State::kFinished;
  }

  const uint8_t* data_;
  const uint8_t* const end_;
  std::unique_ptr<wasi::Process> process_;
};

void Once() {
  const rlimit limit = {1 << 20, 1 << 20};
  setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace

std::vector<std::string> Seeds() {
  const ModuleInfo& info = ::fuzz::WasiModuleInfo();
  std::vector<std::string> seeds;
  // Each function once, with a path, an iovec and a subscription in memory.
  std::string memory;
  const auto write = [&](uint8_t at, const std::string& bytes) {
    memory +=
        std::string("\xff", 1) + static_cast<char>(at) + static_cast<char>(bytes.size()) + bytes;
  };
  write(1, "d/e/../new");                                        // at 16
  write(4, std::string("\x00\x01\x00\x00\x20\x00\x00\x00", 8));  // at 64: an iovec
  write(8, "l");
  std::string subscription(48, '\0');
  subscription[16] = 1;
  write(12, subscription);
  for (uint32_t i = 0; i < info.export_count; ++i) {
    const std::string call{static_cast<char>(i), 3, 1, 0x42, 10, 0x48, 2, 0x50, 0x42, 1};
    seeds.push_back(std::string(2, '\0') + memory + call);
    seeds.push_back(std::string(2, '\1') + memory + call + seeds.front().substr(2));
  }
  return seeds;
}

}  // namespace fermata::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool once = (fermata::fuzz::Once(), true);
  (void)once;
  fermata::fuzz::Program(data, size).Run();
  return 0;
}
