#include "tests/runtime/wasi/guest.h"

#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "every_function.h"
#include "every_function_at_once.h"
#include "socket_functions.h"
#include "socket_functions_at_once.h"

namespace fermata::wasi {

void PrintTo(Errno error, std::ostream* out) { *out << "errno " << static_cast<unsigned>(error); }

void PrintTo(const Mode& mode, std::ostream* out) { *out << NameOfMode({mode, 0}); }

std::string NameOfMode(const testing::TestParamInfo<Mode>& info) {
  constexpr const char* kNames[] = {"bound", "suspended", "immediate"};
  return absl::StrCat(kNames[static_cast<int>(info.param.answers)],
                      info.param.openat2 ? "_openat2" : "_walking");
}

std::vector<Mode> BothAnswers() { return {{Answers::kBound, true}, {Answers::kSuspended, true}}; }
std::vector<Mode> AllModes() {
  return {{Answers::kBound, true},
          {Answers::kBound, false},
          {Answers::kSuspended, true},
          {Answers::kSuspended, false}};
}

const ModuleInfo& GuestModule(Answers answers) {
  return answers == Answers::kImmediate ? ::wasi::guests::EveryFunctionAtOnceModuleInfo()
                                        : ::wasi::guests::EveryFunctionModuleInfo();
}

const ModuleInfo& SocketGuestModule(Answers answers) {
  return answers == Answers::kImmediate ? ::wasi::guests::SocketFunctionsAtOnceModuleInfo()
                                        : ::wasi::guests::SocketFunctionsModuleInfo();
}

// ---- Guest ----

Guest::Guest(Config config, Answers answers, const ModuleInfo& module) {
  Process::Options options;
  options.config = std::move(config);
  options.always_suspend = answers == Answers::kSuspended;
  auto process = Process::Create(module, std::move(options));
  if (!process.ok()) {
    ADD_FAILURE() << process.status();
    abort();  // nothing that follows would make sense
  }
  process_ = *std::move(process);
}

Guest::~Guest() = default;

Process::State Guest::Begin(absl::string_view function, const std::vector<uint64_t>& arguments) {
  const ModuleInfo& info = process_->instance().info();
  std::vector<Value> values;
  for (uint32_t i = 0; i < info.import_count; ++i) {
    const core::ImportInfo& import = info.imports[i];
    if (absl::string_view(import.name.data, import.name.size) != function) continue;
    const core::FuncType& type = info.types[info.function_imports[import.index].type];
    for (uint32_t k = 0; k < type.param_count && k < arguments.size(); ++k) {
      values.push_back(type.params[k] == ValType::kI64
                           ? Value::I64(arguments[k])
                           : Value::I32(static_cast<uint32_t>(arguments[k])));
    }
  }
  EXPECT_EQ(values.size(), arguments.size()) << function;
  const absl::Status begun = process_->Begin(function, values);
  EXPECT_TRUE(begun.ok()) << function << ": " << begun;
  return process_->Run();
}

Errno Guest::ToEnd(Process::State state) {
  if (state == Process::State::kWaiting) {
    ADD_FAILURE() << "the call waits";
    process_->Abort("it waited");
    return Errno::kTimedOut;
  }
  return result();
}

Errno Guest::result() {
  if (state() != Process::State::kFinished) {
    ADD_FAILURE() << "the call has not returned: " << process_->message();
    return Errno::kCanceled;
  }
  absl::Span<const Value> results = process_->step().results();
  return results.empty() ? Errno::kSuccess : static_cast<Errno>(results[0].i32());
}

uint32_t Guest::size() {
  return static_cast<uint32_t>(process_->instance().FindMemory("memory")->size());
}

uint8_t* Guest::At(uint32_t address) {
  return process_->instance().FindMemory("memory")->data() + address;
}

uint32_t Guest::Room(uint32_t size, uint8_t fill) {
  const uint32_t at = top_;
  top_ += (size + 7) / 8 * 8 + 8;  // a gap, so that ranges don't touch
  EXPECT_LE(top_, this->size()) << "the test uses too much memory";
  memset(At(at), fill, top_ - at);  // the gap too: nothing may be written there
  return at;
}

uint32_t Guest::Put(absl::string_view bytes) {
  const uint32_t at = Room(static_cast<uint32_t>(bytes.size()));
  memcpy(At(at), bytes.data(), bytes.size());
  return at;
}

uint32_t Guest::Iovecs(std::initializer_list<std::pair<uint32_t, uint32_t>> list) {
  const uint32_t at = Room(static_cast<uint32_t>(8 * list.size()));
  uint32_t next = at;
  for (const auto& [address, size] : list) {
    Store(next, address);
    Store(next + 4, size);
    next += 8;
  }
  return at;
}

std::string Guest::Bytes(uint32_t address, uint32_t size) {
  return std::string(reinterpret_cast<const char*>(At(address)), size);
}

Errno Guest::Open(uint32_t dir, absl::string_view path, const Opening& how, uint32_t& fd) {
  const uint32_t at = Put(path), result = Room(4);
  const Errno error = Call("path_open", dir, how.follow, at, path.size(), how.oflags, how.base,
                           how.inheriting, how.fdflags, result);
  fd = error == Errno::kSuccess ? Load<uint32_t>(result) : ~0u;
  return error;
}

uint32_t Guest::MustOpen(uint32_t dir, absl::string_view path, const Opening& how) {
  uint32_t fd = ~0u;
  EXPECT_EQ(Open(dir, path, how, fd), Errno::kSuccess) << path;
  return fd;
}

Errno Guest::Read(uint32_t fd, uint32_t size, std::string& bytes) {
  const uint32_t buffer = Room(size), iovecs = Iovecs({{buffer, size}}), used = Room(4);
  const Errno error = Call("fd_read", fd, iovecs, 1, used);
  bytes = error == Errno::kSuccess ? Bytes(buffer, Load<uint32_t>(used)) : std::string();
  return error;
}

Errno Guest::Write(uint32_t fd, absl::string_view bytes, uint32_t* written) {
  const uint32_t size = static_cast<uint32_t>(bytes.size());
  const uint32_t iovecs = Iovecs({{Put(bytes), size}}), used = Room(4);
  const Errno error = Call("fd_write", fd, iovecs, 1, used);
  if (written != nullptr) *written = error == Errno::kSuccess ? Load<uint32_t>(used) : 0;
  return error;
}

Errno Guest::Path(absl::string_view function, uint32_t dir, absl::string_view path) {
  return Call(function, dir, Put(path), path.size());
}

Errno Guest::Rename(uint32_t dir, absl::string_view path, uint32_t to, absl::string_view new_path) {
  const uint32_t a = Put(path), b = Put(new_path);
  return Call("path_rename", dir, a, path.size(), to, b, new_path.size());
}

Errno Guest::Link(uint32_t dir, absl::string_view path, uint32_t to, absl::string_view new_path,
                  bool follow) {
  const uint32_t a = Put(path), b = Put(new_path);
  return Call("path_link", dir, follow, a, path.size(), to, b, new_path.size());
}

Errno Guest::Symlink(absl::string_view target, uint32_t dir, absl::string_view path) {
  const uint32_t a = Put(target), b = Put(path);
  return Call("path_symlink", a, target.size(), dir, b, path.size());
}

Errno Guest::ReadLink(uint32_t dir, absl::string_view path, std::string& target, uint32_t room) {
  const uint32_t at = Put(path), buffer = Room(room), used = Room(4);
  const Errno error = Call("path_readlink", dir, at, path.size(), buffer, room, used);
  target = error == Errno::kSuccess ? Bytes(buffer, Load<uint32_t>(used)) : std::string();
  return error;
}

FileStat Guest::LoadStat(uint32_t at) {
  FileStat stat;
  stat.dev = Load<uint64_t>(at);
  stat.ino = Load<uint64_t>(at + 8);
  stat.type = static_cast<FileType>(Load<uint8_t>(at + 16));
  stat.nlink = Load<uint64_t>(at + 24);
  stat.size = Load<uint64_t>(at + 32);
  stat.atim = Load<uint64_t>(at + 40);
  stat.mtim = Load<uint64_t>(at + 48);
  stat.ctim = Load<uint64_t>(at + 56);
  return stat;
}

Errno Guest::Stat(uint32_t dir, absl::string_view path, bool follow, FileStat& stat) {
  const uint32_t at = Put(path), result = Room(64);
  const Errno error = Call("path_filestat_get", dir, follow, at, path.size(), result);
  stat = LoadStat(result);
  return error;
}

Errno Guest::StatFd(uint32_t fd, FileStat& stat) {
  const uint32_t result = Room(64);
  const Errno error = Call("fd_filestat_get", fd, result);
  stat = LoadStat(result);
  return error;
}

Errno Guest::SetTimes(uint32_t dir, absl::string_view path, bool follow, uint64_t access,
                      uint64_t modify, uint32_t flags) {
  const uint32_t at = Put(path);
  return Call("path_filestat_set_times", dir, follow, at, path.size(), access, modify, flags);
}

Guest::FdStat Guest::MustFdStat(uint32_t fd) {
  const uint32_t at = Room(24);
  EXPECT_EQ(Call("fd_fdstat_get", fd, at), Errno::kSuccess) << fd;
  return {static_cast<FileType>(Load<uint8_t>(at)), Load<uint16_t>(at + 2), Load<uint64_t>(at + 8),
          Load<uint64_t>(at + 16)};
}

// ---- WasiTest ----

bool HasHostDirectories() {
  static const bool has = [] {
    const Folder folder;
    Config config;
    config.mounts.push_back({"/", folder.path(), false, {}});
    return !absl::IsUnimplemented(System::Create(std::move(config)).status());
  }();
  return has;
}

Guest& WasiTest::guest() {
  if (guest_ == nullptr) {
    config.use_openat2 = openat2();
    for (Mount& mount : config.mounts) {
      if (mount.host != folder.path() || HasHostDirectories()) continue;
      mount.host.clear();
      for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
        if (!entry.is_regular_file()) continue;
        const std::string path = entry.path().string();
        mount.files[entry.path().lexically_relative(folder.path()).generic_string()] =
            testing_support::ReadFile(path);
      }
    }
    guest_ = std::make_unique<Guest>(std::move(config), GetParam().answers, module());
  }
  return *guest_;
}

void WasiTest::MountFolder(absl::string_view name, bool read_only) {
  config.mounts.push_back({std::string(name), folder.path(), read_only, {}});
}

}  // namespace fermata::wasi
