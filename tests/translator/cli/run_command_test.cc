// `fermata run` and `fermata compile` as their users meet them. The recorded WASI commands are run
// in guests/; here is what goes wrong, and what small modules do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing_support::MustRun;
using testing_support::ReadFile;

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

// Leaves in its start function, through a table.
constexpr char kLeaving[] = R"((module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 0) $exit)
  (type $code (func (param i32)))
  (func $deep (param i32)
    (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
      (else (call_indirect (type $code) (i32.const 7) (i32.const 0)))))
  (func $begin (call $deep (i32.const 9)))
  (start $begin)
  (func (export "_start") (call $exit (i32.const 9))))
)";

// Exits with the status that its second argument is; without one, with 1 if standard input is
// what C libraries take for a terminal.
constexpr char kStatus[] = R"((module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $number (param $at i32) (result i32)
    (local $n i32)
    (block $end
      (loop $digit
        (br_if $end (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10))
                               (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $digit)))
    (local.get $n))
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (drop (call $args_get (i32.const 16) (i32.const 64)))
    (if (i32.eq (i32.load (i32.const 0)) (i32.const 2))
      (then (call $exit (call $number (i32.load (i32.const 20))))))
    (drop (call $stat (i32.const 0) (i32.const 1024)))
    (call $exit (i32.and (i32.eq (i32.load8_u (i32.const 1024)) (i32.const 2))
                         (i64.eqz (i64.and (i64.load (i32.const 1032)) (i64.const 0x24)))))))
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
  void SetUp() override { FERMATA_SKIP_WITHOUT_WAT2WASM(); }

  // The path of a module of this text.
  std::string Module(const std::string& name, const char* text) {
    const std::string wasm = dir_ / (name + ".wasm");
    testing_support::Assemble(text, wasm, {"--enable-tail-call"});
    return wasm;
  }
  // Standard output and error, as they came. Not optimized: compiling takes most of the time.
  process::Result Fermata(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, "--opt=-O0");
    if (arguments[0] == "run") arguments.insert(arguments.begin() + 1, "--cache=" + dir_ / "cache");
    return testing_support::RunFermata(std::move(arguments));
  }
  std::vector<std::string> CachedLibraries() const {
    std::vector<std::string> names;
    if (!fs::exists(dir_ / "cache")) return names;
    for (const auto& entry : fs::directory_iterator(dir_ / "cache")) {
      if (entry.path().extension() != ".note") names.push_back(entry.path().filename());
    }
    return names;
  }

  testing_support::Folder dir_;
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
  EXPECT_EQ(crashed.output, "fermata: library.wasm: trap: unreachable\n#0  f3, or called by it\n");
  // What is called before anything else, once, unless it is not wanted.
  EXPECT_EQ(Fermata({"run", wasm, "--no-initialize", "--invoke=ready"}).output, "0\n");
}

TEST_F(RunCommand, AStartFunctionEndsTheProgram) {
  const std::string wasm = Module("leaving", kLeaving);
  for (const char* mode : {"--env=A=B", "--suspend-all", "--restore-all"}) {
    const auto ran = Fermata({"run", wasm, mode});
    EXPECT_EQ(ran.exit_code, 7) << mode;
    EXPECT_EQ(ran.output, "") << mode;
  }
  // It may be all there is to the program.
  const std::string only = Module("only", R"((module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func $begin (call $exit (i32.const 8)))
    (start $begin)))");
  EXPECT_EQ(Fermata({"run", only}).exit_code, 8);
  const std::string nothing = Module("nothing", "(module (func $begin) (start $begin))");
  const auto done = Fermata({"run", nothing});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_EQ(done.output, "");
  const auto library = Fermata(
      {"run", Module("lib", "(module (func $begin) (start $begin) (func (export \"f\")))")});
  EXPECT_EQ(library.exit_code, 1);
  EXPECT_THAT(library.output, HasSubstr("lib.wasm: not a WASI command: no export \"_start\""));
}

