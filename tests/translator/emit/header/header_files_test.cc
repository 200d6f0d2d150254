// Generated headers that are called like other headers: found in quotes they take nobody's place,
// and found by -I they say so instead of doing it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/commands.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"

namespace fermata {
namespace {

namespace fs = std::filesystem;

// Headers of C, C++ and POSIX, as <name.h> or <name>.
constexpr const char* kNames[] = {
    "assert",  "complex", "ctype",  "errno",   "fenv",     "float",       "inttypes", "limits",
    "locale",  "math",    "setjmp", "signal",  "stdarg",   "stdbool",     "stddef",   "stdint",
    "stdio",   "stdlib",  "string", "time",    "wchar",    "wctype",      "memory",   "vector",
    "map",     "variant", "thread", "utility", "optional", "type_traits", "unistd",   "fcntl",
    "pthread", "poll",    "sched",  "dirent",  "features", "malloc",      "alloca",   "endian"};

class HeaderFiles : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (*GetParam() == '\0') GTEST_SKIP() << "not run: the compiler is not there";
    testing_support::WasmBuilder b;
    const uint32_t type = b.Type("i", "i");
    b.ImportFunction(type);
    b.Export("run", 0, 0);
    testing_support::WriteFile(folder_ / "module.wasm", b.Build());
  }

  // The guest `name`, in the folder `out`.
  void Translate(const std::string& out, const std::string& name) {
    testing_support::MustSucceed({FERMATA_TRANSLATOR, "translate", folder_ / "module.wasm", "-o",
                                  folder_ / out, "--name", name, "--class",
                                  "Guest_" + absl::StrReplaceAll(name, {{"-", "_"}})});
  }
  process::Result Compile(const std::string& source, std::vector<std::string> flags,
                          const char* file = "host.cc") {
    folder_.Write(file, source);
    flags.insert(flags.begin(),
                 {GetParam(), "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"});
    if (fs::path(file).extension() == ".cc") flags.push_back("-std=c++20");
    flags.insert(flags.end(), {"-I", FERMATA_INCLUDE_DIR, folder_ / file});
    return testing_support::MustRun(flags);
  }

  testing_support::Folder folder_;
};

TEST_P(HeaderFiles, InQuotesTakeNobodysPlace) {
  std::string quoted, angles, uses;
  for (const std::string name : kNames) {
    Translate("out", name);
    absl::StrAppend(&quoted, "#include \"", name, ".h\"\n");
    for (const char* end : {"", ".h"}) {
      absl::StrAppend(&angles, "#if __has_include(<", name, end, ">)\n#include <", name, end,
                      ">\n#endif\n");
    }
    absl::StrAppend(&uses, "guest::Guest_", name, "* guest_", name, ";\n");
  }
  uses +=
      "std::string text = std::to_string(time(nullptr) + EINVAL + SIGINT + INT_MAX);\n"
      "double number = std::sqrt(DBL_MAX) + strtod(\"1\", nullptr);\n";
  const std::string more = "#include <cmath>\n#include <cfloat>\n#include <string>\n";
  for (const std::string& includes : {quoted + angles + more, angles + more + quoted}) {
    const auto result = Compile(includes + uses, {"-iquote", folder_ / "out"});
    EXPECT_EQ(result.exit_code, 0) << result.output.substr(0, 4000);
  }
}

TEST_P(HeaderFiles, InThePlaceOfAnotherSaySo) {
  Translate("out", "time");
  for (const char* flag : {"-I", "-isystem"}) {
    for (const char* source :
         {"#include \"time.h\"\n", "#include <time.h>\n", "#include <ctime>\n"}) {
      const auto result = Compile(source, {flag, folder_ / "out"});
      EXPECT_NE(result.exit_code, 0);
      EXPECT_THAT(result.output,
                  testing::HasSubstr("in the place of another time.h: use -iquote for its folder"));
    }
  }
}

// There is no other of its name; or the other is a guest, or the same, by another way.
TEST_P(HeaderFiles, OrdinaryNamesAreFoundByEitherFlag) {
  Translate("out", "my-adder");
  Translate("other", "my-adder");
  const std::string use = "guest::Guest_my_adder* guest_of_mine;\n";
  for (const char* flag : {"-I", "-isystem", "-iquote"}) {
    const auto result = Compile("#include \"my-adder.h\"\n" + use,
                                {flag, folder_ / "out", "-I", folder_ / "other"});
    EXPECT_EQ(result.exit_code, 0) << flag << result.output.substr(0, 4000);
  }
  const auto result =
      Compile("#include \"out/my-adder.h\"\n" + use, {"-I", folder_.path(), "-I", folder_ / "out"});
  EXPECT_EQ(result.exit_code, 0) << result.output.substr(0, 4000);
}

INSTANTIATE_TEST_SUITE_P(Compilers, HeaderFiles, testing::Values(FERMATA_GXX, FERMATA_CLANGXX),
                         [](const auto& info) { return info.index == 0 ? "gxx" : "clangxx"; });

}  // namespace
}  // namespace fermata
