// Generated headers compile whatever a module calls its imports, exports and parameters, before and
// after other headers: each name that is a macro, by the compiler's own list of them, over all
// headers of C, C++ and POSIX that are there; and each word of the header itself and of those that
// it includes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;
using testing_support::Bytes;
using testing_support::Concat;
using testing_support::MustSucceed;
using testing_support::Name;
using testing_support::ReadFile;
using testing_support::Sized;
using testing_support::Unsigned;

constexpr const char* kHeaders[] = {
    // C, and C++ as of 20; without stdatomic.h, which <atomic> can't follow with clang.
    "assert.h", "complex.h", "ctype.h", "errno.h", "fenv.h", "float.h", "inttypes.h", "iso646.h",
    "limits.h", "locale.h", "math.h", "setjmp.h", "signal.h", "stdalign.h", "stdarg.h", "stdbool.h",
    "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "tgmath.h", "threads.h", "time.h",
    "uchar.h", "wchar.h", "wctype.h", "algorithm", "any", "array", "atomic", "barrier", "bit",
    "bitset", "cassert", "cctype", "cerrno", "cfenv", "cfloat", "charconv", "chrono", "cinttypes",
    "climits", "clocale", "cmath", "codecvt", "compare", "complex", "concepts",
    "condition_variable", "csetjmp", "csignal", "cstdarg", "cstddef", "cstdint", "cstdio",
    "cstdlib", "cstring", "ctime", "cuchar", "cwchar", "cwctype", "deque", "exception",
    "filesystem", "forward_list", "fstream", "functional", "future", "initializer_list", "iomanip",
    "ios", "iosfwd", "iostream", "istream", "iterator", "latch", "limits", "list", "locale", "map",
    "memory", "memory_resource", "mutex", "new", "numbers", "numeric", "optional", "ostream",
    "queue", "random", "ratio", "regex", "scoped_allocator", "semaphore", "set", "shared_mutex",
    "source_location", "span", "sstream", "stack", "stdexcept", "stop_token", "streambuf", "string",
    "string_view", "system_error", "thread", "tuple", "type_traits", "typeindex", "typeinfo",
    "unordered_map", "unordered_set", "utility", "valarray", "variant", "vector", "version",
    // POSIX and what else Linux has.
    "aio.h", "arpa/inet.h", "byteswap.h", "cpio.h", "dirent.h", "dlfcn.h", "elf.h", "endian.h",
    "err.h", "fcntl.h", "fmtmsg.h", "fnmatch.h", "ftw.h", "getopt.h", "glob.h", "grp.h", "iconv.h",
    "ifaddrs.h", "langinfo.h", "libgen.h", "malloc.h", "mntent.h", "monetary.h", "mqueue.h",
    "net/ethernet.h", "net/if.h", "net/if_arp.h", "netdb.h", "netinet/in.h", "netinet/ip.h",
    "netinet/tcp.h", "netinet/udp.h", "nl_types.h", "obstack.h", "paths.h", "poll.h", "pthread.h",
    "pty.h", "pwd.h", "regex.h", "resolv.h", "sched.h", "search.h", "semaphore.h", "spawn.h",
    "strings.h", "sys/auxv.h", "sys/epoll.h", "sys/eventfd.h", "sys/file.h", "sys/inotify.h",
    "sys/ioctl.h", "sys/ipc.h", "sys/mman.h", "sys/mount.h", "sys/msg.h", "sys/param.h",
    "sys/prctl.h", "sys/ptrace.h", "sys/random.h", "sys/resource.h", "sys/select.h", "sys/sem.h",
    "sys/sendfile.h", "sys/shm.h", "sys/signalfd.h", "sys/socket.h", "sys/stat.h", "sys/statvfs.h",
    "sys/syscall.h", "sys/sysinfo.h", "sys/sysmacros.h", "sys/time.h", "sys/timerfd.h",
    "sys/times.h", "sys/types.h", "sys/uio.h", "sys/un.h", "sys/utsname.h", "sys/wait.h",
    "sys/xattr.h", "syslog.h", "tar.h", "termios.h", "ucontext.h", "ulimit.h", "unistd.h",
    "utime.h", "utmpx.h", "wordexp.h"};

void AddWords(const std::string& text, std::set<std::string>& words) {
  std::string word;
  for (char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      word += c;
    } else {
      if (!word.empty() && !std::isdigit(static_cast<unsigned char>(word[0]))) words.insert(word);
      word.clear();
    }
  }
}

