// WASI programs that are saved while they wait, and go on elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "fermata/wasi/snapshot.h"
#include "tests/runtime/wasi/guest.h"

namespace fermata::wasi {
namespace {

using testing::HasSubstr;

class ProcessSnapshotTest : public testing::Test {
 protected:
  ProcessSnapshotTest() {
    folder_.MakeDirectory("sub");
    folder_.Write("sub/file", "0123456789");
  }

  static const ModuleInfo& Module() { return GuestModule(Answers::kBound); }
  Process::Options Options(const MemoryPipe& pipe) const {
    Process::Options options;
    options.config.args = {"program", "argument"};
    options.config.in = pipe.reader();
    options.config.mounts.push_back({"/", folder_.path(), false, {}});
    return options;
  }
  static uint8_t* Memory(Process& process) {
    return process.instance().FindMemory("memory")->data();
  }
  template <class T>
  static T Load(Process& process, uint32_t at) {
    T value;
    std::memcpy(&value, Memory(process) + at, sizeof value);
    return core::little(value);
  }
  static void Call(Process& process, const char* name, std::vector<Value> arguments) {
    const absl::Status status = process.Begin(name, arguments);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(process.Run(), Process::State::kFinished) << name << ": " << process.message();
    EXPECT_EQ(process.step().results()[0].i32(), 0u) << name;
  }
  // Opens sub/file through sub, goes to its byte 5, and waits for standard input.
  std::unique_ptr<Process> Waiting(const MemoryPipe& pipe) {
    auto made = Process::Create(Module(), Options(pipe));
    EXPECT_TRUE(made.ok()) << made.status();
    Process& p = **made;
    std::memcpy(Memory(p) + 1000, "subfile", 7);
    const auto i32 = [](uint32_t v) { return Value::I32(v); };
    const Rights reading = rights::kFdRead | rights::kFdSeek | rights::kFdTell;
    Call(p, "path_open",
         {i32(3), i32(0), i32(1000), i32(3), i32(oflags::kDirectory), Value::I64(rights::kPathOpen),
          Value::I64(reading), i32(0), i32(2000)});
    Call(p, "path_open",
         {i32(Load<uint32_t>(p, 2000)), i32(0), i32(1003), i32(4), i32(0), Value::I64(reading),
          Value::I64(0), i32(0), i32(2004)});
    Call(p, "fd_seek", {i32(Load<uint32_t>(p, 2004)), Value::I64(5), i32(0), i32(2008)});
    const uint32_t iovec[] = {core::little(uint32_t{3000}), core::little(uint32_t{10})};
    std::memcpy(Memory(p) + 2016, iovec, sizeof iovec);
    EXPECT_TRUE(p.Begin("fd_read", {{i32(0), i32(2016), i32(1), i32(2024)}}).ok());
    EXPECT_EQ(p.Run(), Process::State::kWaiting);
    return *std::move(made);
  }

  const testing_support::Folder folder_;
};

TEST_F(ProcessSnapshotTest, GoesOnWithItsFiles) {
  const MemoryPipe before;
  std::unique_ptr<Process> process = Waiting(before);
  const std::string bytes = *SaveProcess(*process);
  process = nullptr;

  MemoryPipe after;
  RestoreOptions options;
  options.process = Options(after);
  options.process.config.args = {"another"};
  auto restored = RestoreProcess(Module(), bytes, options);
  ASSERT_TRUE(restored.ok()) << restored.status();
  Process& p = **restored;
  EXPECT_EQ(p.Run(), Process::State::kWaiting);
  after.Write("abc");
  ASSERT_EQ(p.Run(), Process::State::kFinished) << p.message();
  EXPECT_EQ(Load<uint32_t>(p, 2024), 3u);
  EXPECT_EQ(std::string(reinterpret_cast<char*>(Memory(p)) + 3000, 3), "abc");
  // The file is where it was, the arguments are what they were.
  const uint32_t file = Load<uint32_t>(p, 2004);
  Call(p, "fd_read", {Value::I32(file), Value::I32(2016), Value::I32(1), Value::I32(2024)});
  EXPECT_EQ(std::string(reinterpret_cast<char*>(Memory(p)) + 3000, 5), "56789");
  Call(p, "args_sizes_get", {Value::I32(2000), Value::I32(2004)});
  EXPECT_EQ(Load<uint32_t>(p, 2000), 2u);
}

TEST_F(ProcessSnapshotTest, SaysWhatItCannotHaveAgain) {
  const MemoryPipe pipe;
  const std::string bytes = *SaveProcess(*Waiting(pipe));
  RestoreOptions options;
  options.process = Options(pipe);
  options.process.config.mounts.clear();
  EXPECT_THAT(RestoreProcess(Module(), bytes, options).status().message(),
              HasSubstr("descriptor 4"));
  options.process = Options(pipe);
  std::filesystem::remove(folder_ / "sub/file");
  EXPECT_THAT(RestoreProcess(Module(), bytes, options).status().message(), HasSubstr("sub/file"));
}

TEST_F(ProcessSnapshotTest, RefusesDamage) {
  const MemoryPipe pipe;
  const std::string bytes = *SaveProcess(*Waiting(pipe));
  RestoreOptions options;
  options.process = Options(pipe);
  ASSERT_TRUE(RestoreProcess(Module(), bytes, options).ok());
  for (size_t size = 0; size < bytes.size(); size += 3) {
    ASSERT_FALSE(RestoreProcess(Module(), bytes.substr(0, size), options).ok()) << size;
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    ASSERT_FALSE(RestoreProcess(Module(), damaged, options).ok()) << at;
  }
}

}  // namespace
}  // namespace fermata::wasi