// As one in "_start" does.
TEST_F(RunCommand, AStartFunctionTraps) {
  const std::string wasm = Module("traps", R"((module
    (memory (export "memory") 1)
    (func $begin unreachable)
    (start $begin)
    (func (export "_start"))))");
  const std::string plain = Module("plain", R"((module
    (memory (export "memory") 1)
    (func (export "_start") unreachable)))");
  for (const char* mode : {"--env=A=B", "--suspend-all", "--restore-all"}) {
    const auto trapped = Fermata({"run", wasm, mode});
    EXPECT_EQ(trapped.exit_code, 134) << mode;
    EXPECT_THAT(trapped.output,
                testing::MatchesRegex("fermata: traps.wasm: trap: unreachable\n#0  f0.*\n"));
    const auto other = Fermata({"run", plain, mode});
    EXPECT_EQ(other.exit_code, 134) << mode;
    EXPECT_THAT(other.output,
                testing::MatchesRegex("fermata: plain.wasm: trap: unreachable\n#0  f0.*\n"));
  }
}

// Before anything runs: what active segments say has to be somewhere.
TEST_F(RunCommand, AnInitializationTraps) {
  const struct {
    const char* name;
    const char* text;
    const char* reason;
  } cases[] = {
      {"data.wasm", R"((module
         (memory (export "memory") 1)
         (data (i32.const 65536) "a")
         (func (export "_start"))
         (func (export "f"))))",
       "out of bounds memory access"},
      {"element.wasm", R"((module
         (memory (export "memory") 1)
         (table 1 funcref)
         (elem (i32.const 1) $f)
         (func (export "_start"))
         (func $f (export "f"))))",
       "out of bounds table access"},
  };
  for (const auto& c : cases) {
    const std::string wasm = Module(fs::path(c.name).stem(), c.text);
    const std::string trap = absl::StrCat(": trap: ", c.reason, " (during initialization)\n");
    for (const char* mode : {"--env=A=B", "--suspend-all", "--restore-all", "--invoke=f"}) {
      const auto ran = Fermata({"run", wasm, mode});
      EXPECT_EQ(ran.exit_code, 134) << mode;
      EXPECT_EQ(ran.output, absl::StrCat("fermata: ", c.name, trap)) << mode;
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const std::string program = dir_ / "program";
    ASSERT_EQ(Fermata({"compile", wasm, "-o", program}).exit_code, 0);
    const auto ran = MustRun({program});
    EXPECT_EQ(ran.exit_code, 134);
    EXPECT_EQ(ran.output, absl::StrCat("fermata: ", program, trap));
#endif
  }
}

TEST_F(RunCommand, NoFailureLooksLikeSuccess) {
  const std::string wasm = Module("status", kStatus);
  const struct {
    const char* status;
    int exit_code;
  } cases[] = {{"0", 0},   {"1", 1},     {"126", 126},        {"255", 255},  {"256", 255},
               {"257", 1}, {"512", 255}, {"4294967295", 255}, {"65536", 255}};
  for (const auto& c : cases) {
    EXPECT_EQ(Fermata({"run", wasm, "--", c.status}).exit_code, c.exit_code) << c.status;
  }
  // Standard input is /dev/null here.
  EXPECT_EQ(Fermata({"run", wasm}).exit_code, 0) << "that is no terminal";
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
  const std::string bad = dir_ / "bad.wasm";
  testing_support::WriteFile(bad, "not wasm at all");
  for (const char* command : {"run", "compile"}) {
    std::vector<std::string> arguments = {command, bad};
    if (arguments[0] == "compile") arguments.insert(arguments.end(), {"-o", dir_ / "app"});
    const auto result = Fermata(arguments);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, HasSubstr("bad.wasm"));
    arguments[1] = dir_ / "absent.wasm";
    EXPECT_THAT(Fermata(arguments).output, HasSubstr("absent.wasm: cannot"));
  }
  EXPECT_FALSE(fs::exists(dir_ / "app"));
  EXPECT_THAT(CachedLibraries(), testing::IsEmpty());
}

