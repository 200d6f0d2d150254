// What WASI programs do not have on Windows is refused with a message that says so.
#include <gmock/gmock.h>

#include "fermata/wasi/command.h"
#include "fermata/wasi/wait_set.h"
#include "tests/runtime/wasi/guest.h"
#include "tests/support/host_pipe.h"

namespace fermata::wasi {
namespace {

using testing::HasSubstr;

class RefusalsTest : public testing::Test {
 protected:
  static void ExpectRefused(const absl::Status& status, const char* what) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
    EXPECT_THAT(std::string(status.message()), HasSubstr("on Windows"));
  }
};

TEST_F(RefusalsTest, DirectoriesOfTheHost) {
  Config config;
  config.mounts.push_back({"/", "C:\\data", false, {}});
  ExpectRefused(System::Create(std::move(config)).status(), "C:\\data");
  auto system = System::Create({});
  ASSERT_TRUE(system.ok());
  ExpectRefused((*system)->AddMount({"/", "C:\\data", false, {}}).status(), "C:\\data");
  EXPECT_TRUE((*system)->AddMount({"/", "", false, {{"a", "b"}}}).ok());
}

TEST_F(RefusalsTest, FilesOfTheHost) {
  auto system = System::Create({});
  ASSERT_TRUE(system.ok());
  testing_support::HostPipe pipe;
  ExpectRefused((*system)->AddFile(pipe.TakeReader()).status(), "files");
  EXPECT_EQ((*system)->AddFile(-1).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RefusalsTest, Sockets) {
  ExpectRefused(Listen("127.0.0.1:0").status(), "127.0.0.1:0");
  EXPECT_FALSE(System::Provides("wasi_snapshot_preview1", "sock_open"));
  EXPECT_TRUE(System::Provides("wasi_snapshot_preview1", "sock_recv"));
}

TEST_F(RefusalsTest, WatchingStreamsOfTheHost) {
  testing_support::HostPipe pipe;
  WaitSet set;
  Wait wait;
  wait.sources.push_back({*DescriptorStream(pipe.TakeReader(), true), false});
  ExpectRefused(set.Update(wait).status(), "streams");
}

}  // namespace
}  // namespace fermata::wasi
