// Programs with sockets of their own, saved and restored.
#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "fermata/wasi/snapshot.h"
#include "tests/runtime/wasi/posix/wamr_guest.h"

namespace fermata::wasi {
namespace {

using testing::HasSubstr;

class WamrSnapshotTest : public WamrTest {};
INSTANTIATE_TEST_SUITE_P(Modes, WamrSnapshotTest, testing::ValuesIn(BothAnswers()), NameOfMode);

TEST_P(WamrSnapshotTest, SocketsAreTheHostsToSupply) {
  Allow("127.0.0.1");
  const auto [client, server] = Pair();
  const uint32_t buffer = guest().Room(8), used = guest().Room(4), flags = guest().Room(2);
  ASSERT_EQ(guest().Start("sock_recv", client, guest().Iovecs({{buffer, 8}}), 1, 0, used, flags),
            Process::State::kWaiting);
  const auto saved = SaveProcess(guest().process());
  ASSERT_TRUE(saved.ok()) << saved.status();
  const auto refused = RestoreProcess(module(), *saved, {});
  EXPECT_THAT(refused.status().message(), HasSubstr("is not restored unless the host supplies"));
  RestoreOptions options;
  options.stream = [&, wanted = client](const SavedStream& stream) {
    return BytesStream(stream.fd == wanted ? "anew" : "");
  };
  const auto restored = RestoreProcess(module(), *saved, std::move(options));
  ASSERT_TRUE(restored.ok()) << restored.status();
  ASSERT_EQ((*restored)->Run(), Process::State::kFinished);
  EXPECT_EQ((*restored)->step().results()[0].i32(), 0u);
  const uint8_t* memory = (*restored)->instance().FindMemory("memory")->data();
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(memory) + buffer, 4), "anew");
}

TEST_P(WamrSnapshotTest, NamesAreAskedForAgain) {
  Allow("slow.test");
  auto asked = std::make_shared<std::atomic<int>>(0);
  std::promise<void> gate;
  const auto resolver = [asked, open = gate.get_future().share()](
                            const NameQuery&, std::vector<ResolvedName>& found) {
    ++*asked;
    open.wait();
    found.emplace_back();
    return Errno::kSuccess;
  };
  config.resolve_name = resolver;
  const uint32_t host = guest().Put(std::string("slow.test\0", 10)), hints = guest().Room(12, 0);
  const uint32_t found = guest().Room(4);
  ASSERT_EQ(guest().Start("sock_addr_resolve", host, host + 9, hints, guest().Room(28), 1, found),
            Process::State::kWaiting);
  const auto saved = SaveProcess(guest().process());
  ASSERT_TRUE(saved.ok()) << saved.status();
  RestoreOptions options;
  ASSERT_TRUE(options.process.config.network.Allow("slow.test").ok());
  options.process.config.resolve_name = resolver;
  const auto restored = RestoreProcess(module(), *saved, std::move(options));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ((*restored)->Run(), Process::State::kWaiting);
  gate.set_value();
  ASSERT_EQ(RunToEnd(**restored), Process::State::kFinished);
  EXPECT_EQ((*restored)->step().results()[0].i32(), 0u);
  EXPECT_EQ((*restored)->instance().FindMemory("memory")->data()[found], 1u);
  EXPECT_GE(*asked, 1);
}

}  // namespace
}  // namespace fermata::wasi
