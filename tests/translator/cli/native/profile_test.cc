// Which counts a source file is compiled with. That compilers take them is run_command_test's part.
#include "translator/cli/native/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "tests/support/files.h"

namespace fermata::driver {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class Profile : public testing::Test {
 protected:
  // An empty file, so many seconds old.
  std::string Add(const std::string& name, int age = 0) {
    folder_.MakeDirectory(fs::path(name).parent_path().string());
    folder_.Write(name, "");
    const fs::path path = folder_ / name;
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::seconds(age));
    return path.string();
  }
  absl::StatusOr<Counts> Read() { return Counts::Read(Compiler{}, folder_.path(), folder_.path()); }

  testing_support::Folder folder_;
};

TEST_F(Profile, IsTheSourceFilesOwn) {
  const std::string in_folders = Add("tmp/build-1/guest_0.gcda");
  const std::string in_one_name = Add("#tmp#build-1#guest_1.gcda");
  Add("tmp/build-1/other_guest_2.gcda");
  const auto counts = Read();
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_THAT(counts->FlagsFor("guest_0"),
              ElementsAre("-fprofile-use=" + in_folders, "-Wno-error=coverage-mismatch"));
  EXPECT_THAT(counts->FlagsFor("guest_1"),
              ElementsAre("-fprofile-use=" + in_one_name, "-Wno-error=coverage-mismatch"));
  EXPECT_THAT(counts->FlagsFor("guest_2"), IsEmpty());
}

TEST_F(Profile, IsTheNewest) {
  Add("build-1/guest_0.gcda", /*age=*/100);
  const std::string newest = Add("build-3/guest_0.gcda", /*age=*/10);
  Add("build-2/guest_0.gcda", /*age=*/50);
  const auto counts = Read();
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->FlagsFor("guest_0")[0], "-fprofile-use=" + newest);
}

TEST_F(Profile, OfAnotherCompilerIsNone) {
  Add("default.profraw");
  EXPECT_EQ(Read().status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace fermata::driver