// A program that counts, and one that goes by the counts, by each compiler.
TEST_F(RunCommand, CompileGoesByCounts) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the executable would have to be linked with the sanitizer, too";
#endif
  const std::string hello = Module("hello", kHello);
  const auto both =
      Fermata({"compile", hello, "-o", dir_ / "app", "--profile-use=a", "--profile-generate=b"});
  EXPECT_EQ(both.exit_code, 1);
  EXPECT_THAT(both.output, HasSubstr("either counts or goes by counts"));
  for (const std::string compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (compiler.empty()) continue;
    SCOPED_TRACE(compiler);
    const bool clang = compiler == FERMATA_CLANGXX;
    const auto compile = [&](const std::string& app, const std::string& flag) {
      return Fermata({"compile", hello, "-o", dir_ / app, "--compiler=" + compiler, flag});
    };
    const std::string counts = dir_ / (clang ? "clang" : "gcc");
    const auto early = compile("early", "--profile-use=" + counts);
    EXPECT_EQ(early.exit_code, 1);
    EXPECT_THAT(early.output, HasSubstr(counts + ": cannot read"));
    const auto counting = compile("counting", "--profile-generate=" + counts);
    if (clang && absl::StrContains(counting.output, "libclang_rt.profile")) {
      std::cout << "not run: clang has no runtime library to count with\n";
      continue;
    }
    ASSERT_EQ(counting.exit_code, 0) << counting.output;
    const auto none = compile("none", "--profile-use=" + counts);
    EXPECT_EQ(none.exit_code, 1);
    EXPECT_THAT(none.output, HasSubstr("run what was made with --profile-generate"));
    EXPECT_EQ(MustRun({dir_ / "counting", "a"}).exit_code, 2);
    EXPECT_FALSE(fs::is_empty(counts));
    const auto made = compile("optimized", "--profile-use=" + counts);
    if (clang && absl::StrContains(made.output, "llvm-profdata, which comes with LLVM")) {
      std::cout << "not run: clang has no llvm-profdata\n";
      continue;
    }
    ASSERT_EQ(made.exit_code, 0) << made.output;
    const auto ran = MustRun({dir_ / "optimized", "a"});
    EXPECT_EQ(ran.exit_code, 2);
    EXPECT_EQ(ran.output, "hello\n");
  }
}

TEST_F(RunCommand, CompileOptimizesAllFilesAsOne) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the executable would have to be linked with the sanitizer, too";
#endif
  const std::string app = dir_ / "app";
  const auto made = Fermata({"compile", Module("hello", kHello), "-o", app, "--lto"});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(MustRun({app}).output, "hello\n");
}

TEST_F(RunCommand, CompileMakesAnExecutable) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the executable would have to be linked with the sanitizer, too";
#endif
  const std::string app = dir_ / "app";
  const auto made = Fermata({"compile", Module("hello", kHello), "-o", app, "--env=X=\"\\\n?"});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_EQ(made.output, "");
  const auto ran = MustRun({app, "a", "b"});
  EXPECT_EQ(ran.exit_code, 3);
  EXPECT_EQ(ran.output, "hello\n");
  // Sockets are left out of guests that have none.
  EXPECT_THAT(ReadFile(app), Not(HasSubstr("sock_addr_resolve")));
  // Start functions end it as they do here.
  EXPECT_EQ(Fermata({"compile", Module("leaving", kLeaving), "-o", app}).exit_code, 0);
  const auto left = MustRun({app});
  EXPECT_EQ(left.exit_code, 7);
  EXPECT_EQ(left.output, "");
  EXPECT_EQ(Fermata({"compile", Module("status", kStatus), "-o", app}).exit_code, 0);
  EXPECT_EQ(MustRun({app, "256"}).exit_code, 255);
  EXPECT_EQ(MustRun({app}).exit_code, 0);
  // Nothing of the build is left beside it.
  for (const auto& entry : fs::directory_iterator(dir_.path())) {
    EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith("build-")));
  }
}

