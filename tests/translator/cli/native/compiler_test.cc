// Compilers are asked what they compile for, and get the flags that suit it.
#include "translator/cli/native/compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/files.h"

namespace fermata::driver {
namespace {

using testing::Contains;
using testing::Not;
using testing_support::Folder;

// A program that answers as a compiler for `target` does.
std::string CompilerFor(const Folder& folder, const std::string& target) {
  const std::string path = folder / "c++";
  testing_support::WriteProgram(path,
                                absl::StrCat("#!/bin/sh\n[ $1 = -dumpmachine ] && echo ", target,
                                             " || echo 'c++ (some distribution) 12.2.0'\n"));
  return path;
}

TEST(Compiler, FlagsAreThoseOfTheTarget) {
  const Folder folder;
  const std::string probes = "-fstack-clash-protection";
  const auto flags = [&](const std::string& target) {
    absl::StatusOr<Compiler> compiler = FindCompiler(CompilerFor(folder, target));
    EXPECT_TRUE(compiler.ok()) << compiler.status();
    if (!compiler.ok()) return std::vector<std::string>{};
    EXPECT_EQ(compiler->target, target);
    EXPECT_FALSE(compiler->is_clang);
    return GeneratedCodeFlags(*compiler, "-O1");
  };
  EXPECT_THAT(flags("x86_64-linux-gnu"), Contains(probes));
  EXPECT_THAT(flags("aarch64-linux-gnu"), Not(Contains(probes)));
  EXPECT_THAT(flags("x86_64-w64-mingw32"), Not(Contains(probes)));
  EXPECT_THAT(flags("riscv64-linux-gnu"), Contains("-O1"));
}

TEST(Compiler, OneThatDoesNotKnowItsTarget) {
  const Folder folder;
  testing_support::WriteProgram(folder / "c++",
                                "#!/bin/sh\n[ $1 = --version ] && echo 'clang 14'\n");
  const absl::StatusOr<Compiler> compiler = FindCompiler(folder / "c++");
  ASSERT_TRUE(compiler.ok()) << compiler.status();
  EXPECT_NE(compiler->target, "") << "this machine's";
  EXPECT_TRUE(compiler->is_clang);
  EXPECT_FALSE(FindCompiler(folder / "none").ok());
}

}  // namespace
}  // namespace fermata::driver
