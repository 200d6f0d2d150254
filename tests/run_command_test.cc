// `fermata run` and `fermata compile` as their users meet them. The recorded WASI commands are run
// in guests/; here is what goes wrong, and what small modules do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "translator/driver/process.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// Writes "hello\n"; exits with the number of its arguments.
constexpr char kHello[] = R"((module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello\n")
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $args_sizes_get (i32.const 32) (i32.const 36)))
    (call $proc_exit (i32.load (i32.const 32)))))
)";

// A library: functions of numbers, one that traps, and what has to run before them.
constexpr char kLibrary[] = R"((module
  (memory (export "memory") 1)
  (global $ready (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.const 1)))
  (func (export "ready") (result i32) (global.get $ready))
  (func (export "mix") (param i32 i64 f32 f64) (result i64 f64)
    (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1))
    (f64.add (f64.promote_f32 (local.get 2)) (local.get 3)))
  (func (export "crash") (unreachable)))
)";

// Runs for ever, sleeps for an hour, or counts.
constexpr char kSlow[] = R"((module
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (loop $again (br $again)))
  (func (export "sleep")
    (i32.store (i32.const 16) (i32.const 1))               ;; the monotonic clock
    (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll_oneoff (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128))))
  (func (export "count") (param $n i32) (result i32)
    (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i)))
)";

constexpr char kForeign[] = R"((module
  (import "env" "first" (func (param i32)))
  (import "env" "second" (memory 1))
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (import "wasi_snapshot_preview1" "fd_teleport" (func))
  (func (export "_start")))
)";

