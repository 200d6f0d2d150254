// poll_oneoff: waits for clocks and descriptors. Sleeps are this too.
#include <algorithm>
#include <cstring>
#include <limits>

#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

constexpr uint64_t kSubscriptionBytes = 48, kEventBytes = 32;
constexpr uint32_t kMostSubscriptions = 65536;
enum EventType : uint8_t { kClock = 0, kFdRead = 1, kFdWrite = 2 };

struct Subscription {
  uint64_t userdata;
  uint8_t type;
  uint32_t id;       // clock or descriptor
  uint64_t timeout;  // ns
  bool absolute;

  static Subscription Load(const uint8_t* at) {
    Subscription s;
    s.userdata = LoadLittle<uint64_t>(at);
    s.type = at[8];
    s.id = LoadLittle<uint32_t>(at + 16);
    s.timeout = LoadLittle<uint64_t>(at + 24);
    s.absolute = (LoadLittle<uint16_t>(at + 40) & 1) != 0;
    return s;
  }
};

struct Event {
  uint64_t userdata;
  Errno error;
  uint8_t type;
  uint64_t bytes = 0;
  bool hung_up = false;
  void Store(uint8_t* at) const {
    memset(at, 0, kEventBytes);
    StoreLittle(at, userdata);
    StoreLittle(at + 8, static_cast<uint16_t>(error));
    at[10] = type;
    StoreLittle(at + 16, bytes);
    StoreLittle(at + 24, uint16_t{hung_up});
  }
};

class Poll {
 public:
  Poll(Call& call, const uint8_t* subscriptions, uint32_t count) : call_(call) {
    for (uint32_t i = 0; i < count; ++i) {
      subscriptions_.push_back(Subscription::Load(subscriptions + i * kSubscriptionBytes));
    }
  }

  const std::vector<Event>& events() const { return events_; }

  // Collects what has happened.
  void Look() {
    // The times at which relative timeouts end are set at the first look, and kept.
    deadlines_ = call_.pending != nullptr ? &call_.pending->deadlines : &own_deadlines_;
    const bool first = deadlines_->empty();
    deadlines_->resize(subscriptions_.size());
    for (size_t i = 0; i < subscriptions_.size(); ++i) {
      const Subscription& s = subscriptions_[i];
      if (s.type == kClock) {
        LookAtClock(s, (*deadlines_)[i], first);
      } else if (s.type == kFdRead || s.type == kFdWrite) {
        LookAtDescriptor(s);
      } else {
        events_.push_back({s.userdata, Errno::kInval, s.type});
      }
    }
  }

  // A clock with a time of its own: nobody waits, its next deadline has come.
  bool Skip() {
    size_t next = subscriptions_.size();
    uint64_t least = std::numeric_limits<uint64_t>::max();
    for (size_t i = 0; i < subscriptions_.size(); ++i) {
      const uint64_t left = subscriptions_[i].type == kClock ? Left(i) : least;
      if (left < least) {
        least = left;
        next = i;
      }
    }
    if (next == subscriptions_.size()) return false;
    const Subscription& s = subscriptions_[next];
    if (!call_.system.config.clock->SkipTo(static_cast<ClockId>(s.id), (*deadlines_)[next])) {
      return false;
    }
    events_.push_back({s.userdata, Errno::kSuccess, kClock});
    return true;
  }

  // What is to be waited for now that nothing has happened.
  void Describe(Wait& wait) {
    for (size_t i = 0; i < subscriptions_.size(); ++i) {
      const Subscription& s = subscriptions_[i];
      if (s.type == kClock) {
        const uint64_t now = HostMonotonic(), left = Left(i);
        const uint64_t end = now + std::min(left, std::numeric_limits<uint64_t>::max() - now);
        wait.deadline = std::min(wait.deadline.value_or(end), end);
        continue;
      }
      Descriptor* d;
      if (call_.system.descriptors.Get(s.id, 0, d) != Errno::kSuccess) continue;
      wait.sources.push_back({d->stream(), s.type == kFdWrite});
    }
  }