// `count` parameters, or fewer, of function `index`: names from all over the list.
Bytes LocalNames(const std::vector<std::string>& names, size_t index, size_t count) {
  Bytes locals;
  std::set<std::string> used;
  for (size_t k = 0; k < count; ++k) {
    const std::string& name = names[(index * count + k) % names.size()];
    locals = Concat({locals, Unsigned(k), Name(name)});
  }
  return Concat({Unsigned(index), Unsigned(count), locals});
}

// A module that imports functions of the module "" with the one names and exports such with the
// others. All have parameters, which have names too.
Bytes ModuleWith(const std::vector<std::string>& imports, const std::vector<std::string>& exports,
                 const std::vector<std::string>& names) {
  constexpr size_t kParams = 6;
  const Bytes type = {0x60, kParams, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f};
  std::vector<Bytes> imported, defined, exported, bodies, function_names, local_names;
  for (const std::string& name : imports) {
    imported.push_back(Concat({Name(""), Name(name), {0, 0}}));
  }
  for (size_t i = 0; i < exports.size(); ++i) {
    defined.push_back({0});
    bodies.push_back({4, 0, 0x20, 0, 0x0b});
    exported.push_back(Concat({Name(exports[i]), {0}, Unsigned(imports.size() + i)}));
  }
  for (size_t f = 0; f < imports.size() + exports.size(); ++f) {
    function_names.push_back(Concat({Unsigned(f), Name(names[f % names.size()])}));
    local_names.push_back(LocalNames(names, f, kParams));
  }
  const auto counted = [](const std::vector<Bytes>& items) {
    return Concat({Unsigned(items.size()), Concat(items)});
  };
  return testing_support::Module({{1, Concat({{1}, type})},
                                  {2, counted(imported)},
                                  {3, counted(defined)},
                                  {7, counted(exported)},
                                  {10, counted(bodies)},
                                  {0, Concat({Name("name"),
                                              {1},
                                              Sized(counted(function_names)),
                                              {2},
                                              Sized(counted(local_names))})}});
}

constexpr size_t kExports = 500;  // of a module

// About `count` of the names, from all over the list, the first at `begin`.
std::vector<std::string> Some(const std::vector<std::string>& names, size_t count, size_t begin) {
  std::vector<std::string> some;
  const size_t step = std::max<size_t>(1, names.size() / count);
  for (size_t i = begin % step; i < names.size(); i += step) some.push_back(names[i]);
  return some;
}

class MacroNames : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (*GetParam() == '\0') GTEST_SKIP() << "not run: the compiler is not there";
    std::string includes;
    for (const char* header : kHeaders) {
      absl::StrAppend(&includes, "#if __has_include(<", header, ">)\n#include <", header,
                      ">\n#endif\n");
    }
    absl::StrAppend(&includes, "#undef I  // of complex.h: Abseil can't take it\n");
    folder_.Write("all_headers.h", includes);
  }
  // Headers are C++20 with GNU extensions here, which have more macros.
  void CheckSyntax(const std::string& file) const {
    MustSucceed({GetParam(), "-std=gnu++20", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
                 "-fsyntax-only", "-isystem", FERMATA_INCLUDE_DIR, "-I", folder_.path(),
                 folder_ / file});
  }

  std::vector<std::string> Macros() const {
    folder_.Write("list.cc", "#include \"all_headers.h\"\n");
    const std::string list = MustSucceed({GetParam(), "-std=gnu++20", "-D_GNU_SOURCE", "-dM", "-E",
                                          "-I", folder_.path(), folder_ / "list.cc"});
    std::vector<std::string> names;
    for (absl::string_view line : absl::StrSplit(list, '\n')) {
      const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" ("));
      // Names in generated headers do not begin with an underscore.
      if (words.size() < 2 || words[0] != "#define" || words[1][0] == '_') continue;
      names.emplace_back(words[1]);
    }
    return names;
  }

  void Translate(const Bytes& module, const std::string& stem, std::vector<std::string> flags) {
    testing_support::WriteFile(folder_ / (stem + ".wasm"), module);
    std::vector<std::string> command = {FERMATA_TRANSLATOR, "translate", folder_ / (stem + ".wasm"),
                                        "-o", folder_.path()};
    command.insert(command.end(), flags.begin(), flags.end());
    MustSucceed(command);
    // As if it were no header of the system's, whose warnings are off. Its first lines then give
    // one that is of no interest here: header_files_test is about them.
    folder_.Write(stem + ".h", absl::StrReplaceAll(ReadFile(folder_ / (stem + ".h")),
                                                   {{"#pragma GCC system_header", ""},
                                                    {"#ifdef __has_include_next", "#if 0"}}));
  }

  testing_support::Folder folder_;
};