// Opens a socket, binds it to 127.0.0.1, and exits with the error.
constexpr char kBinds[] = R"((module
  (import "wasi_snapshot_preview1" "sock_open"
    (func $sock_open (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_bind" (func $sock_bind (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\00\00\00\7f\00\00\01\00\00")
  (func (export "_start")
    (drop (call $sock_open (i32.const -1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (call $proc_exit (call $sock_bind (i32.load (i32.const 32)) (i32.const 0)))))
)";

class RunCommand : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string(FERMATA_WAT2WASM).empty()) GTEST_SKIP() << "no wat2wasm";
    dir_ = fs::path(testing::TempDir()) /
           absl::StrCat("fermata_run_", getpid(), "_",
                        testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override {
    if (!dir_.empty()) fs::remove_all(dir_);
  }

  // The path of a module of this text.
  std::string Module(const std::string& name, const char* text) {
    const fs::path wat = dir_ / (name + ".wat"), wasm = dir_ / (name + ".wasm");
    std::ofstream(wat) << text;
    const auto made = driver::RunProcess({FERMATA_WAT2WASM, wat, "-o", wasm});
    EXPECT_TRUE(made.ok() && made->exit_code == 0) << (made.ok() ? made->output : "");
    return wasm;
  }
  // Standard output and error, as they came. Not optimized: compiling takes most of the time.
  driver::ProcessResult Fermata(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FERMATA_TRANSLATOR);
    arguments.insert(arguments.begin() + 2, "--opt=-O0");
    if (arguments[1] == "run") {
      arguments.insert(arguments.begin() + 2, "--cache=" + (dir_ / "cache").string());
    }
    const auto result = driver::RunProcess(arguments);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : driver::ProcessResult();
  }
  std::vector<std::string> CachedLibraries() const {
    std::vector<std::string> names;
    if (!fs::exists(dir_ / "cache")) return names;
    for (const auto& entry : fs::directory_iterator(dir_ / "cache")) {
      if (entry.path().extension() != ".note") names.push_back(entry.path().filename());
    }
    return names;
  }

  fs::path dir_;
};

TEST_F(RunCommand, OutputArgumentsAndExitStatus) {
  const std::string wasm = Module("hello", kHello);
  const auto first = Fermata({"run", wasm, "--", "one", "--two", "-3"});
  EXPECT_EQ(first.exit_code, 4);
  EXPECT_EQ(first.output, "hello\n");
  const auto second = Fermata({"run", wasm});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_EQ(second.output, "hello\n");
  EXPECT_THAT(CachedLibraries(), testing::SizeIs(1));
  EXPECT_EQ(Fermata({"run", wasm, "--suspend-all"}).exit_code, 1);
  EXPECT_THAT(CachedLibraries(), testing::SizeIs(2));
}

TEST_F(RunCommand, AChangedModuleIsCompiledAgain) {
  const std::string wasm = Module("hello", kHello);
  EXPECT_EQ(Fermata({"run", wasm}).output, "hello\n");
  std::string other = kHello;
  other.replace(other.find("hello"), 5, "howdy");
  Module("hello", other.c_str());
  EXPECT_EQ(Fermata({"run", wasm}).output, "howdy\n");
  Module("hello", kHello);
  EXPECT_EQ(Fermata({"run", wasm}).output, "hello\n");
  EXPECT_THAT(CachedLibraries(), testing::SizeIs(2));
}

TEST_F(RunCommand, Invoke) {
  const std::string wasm = Module("library", kLibrary);
  const auto mixed = Fermata({"run", wasm, "--invoke", "mix", "--", "-1", "0x10", "1.5", "-2.25"});
  EXPECT_EQ(mixed.exit_code, 0);
  EXPECT_EQ(mixed.output, "15\n-0.75\n");
  EXPECT_EQ(Fermata({"run", wasm, "--invoke=ready"}).output, "1\n");
  const auto crashed = Fermata({"run", wasm, "--invoke=crash"});
  EXPECT_EQ(crashed.exit_code, 134);
  EXPECT_EQ(crashed.output, "fermata: trap: unreachable\n");
}

TEST_F(RunCommand, WrongInvocations) {
  const std::string wasm = Module("library", kLibrary);
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{"--invoke=mix", "--", "1"}, "mix takes 4 arguments, not 1"},
      {{"--invoke=mix", "--", "1", "x", "3", "4"}, "argument 2 of mix, \"x\", is not an i64"},
      {{"--invoke=mix", "--", "4294967296", "2", "3", "4"}, "argument 1 of mix"},
      {{"--invoke=mix", "--", "-2147483649", "2", "3", "4"}, "argument 1 of mix"},
      {{"--invoke=none"}, "there are: _initialize, ready, mix, crash"},
      {{}, "not a WASI command: no export \"_start\""},
      {{"--dir", "::/x"}, "expected HOST::GUEST"},
      {{"--invoke=ready", "--dir", "/no/such/folder"}, "cannot open the directory /no/such/folder"},
      {{"--listen", "nowhere"}, "expected HOST:PORT"},
      {{"--invoke=ready", "--fuel=0"}, "--fuel: not a positive number"},
      {{"--invoke=ready", "--timeout=0"}, "--timeout: not a number of seconds"},
      {{"--invoke=ready", "--timeout=nan"}, "--timeout: not a number of seconds"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> arguments = {"run", wasm};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const auto result = Fermata(arguments);
    EXPECT_EQ(result.exit_code, 1) << c.message;
    EXPECT_THAT(result.output, testing::StartsWith("fermata: ")) << c.message;
    EXPECT_THAT(result.output, HasSubstr(c.message));
  }
}

TEST_F(RunCommand, Fuel) {
  const std::string wasm = Module("slow", kSlow);
  const auto endless = Fermata({"run", wasm, "--fuel=1000000"});
  EXPECT_EQ(endless.exit_code, 124);
  EXPECT_EQ(endless.output, "fermata: the guest is out of fuel\n");
  EXPECT_EQ(Fermata({"run", wasm, "--fuel=99", "--invoke=count", "--", "100"}).output, "100\n");
  const auto one_less = Fermata({"run", wasm, "--fuel=98", "--invoke=count", "--", "100"});
  EXPECT_EQ(one_less.exit_code, 124);
  EXPECT_EQ(one_less.output, "fermata: the guest is out of fuel\n");
  EXPECT_THAT(CachedLibraries(), testing::SizeIs(1)) << "what fuel there is, is no part of the key";
}