// Runs `script` in the test's folder, with $FERMATA and a $TMPDIR that is empty before.
class CompileLeaves : public RunCommand {
 protected:
  process::Result Shell(const std::string& script) {
    Module("hello", kHello);
    dir_.MakeDirectory("tmp");
    process::Command command = {"/bin/sh", "-c", script};
    command.folder = dir_.path();
    command.environment = {{"TMPDIR", dir_ / "tmp"}, {"FERMATA", FERMATA_TRANSLATOR}};
    return MustRun(command);
  }
  // What is in the test's folder besides what the tests, and the compiler of one, put there.
  std::vector<std::string> Left() const {
    std::vector<std::string> left;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
      const std::string path = fs::relative(entry.path(), dir_.path());
      if (path != "tmp" && path != "slow" && path != "started" &&
          !absl::StartsWith(path, "hello.w")) {
        left.push_back(path);
      }
    }
    return left;
  }
};

TEST_F(CompileLeaves, NothingElseThanARelativeOutput) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the executable would have to be linked with the sanitizer, too";
#endif
  const auto made = Shell("\"$FERMATA\" compile hello.wasm -o some/where/app --opt=-O0");
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_THAT(Left(), testing::UnorderedElementsAre("some", "some/where", "some/where/app"));
}

TEST_F(CompileLeaves, NothingWhenItFails) {
  for (const char* flag : {"--cxxflag=--no-such-flag", "--compiler=/no/such/compiler"}) {
    const auto made =
        Shell(absl::StrCat("\"$FERMATA\" compile hello.wasm -o some/where/app ", flag));
    EXPECT_EQ(made.exit_code, 1) << made.output;
    EXPECT_THAT(Left(), testing::IsEmpty());
  }
}

TEST_F(CompileLeaves, NothingWhenItIsInterrupted) {
  // A compiler that has temporary files and takes its time, in a process of its own, as compilers
  // do.
  testing_support::WriteProgram(dir_ / "slow",
                                "#!/bin/sh\n"
                                "case $1 in --version|-dumpmachine) exec c++ \"$1\" ;; esac\n"
                                "mktemp; touch started; sleep 60; touch late\n");
  for (const char* command :
       {"compile hello.wasm -o some/where/app", "run hello.wasm --cache=c/d"}) {
    for (const char* signal : {"TERM", "INT", "HUP"}) {
      // A shell without job control has what it runs beside itself ignore SIGINT.
      // Several compilers may run at a time, each of which says that it has started.
      const auto ended = Shell(absl::StrCat("rm -f started; env --default-signal=INT \"$FERMATA\" ",
                                            command, " --compiler=$PWD/slow &\n",
                                            "while ! [ -e started ]; do sleep 0.05; done\n",
                                            "kill -", signal, " $!; wait $!"));
      EXPECT_EQ(ended.exit_code, 128 + (*signal == 'T'   ? SIGTERM
                                        : *signal == 'I' ? SIGINT
                                                         : SIGHUP))
          << ended.output;
      EXPECT_THAT(Left(), testing::IsEmpty()) << command << ", " << signal;
    }
  }
}

// What the host provides may be in a table, or referred to.
constexpr char kTailCallsOfImports[] = R"((module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (type $results (func (result i32)))
  (type $takes (func (param i32)))
  (table 2 funcref)
  (elem (i32.const 0) $yield $exit)
  (memory (export "memory") 1)
  (func (export "yield") (result i32) (return_call_indirect (type $results) (i32.const 0)))
  (func (export "exit") (return_call_indirect (type $takes) (i32.const 7) (i32.const 1)))))";

TEST_F(RunCommand, TailCallsReachImportsInTables) {
  const std::string module = Module("tail_calls", kTailCallsOfImports);
  const auto yields = Fermata({"run", module, "--invoke=yield"});
  EXPECT_EQ(yields.exit_code, 0);
  EXPECT_EQ(yields.output, "0\n");
  EXPECT_EQ(Fermata({"run", module, "--invoke=exit"}).exit_code, 7);
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
  EXPECT_THAT(wrong.output, HasSubstr("--allow-net \"example.org:80\": a rule for a name allows"));
  const std::string program = dir_ / "program";
  ASSERT_EQ(Fermata({"compile", "--allow-net=127.0.0.1:0", module, "-o", program}).exit_code, 0);
  const auto ran = MustRun({program});
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  EXPECT_THAT(ReadFile(program), HasSubstr("sock_addr_resolve"));
}

}  // namespace
}  // namespace fermata
