// sock_addr_resolve: what may be resolved, and that nobody waits for it but the guest.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "runtime/wasi/posix/name_resolution.h"
#include "tests/runtime/wasi/posix/wamr_guest.h"

namespace fermata::wasi {
namespace {

using State = Process::State;

// A resolver that answers when it is told to, and counts.
struct Slow {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  int running = 0, most = 0, ended = 0;

  Errno Run(const NameQuery& query, std::vector<ResolvedName>& found) {
    std::unique_lock<std::mutex> lock(mutex);
    most = std::max(most, ++running);
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    --running;
    ++ended;
    changed.notify_all();
    if (query.host == "nobody.test") return Errno::kInval;
    for (uint8_t i = 1; i <= 3; ++i) {
      ResolvedName name;
      name.address.bytes = {127, 0, 0, i};
      name.address.port = 80;
      name.datagram = i == 2;
      found.push_back(name);
    }
    return Errno::kSuccess;
  }
  void Open() {
    std::lock_guard<std::mutex> lock(mutex);
    open = true;
    changed.notify_all();
  }
  void WaitForRunning(int n) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return running >= n; });
  }
  static NameResolver Resolver(std::shared_ptr<Slow> slow) {
    return [slow](const NameQuery& query, std::vector<ResolvedName>& found) {
      return slow->Run(query, found);
    };
  }
};

class WamrNamesTest : public WamrTest {
 protected:
  uint32_t Text(absl::string_view text) { return guest().Put(std::string(text) + '\0'); }
  uint32_t Hints(int32_t type, uint32_t family, bool enabled = true) {
    const uint32_t at = guest().Room(12);
    guest().Store(at, static_cast<uint32_t>(type));
    guest().Store(at + 4, family);
    guest().Store<uint8_t>(at + 8, enabled);
    return at;
  }
  State Start(absl::string_view host, absl::string_view service, uint32_t room = 4) {
    infos_ = guest().Room(28 * room);
    found_ = guest().Room(4);
    return guest().Start("sock_addr_resolve", Text(host), Text(service), hints_, infos_, room,
                         found_);
  }
  Errno Resolve(absl::string_view host, absl::string_view service, uint32_t room = 4) {
    Start(host, service, room);
    return Finish();
  }
  uint32_t found() { return guest().Load<uint32_t>(found_); }

  uint32_t hints_ = 0, infos_ = 0, found_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Modes, WamrNamesTest, testing::ValuesIn(AllAnswers()), NameOfMode);
// With calls that can suspend.
class WamrLookupTest : public WamrNamesTest {};
INSTANTIATE_TEST_SUITE_P(Modes, WamrLookupTest, testing::ValuesIn(BothAnswers()), NameOfMode);

TEST_P(WamrNamesTest, AddressesInWriting) {
  Allow("127.0.0.1:5,[::1]:*");
  hints_ = Hints(1, 2);
  ASSERT_EQ(Start("127.0.0.1", "80"), State::kFinished) << "nothing to wait for";
  EXPECT_EQ(Finish(), Errno::kSuccess);
  EXPECT_EQ(found(), 1u);
  EXPECT_EQ(guest().Bytes(infos_, 10), std::string("\0\0\0\0\x7f\0\0\1\x50\0", 10));
  EXPECT_EQ(guest().Load<uint32_t>(infos_ + 24), 1u);
  EXPECT_EQ(Resolve("::1", ""), Errno::kSuccess);
  EXPECT_EQ(guest().Load<uint32_t>(infos_), 1u);
  EXPECT_EQ(guest().Load<uint16_t>(infos_ + 18), 1u);
  EXPECT_EQ(guest().Load<uint16_t>(infos_ + 20), 0u);
  hints_ = Hints(0, 0, /*enabled=*/false);
  EXPECT_EQ(Resolve("127.0.0.1", "80", 1), Errno::kSuccess);
  EXPECT_EQ(found(), 2u) << "for streams and for datagrams; only one fitted";
  EXPECT_EQ(guest().Load<uint32_t>(infos_ + 28), 0xaaaaaaaa);
  EXPECT_EQ(Resolve("127.0.0.1", "80", 0), Errno::kSuccess);
  EXPECT_EQ(found(), 2u);
  hints_ = Hints(1, 1);
  EXPECT_EQ(Resolve("127.0.0.1", "80"), Errno::kInval) << "it is no address of IPv6";
  // Addresses that are not allowed can't be had in writing either, however they are written.
  hints_ = Hints(1, 2);
  for (const char* text : {"127.0.0.2", "127.2", "2130706434", "0x7f.2", "::ffff:127.0.0.2"}) {
    EXPECT_EQ(Resolve(text, "80"), Errno::kAcces) << text;
  }
}

