#include "runtime/wasi/posix/name_resolution.h"

#include <netdb.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "runtime/os/signals.h"
#include "runtime/os/wake_event.h"
#include "runtime/wasi/posix/errors.h"
#include "runtime/wasi/posix/host_address.h"

namespace fermata::wasi {

struct NameLookup::Question {
  Question(NameQuery q, NameResolver r, int e)
      : query(std::move(q)), resolver(std::move(r)), event(e) {}
  Question(const Question&) = delete;

  void Answer() {
    error = resolver(query, found);
    done.store(true, std::memory_order_release);
    event.Signal();
  }

  const NameQuery query;
  const NameResolver resolver;
  internal::WakeEvent event;
  std::atomic<bool> dropped = false;
  std::atomic<bool> done = false;  // then the rest is there, and stays as it is
  Errno error = Errno::kSuccess;
  std::vector<ResolvedName> found;
};

namespace {

using Question = NameLookup::Question;

// The helper threads. They are made as they are needed and end when there has been nothing to do
// for a while. A thread in a resolver can't be stopped, so none is waited for when the program
// ends: what they use, this object included, is never destroyed.
class Helpers {
 public:
  static Helpers& Get() {
    static auto* helpers = new Helpers;
    return *helpers;
  }

  // False: there is no thread, and none can be made.
  bool Add(std::shared_ptr<Question> question) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (idle_ <= queue_.size() && threads_ < kMostResolverThreads && MakeThread()) ++threads_;
    if (threads_ == 0) return false;
    queue_.push_back(std::move(question));
    work_.notify_one();
    return true;
  }

 private:
  bool MakeThread() {
    return internal::StartDetachedThread([](void* self) { static_cast<Helpers*>(self)->Run(); },
                                         this);
  }

  void Run() {
    constexpr auto kPatience = std::chrono::seconds(10);
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      ++idle_;
      const bool any = work_.wait_for(lock, kPatience, [&] { return !queue_.empty(); });
      --idle_;
      if (!any) break;
      std::shared_ptr<Question> question = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      if (!question->dropped.load(std::memory_order_relaxed)) question->Answer();
      question = nullptr;  // may be the last that holds it
      lock.lock();
    }
    --threads_;
  }

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<std::shared_ptr<Question>> queue_;
  size_t idle_ = 0;  // threads that wait for work, or have been woken for it
  int threads_ = 0;
};

Errno FromResolver(int code) {
  switch (code) {
    case EAI_AGAIN:
      return Errno::kAgain;
    case EAI_MEMORY:
      return Errno::kNoMem;
    case EAI_FAIL:
      return Errno::kIo;
    case EAI_SYSTEM:
      return FromHost(errno);
    default:  // no such name, no such service, none of that family
      return Errno::kInval;
  }
}

Errno Ask(const NameQuery& query, int flags, std::vector<ResolvedName>& found) {
  addrinfo hints = {};
  hints.ai_flags = flags;
  if (query.family) {
    hints.ai_family = *query.family == NetworkAddress::Family::kIpv4 ? AF_INET : AF_INET6;
  }
  if (query.datagram) hints.ai_socktype = *query.datagram ? SOCK_DGRAM : SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(
      query.host.c_str(), query.service.empty() ? nullptr : query.service.c_str(), &hints, &list);
  if (code != 0) return FromResolver(code);
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    ResolvedName name;
    name.datagram = info->ai_socktype == SOCK_DGRAM;
    if ((name.datagram || info->ai_socktype == SOCK_STREAM) &&
        FromHostAddress(info->ai_addr, info->ai_addrlen, name.address)) {
      found.push_back(name);
    }
  }
  freeaddrinfo(list);
  return Errno::kSuccess;
}

}  // namespace

Errno ResolveBySystem(const NameQuery& query, std::vector<ResolvedName>& found) {
  return Ask(query, 0, found);
}

bool ResolveLiteral(const NameQuery& query, std::vector<ResolvedName>& found, bool& is_literal) {
  NameQuery host = query;
  host.service.clear();
  host.family.reset();
  is_literal = Ask(host, AI_NUMERICHOST, found) == Errno::kSuccess;
  if (!is_literal) return false;
  std::vector<ResolvedName> exact;
  const bool known = Ask(query, AI_NUMERICHOST | AI_NUMERICSERV, exact) == Errno::kSuccess;
  if (known) found = std::move(exact);
  return known;
}

std::shared_ptr<NameLookup> NameLookup::Start(NameQuery query, NameResolver resolver,
                                              Errno& error) {
  const int event = internal::WakeEvent::Open();
  if (event < 0) {
    error = FromHost(errno);
    return nullptr;
  }
  auto question = std::make_shared<Question>(std::move(query), std::move(resolver), event);
  if (!Helpers::Get().Add(question)) {
    error = Errno::kAgain;
    return nullptr;
  }
  return std::shared_ptr<NameLookup>(new NameLookup(std::move(question)));
}

NameLookup::~NameLookup() { question_->dropped.store(true, std::memory_order_relaxed); }

Errno NameLookup::error() const { return question_->error; }
const std::vector<ResolvedName>& NameLookup::found() const { return question_->found; }
bool NameLookup::CanRead() { return question_->done.load(std::memory_order_acquire); }
int NameLookup::native_handle() const { return question_->event.descriptor(); }

}  // namespace fermata::wasi