TEST_F(RunCommand, Timeout) {
  const std::string wasm = Module("slow", kSlow);
  const auto start = std::chrono::steady_clock::now();
  for (const char* call : {"_start", "sleep"}) {
    const auto result = Fermata({"run", wasm, "--timeout=0.2", absl::StrCat("--invoke=", call)});
    EXPECT_EQ(result.exit_code, 124) << call;
    EXPECT_EQ(result.output, "fermata: the guest's time is up\n") << call;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::minutes(10));
  const auto both = Fermata({"run", wasm, "--timeout=600", "--fuel=10"});
  EXPECT_EQ(both.exit_code, 124);
  EXPECT_EQ(both.output, "fermata: the guest is out of fuel\n");
  const auto in_time = Fermata({"run", wasm, "--timeout=600", "--invoke=count", "--", "7"});
  EXPECT_EQ(in_time.exit_code, 0);
  EXPECT_EQ(in_time.output, "7\n");
  EXPECT_EQ(Fermata({"run", wasm, "--invoke=count", "--", "7"}).output, "7\n");
  EXPECT_THAT(CachedLibraries(), testing::SizeIs(3)) << "unlimited, interruptible, with fuel";
}

TEST_F(RunCommand, AllMissingImportsAreListedBeforeAnythingIsCompiled) {
  const auto result = Fermata({"run", Module("foreign", kForeign)});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("\n  env.first\n  env.second\n"));
  EXPECT_THAT(result.output, HasSubstr("\n  wasi_snapshot_preview1.fd_teleport\n"));
  EXPECT_THAT(result.output, Not(HasSubstr("proc_exit")));
  EXPECT_THAT(CachedLibraries(), testing::IsEmpty());
}

TEST_F(RunCommand, NoCompiler) {
  const auto result = Fermata({"run", Module("hello", kHello), "--compiler=/no/such/compiler"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("cannot run /no/such/compiler"));
  EXPECT_THAT(CachedLibraries(), testing::IsEmpty());
}

TEST_F(RunCommand, BadModules) {
  const fs::path bad = dir_ / "bad.wasm";
  std::ofstream(bad) << "not wasm at all";
  for (const char* command : {"run", "compile"}) {
    std::vector<std::string> arguments = {command, bad};
    if (arguments[0] == "compile") arguments.insert(arguments.end(), {"-o", dir_ / "app"});
    const auto result = Fermata(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, HasSubstr("bad.wasm"));
    arguments[1] = (dir_ / "absent.wasm").string();
    EXPECT_THAT(Fermata(arguments).output, HasSubstr("absent.wasm: cannot"));
  }
  EXPECT_FALSE(fs::exists(dir_ / "app"));
  EXPECT_THAT(CachedLibraries(), testing::IsEmpty());
}

TEST_F(RunCommand, CompileMakesAnExecutable) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the executable would have to be linked with the sanitizer, too";
#endif
  const fs::path app = dir_ / "app";
  const auto made = Fermata({"compile", Module("hello", kHello), "-o", app, "--env=X=\"\\\n?"});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(made.output, "");
  const auto ran = driver::RunProcess({app, "a", "b"});
  ASSERT_TRUE(ran.ok());
  EXPECT_EQ(ran->exit_code, 3);
  EXPECT_EQ(ran->output, "hello\n");
  // Nothing of the build is left beside it.
  for (const auto& entry : fs::directory_iterator(dir_)) {
    EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith("build-")));
  }
}

// Sockets of the guest's own reach what they are allowed to, built in or not.
TEST_F(RunCommand, AllowsTheNetworkByRules) {
  const std::string module = Module("binds", kBinds);
  EXPECT_EQ(Fermata({"run", module}).exit_code, 2);
  EXPECT_EQ(Fermata({"run", "--allow-net=[::1],127.0.0.2:*", module}).exit_code, 2);
  EXPECT_EQ(
      Fermata({"run", "--allow-net=10.0.0.0/8", "--allow-net=listen:127.0.0.1", module}).exit_code,
      0);
  const auto wrong = Fermata({"run", "--allow-net=example.org:80", module});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.output, HasSubstr("--allow-net \"example.org:80\": a name may be resolved"));
  const std::string program = dir_ / "program";
  ASSERT_EQ(Fermata({"compile", "--allow-net=127.0.0.1:0", module, "-o", program}).exit_code, 0);
  const auto ran = driver::RunProcess({program});
  ASSERT_TRUE(ran.ok()) << ran.status();
  EXPECT_EQ(ran->exit_code, 0) << ran->output;
}

}  // namespace
}  // namespace fermata