// The header's own words, and those of what it includes.
std::vector<std::string> Words(const std::string& header) {
  std::set<std::string> words;
  AddWords(ReadFile(header), words);
  for (const char* file : {"step.h", "dynamic.h", "core.h", "backtrace.h", "interrupt.h"}) {
    AddWords(ReadFile(absl::StrCat(FERMATA_INCLUDE_DIR, "/fermata/", file)), words);
  }
  return {words.begin(), words.end()};
}

TEST_P(MacroNames, HeadersCompileBeforeAndAfterAllOthers) {
  std::vector<std::string> names = Macros();
  ASSERT_GT(names.size(), 2000u);
  for (const char* name : {"EAGAIN", "M_PI", "PATH_MAX", "major", "errno", "assert", "linux",
                           "unix", "stdin", "be32toh", "INT32_MAX", "st_atime"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  // Compilers take long for classes of many thousand members: several, each with some ops.
  std::string headers;
  for (size_t begin = 0; begin < names.size(); begin += kExports) {
    const std::vector<std::string> exports(
        names.begin() + begin, names.begin() + std::min(names.size(), begin + kExports));
    const std::string stem = absl::StrCat("ops", begin / kExports);
    Translate(ModuleWith(Some(names, 20, begin), exports, exports), stem,
              {absl::StrCat("--class=Ops", begin / kExports)});
    absl::StrAppend(&headers, "#include \"", stem, ".h\"\n");
  }
  // One whose imports are methods of the host; and one in places named by macros.
  Translate(ModuleWith(Some(names, 300, 1), {"f"}, names), "host",
            {"--class=Plain", "--immediate=*"});
  Translate(ModuleWith({"EOF"}, {"EAGAIN", "major"}, names), "placed",
            {"--class=major", "--namespace=linux::EXIT_FAILURE"});
  absl::StrAppend(&headers, "#include \"host.h\"\n#include \"placed.h\"\n");
  const std::string use = R"(
static_assert(EAGAIN == 11 && EOF == -1 && linux == 1 && M_PI > 3, "macros are as before");
#pragma push_macro("linux")
#undef linux
#undef major
#undef EXIT_FAILURE
using Placed = linux::EXIT_FAILURE::major;
#pragma pop_macro("linux")
fermata::Outcome<int32_t> Ask(Placed& guest) {
  (void)guest.Export_<"major">(1, 2, 3, 4, 5, 6);
  return guest.Export_<"EAGAIN">(1, 2, 3, 4, 5, 6);
}
static_assert(sizeof(Placed::Import_<"", "EOF">) == 24);
)";
  folder_.Write("after.cc", "#include \"all_headers.h\"\n" + headers + use);
  CheckSyntax("after.cc");
  folder_.Write("before.cc", headers + "#include \"all_headers.h\"\n" + use);
  CheckSyntax("before.cc");
  for (const char* file : {"ops0_0.cc", "ops0_module.cc", "placed_0.cc", "placed_module.cc"}) {
    MustSucceed({GetParam(), "-std=gnu++17", "-w", "-fsyntax-only", "-I", FERMATA_INCLUDE_DIR,
                 folder_ / file});
  }
}

TEST_P(MacroNames, HeadersCompileWithNamesThatTheyUseThemselves) {
  Translate(ModuleWith({"a", "op"}, {"serve"}, {"x"}), "sample", {});
  const std::vector<std::string> names = Words(folder_ / "sample.h");
  ASSERT_GT(names.size(), 500u);
  std::vector<std::string> ops = Some(names, 60, 0);
  for (const char* own :
       {"a", "op", "step", "kName", "kModule", "final", "override", "Arguments"}) {
    ops.push_back(own);
  }
  Translate(ModuleWith(ops, names, names), "ops", {"--class=Ops"});
  Translate(ModuleWith(names, names, names), "host", {"--class=Plain", "--immediate=*"});
  // The namespace and the class named as each other and as what they hold.
  Translate(ModuleWith({"guest"}, {"twice", "guest"}, names), "twice",
            {"--class=guest", "--namespace=guest"});
  folder_.Write("use.cc", R"(#include "ops.h"
#include "host.h"
#include "twice.h"
int32_t Twice(guest::guest& twice) { return twice.twice(1, 2, 3, 4, 5, 6).value(); }
)");
  CheckSyntax("use.cc");
}

INSTANTIATE_TEST_SUITE_P(Compilers, MacroNames, testing::Values(FERMATA_GXX, FERMATA_CLANGXX),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return std::string(info.index == 0 ? "gxx" : "clangxx");
                         });

}  // namespace
}  // namespace fermata