TEST_P(WamrNamesTest, LocalhostByTheSystem) {
  Allow("localhost");
  hints_ = Hints(1, 0);
  ASSERT_EQ(Resolve("localhost", "81"), Errno::kSuccess);
  EXPECT_GE(found(), 1u);
  EXPECT_EQ(guest().Bytes(infos_, 5), std::string("\0\0\0\0\x7f", 5));
  EXPECT_EQ(guest().Load<uint16_t>(infos_ + 8), 81u);
  // It is known now, and not more allowed than it was.
  EXPECT_EQ(guest().Call("sock_connect", Open(), infos_), Errno::kAcces);
}

TEST_P(WamrNamesTest, OnlyAllowedNames) {
  Allow("*.example.org,127.0.0.1");
  auto slow = std::make_shared<Slow>();
  config.resolve_name = Slow::Resolver(slow);
  slow->Open();
  hints_ = Hints(-1, 2);
  EXPECT_EQ(Resolve("localhost", "80"), Errno::kAcces);
  EXPECT_EQ(Resolve("example.org", "80"), Errno::kAcces);
  EXPECT_EQ(Resolve("example.org.evil", "80"), Errno::kAcces);
  EXPECT_EQ(Resolve("", "80"), Errno::kInval);
  EXPECT_EQ(Resolve("a b.example.org", "80"), Errno::kInval);
  EXPECT_EQ(Resolve("a\n.example.org", "80"), Errno::kInval);
  EXPECT_EQ(slow->ended, 0) << "nobody was asked";
  ASSERT_EQ(Resolve("WWW.example.org", "80", 2), Errno::kSuccess);
  EXPECT_EQ(found(), 3u);
  EXPECT_EQ(guest().Load<uint32_t>(infos_ + 24), 1u);
  EXPECT_EQ(guest().Load<uint32_t>(infos_ + 28 + 24), 0u);
  EXPECT_EQ(guest().Load<uint8_t>(infos_ + 28 + 7), 2u);
}

TEST_P(WamrNamesTest, NoSuchName) {
  Allow("nobody.test");
  auto slow = std::make_shared<Slow>();
  config.resolve_name = Slow::Resolver(slow);
  slow->Open();
  hints_ = Hints(1, 2);
  EXPECT_EQ(Resolve("nobody.test", "80"), Errno::kInval);
}

TEST_P(WamrLookupTest, TheThreadIsFreeMeanwhile) {
  Allow("slow.test");
  auto slow = std::make_shared<Slow>();
  config.resolve_name = Slow::Resolver(slow);
  hints_ = Hints(1, 2);
  ASSERT_EQ(Start("slow.test", "80"), State::kWaiting);
  slow->WaitForRunning(1);
  EXPECT_EQ(guest().Go(), State::kWaiting);
  EXPECT_EQ(guest().Go(), State::kWaiting);
  ASSERT_EQ(guest().process().wait().sources.size(), 1u);
  EXPECT_GE(guest().process().wait().sources[0].stream->native_handle(), 0);
  slow->Open();
  EXPECT_EQ(Finish(), Errno::kSuccess);
  EXPECT_EQ(found(), 3u);
  EXPECT_EQ(slow->ended, 1) << "asked once";
}