 private:
  void LookAtClock(const Subscription& s, uint64_t& deadline, bool first) {
    uint64_t now = 0;
    Errno error = call_.system.config.clock->Now(static_cast<ClockId>(s.id), now);
    // The CPU time of one who sleeps does not pass.
    if (error == Errno::kSuccess && s.id > static_cast<uint32_t>(ClockId::kMonotonic)) {
      error = Errno::kNotSup;
    }
    if (error != Errno::kSuccess) {
      events_.push_back({s.userdata, error, kClock});
      return;
    }
    if (first) {
      const uint64_t most = std::numeric_limits<uint64_t>::max();
      deadline = s.absolute ? s.timeout : now + std::min(s.timeout, most - now);
    }
    if (now >= deadline) events_.push_back({s.userdata, Errno::kSuccess, kClock});
  }

  void LookAtDescriptor(const Subscription& s) {
    Descriptor* d;
    const Errno error = call_.system.descriptors.Get(s.id, rights::kPollFdReadwrite, d);
    if (error != Errno::kSuccess) {
      events_.push_back({s.userdata, error, s.type});
      return;
    }
    const std::shared_ptr<Stream> stream = d->stream();
    if (stream == nullptr) {  // files and directories are always ready
      events_.push_back({s.userdata, Errno::kSuccess, s.type, s.type == kFdRead ? Rest(*d) : 0});
    } else if (s.type == kFdRead ? stream->CanRead() : stream->CanWrite()) {
      const uint64_t bytes = s.type == kFdRead ? stream->Available() : 0;
      events_.push_back({s.userdata, Errno::kSuccess, s.type, bytes, stream->HungUp()});
    }
  }

  // Bytes from where a file is to its end.
  static uint64_t Rest(Descriptor& d) {
    FileStat stat;
    uint64_t position = 0;
    if (d.type() != FileType::kRegularFile || d.Stat(stat) != Errno::kSuccess ||
        d.Seek(0, Whence::kCur, position) != Errno::kSuccess) {
      return 0;
    }
    return stat.size > position ? stat.size - position : 0;
  }

  // Nanoseconds until deadline i.
  uint64_t Left(size_t i) const {
    uint64_t now = 0;
    call_.system.config.clock->Now(static_cast<ClockId>(subscriptions_[i].id), now);
    const uint64_t deadline = (*deadlines_)[i];
    return deadline > now ? deadline - now : 0;
  }

  Call& call_;
  std::vector<Subscription> subscriptions_;
  std::vector<Event> events_;
  std::vector<uint64_t>* deadlines_ = nullptr;
  std::vector<uint64_t> own_deadlines_;
};

Result PollOneoff(Call& call, uint32_t in, uint32_t out, uint32_t count, uint32_t used_at) {
  if (count == 0 || count > kMostSubscriptions) return Errno::kInval;
  const uint8_t* subscriptions = call.memory.At(in, count * kSubscriptionBytes);
  uint8_t* events = call.memory.At(out, count * kEventBytes);
  if (subscriptions == nullptr || events == nullptr || call.memory.At(used_at, 4) == nullptr) {
    return Errno::kFault;
  }
  Poll poll(call, subscriptions, count);
  poll.Look();
  if (poll.events().empty() && !poll.Skip()) {
    if (call.pending != nullptr) poll.Describe(call.pending->wait);
    return Result::Wait();
  }
  for (const Event& event : poll.events()) {
    event.Store(events);
    events += kEventBytes;
  }
  return call.memory.Store(used_at, static_cast<uint32_t>(poll.events().size()));
}

}  // namespace

void AddPollFunctions(std::vector<Function>& table) {
  table.push_back(Wrap<PollOneoff>::Make("poll_oneoff", /*may_wait=*/true));
}

}  // namespace fermata::wasi