// Guests may end while their names are being looked up; helpers are few, and serve all in the end.
TEST(NameLookupTest, FewThreadsAndNothingDangles) {
  auto slow = std::make_shared<Slow>();
  std::weak_ptr<Slow> watched = slow;
  constexpr int kQuestions = 40;
  {
    std::vector<std::shared_ptr<NameLookup>> lookups;
    for (int i = 0; i < kQuestions; ++i) {
      Errno error = Errno::kSuccess;
      lookups.push_back(NameLookup::Start({"slow.test", "", {}, {}}, Slow::Resolver(slow), error));
      ASSERT_NE(lookups.back(), nullptr) << static_cast<int>(error);
    }
    slow->WaitForRunning(kMostResolverThreads);
    lookups.resize(kQuestions / 2);  // the rest is dropped, most of it before it was asked
    slow->Open();
    for (const auto& lookup : lookups) {
      Wait wait;
      wait.sources.push_back({lookup, false});
      while (!lookup->CanRead()) ASSERT_TRUE(BlockFor(wait));
      EXPECT_EQ(lookup->found().size(), 3u);
    }
  }
  EXPECT_EQ(slow->most, kMostResolverThreads);
  EXPECT_LE(slow->ended, kQuestions);
  slow = nullptr;
  for (int i = 0; i < 1000 && !watched.expired(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(watched.expired()) << "questions go when they are answered";
}

TEST_P(WamrLookupTest, AGuestThatEndsMeanwhile) {
  auto slow = std::make_shared<Slow>();
  for (const bool abort : {true, false}) {
    Config ending;
    ASSERT_TRUE(ending.network.Allow("slow.test").ok());
    ending.resolve_name = Slow::Resolver(slow);
    Guest other(std::move(ending), GetParam().answers, module());
    const uint32_t host = other.Put(std::string("slow.test\0", 10)), hints = other.Room(12, 0);
    EXPECT_EQ(
        other.Start("sock_addr_resolve", host, host + 9, hints, other.Room(28), 1, other.Room(4)),
        State::kWaiting);
    slow->WaitForRunning(abort ? 1 : 2);
    if (abort) other.process().Abort("enough");
  }
  slow->Open();
  std::unique_lock<std::mutex> lock(slow->mutex);
  slow->changed.wait(lock, [&] { return slow->ended == 2; });
}

TEST_P(WamrNamesTest, WrongArguments) {
  Allow("*");
  Guest& g = guest();
  const uint32_t end = g.size(), host = Text("127.0.0.1"), service = Text("80");
  const uint32_t hints = Hints(1, 0), infos = g.Room(28), found = g.Room(4);
  const auto resolve = [&](uint32_t h, uint32_t s, uint32_t hint, uint32_t info, uint32_t room,
                           uint32_t to) {
    return g.Call("sock_addr_resolve", h, s, hint, info, room, to);
  };
  EXPECT_EQ(resolve(host, service, hints, infos, 1, found), Errno::kSuccess);
  EXPECT_EQ(resolve(end, service, hints, infos, 1, found), Errno::kInval);
  EXPECT_EQ(resolve(host, 0xffffffff, hints, infos, 1, found), Errno::kInval);
  EXPECT_EQ(resolve(host, service, end - 11, infos, 1, found), Errno::kInval);
  EXPECT_EQ(resolve(host, service, hints, end - 27, 1, found), Errno::kInval);
  EXPECT_EQ(resolve(host, service, hints, infos, 0xffffffff, found), Errno::kInval);
  EXPECT_EQ(resolve(host, service, hints, infos, 1, end - 3), Errno::kInval);
  EXPECT_EQ(resolve(host, service, Hints(2, 0), infos, 1, found), Errno::kInval);
  EXPECT_EQ(resolve(host, service, Hints(1, 3), infos, 1, found), Errno::kInval);
  // Strings that do not end: in memory, or soon.
  for (uint32_t i = 1; i <= 8; ++i) g.Store<uint8_t>(end - i, 'a');
  EXPECT_EQ(resolve(end - 8, service, hints, infos, 1, found), Errno::kInval);
  EXPECT_EQ(resolve(g.Put(std::string(5000, 'a')), service, hints, infos, 1, found),
            Errno::kNameTooLong);
}

}  // namespace
}  // namespace fermata::wasi
