// Task<T>: a coroutine that starts when it is awaited. fermata/coroutine.h is built on it. Handlers
// may use it or any other type: guests can wait for every awaitable.
//
//   fermata::Task<int> Twice(int n) { co_return co_await Read() + n; }
//
//   fermata::Task<int> task = Twice(2);            // has not begun
//   task.Start([&] { Use(task.Get()); });          // outside of coroutines: runs until it waits
//   int n = co_await Twice(2);                     // inside of them
//   int n = fermata::SyncWait(Twice(2));           // for tests and main(): blocks the thread
//
// A task belongs to no loop and no thread: it runs on within the call, and on the thread, that
// resumes what it waits for. Its owner may destroy it while it waits, but not while it runs. That
// destroys what is in its frame, including the tasks that it awaits, innermost first. An awaitable
// that is destroyed in this way must make sure that it does not resume the task any more.
//
// Starting a task that has been started, or taking a result twice or too early, ends the process
// with a message. A task may await tasks that are ready any number of times without using more
// stack. For that, tasks do not use symmetric transfer, which g++ turns into recursion without
// optimization and under sanitizers.
#ifndef FERMATA_TASK_H_
#define FERMATA_TASK_H_

// clang-format off
#include "fermata/needs_cxx20.h"  // first: the rest fails with worse words
// clang-format on

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace fermata {

// Awaitables: what may be the operand of co_await in a coroutine that does not transform it.
namespace awaitable_internal {

template <class A>
concept Awaiter = requires(A& awaiter, std::coroutine_handle<> handle) {
  static_cast<bool>(awaiter.await_ready());
  awaiter.await_suspend(handle);
  awaiter.await_resume();
};
template <class A>
concept HasMember = requires(A&& awaitable) {
  static_cast<A&&>(awaitable).operator co_await();
};
template <class A>
concept HasFree = requires(A&& awaitable) {
  operator co_await(static_cast<A&&>(awaitable));
};

template <class A>
decltype(auto) GetAwaiter(A&& awaitable) {
  if constexpr (HasMember<A>) {
    return static_cast<A&&>(awaitable).operator co_await();
  } else if constexpr (HasFree<A>) {
    return operator co_await(static_cast<A&&>(awaitable));
  } else {
    return static_cast<A&&>(awaitable);
  }
}

[[noreturn]] inline void Misuse(const char* what) {
  std::fprintf(stderr, "fermata: %s\n", what);
  std::abort();
}

// A result that may not be there yet; void has no storage.
template <class T>
using Slot = std::conditional_t<std::is_void_v<T>, std::monostate, std::optional<T>>;

}  // namespace awaitable_internal

template <class A>
concept Awaitable = requires(A&& awaitable) {
  requires awaitable_internal::Awaiter<std::remove_reference_t<
      decltype(awaitable_internal::GetAwaiter(static_cast<A&&>(awaitable)))>>;
};
// What `co_await a` gives.
template <Awaitable A>
using AwaitResult = decltype(awaitable_internal::GetAwaiter(std::declval<A>()).await_resume());

template <class T>
class Task;

namespace task_internal {

// Where a task and its waiter meet. Each of the two arrives once: the task at its end, the waiter
// when it has nothing left to do but wait. The second to arrive continues the waiter.
class Meeting {
 public:
  bool ArriveSecond() { return arrived_.exchange(true, std::memory_order_acq_rel); }

 private:
  std::atomic<bool> arrived_{false};
};

class PromiseBase {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    // What the task resumes or calls may destroy the task, so nothing of it is used after that.
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> task) noexcept {
      PromiseBase& promise = task.promise();
      const std::coroutine_handle<> next = promise.awaiting;
      if (!next) {
        const std::function<void()> tell = std::move(promise.done);
        promise.finished.store(true, std::memory_order_release);
        if (tell) tell();
        return;
      }
      promise.finished.store(true, std::memory_order_relaxed);
      if (promise.meeting.ArriveSecond()) next.resume();
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }

  std::coroutine_handle<> awaiting;
  std::function<void()> done;
  Meeting meeting;
  bool started = false;
  std::atomic<bool> finished{false};
  std::exception_ptr exception;
};

template <class T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object();
  template <class U = T>
  requires std::is_convertible_v<U, T>
  void return_value(U&& value) { result.emplace(std::forward<U>(value)); }

  std::optional<T> result;
};
template <>
class Promise<void> : public PromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() {}
};

}  // namespace task_internal

// A coroutine that runs when it is awaited or started, and gives a T. Destroying it destroys the
// coroutine.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = task_internal::Promise<T>;

  Task() = default;  // none
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { Destroy(); }

  // Runs the task until it waits or ends. `done`, if it is not empty, is called at its end, on the
  // thread that runs it then. It must not throw, and may destroy the task.
  void Start(std::function<void()> done = nullptr) {
    promise_type& promise = CheckNew();
    promise.done = std::move(done);
    handle_.resume();
  }
  // Whether it has ended. Any thread.
  bool done() const {
    return handle_ && handle_.promise().finished.load(std::memory_order_acquire);
  }
  // The result of a task that is done(); may be taken once. Throws the exception that left the
  // task, if one did.
  T Get() {
    if (!done()) awaitable_internal::Misuse("Task::Get() of a task that has not ended");
    promise_type& promise = handle_.promise();
    if (promise.exception) std::rethrow_exception(std::exchange(promise.exception, nullptr));
    if constexpr (!std::is_void_v<T>) {
      if (!promise.result) awaitable_internal::Misuse("Task::Get(): the result has been taken");
      std::optional<T> result = std::exchange(promise.result, std::nullopt);
      return *std::move(result);
    }
  }

  // Awaiting a task starts it. It must live until it ends, which it does as a temporary.
  auto operator co_await() && {
    CheckNew();
    return TaskAwaiter{*this};
  }

 private:
  friend promise_type;
  struct TaskAwaiter {
    Task& task;
    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<> awaiting) {
      promise_type& promise = task.handle_.promise();
      promise.awaiting = awaiting;
      task.handle_.resume();
      return !promise.meeting.ArriveSecond();
    }
    T await_resume() { return task.Get(); }
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  promise_type& CheckNew() {
    if (!handle_) awaitable_internal::Misuse("an empty Task was started");
    promise_type& promise = handle_.promise();
    if (promise.started) awaitable_internal::Misuse("a Task was started twice");
    promise.started = true;
    return promise;
  }
  void Destroy() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }

  std::coroutine_handle<promise_type> handle_;
};

namespace task_internal {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}
}  // namespace task_internal

// Runs a task to its end and blocks the thread until then. Other threads must resume the task.
template <class T>
T SyncWait(Task<T> task) {
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  task.Start([&] {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
    ended.notify_one();  // under the lock: these variables are gone soon after
  });
  std::unique_lock<std::mutex> lock(mutex);
  ended.wait(lock, [&] { return done; });
  return task.Get();
}

// An awaitable of what a callback is given, for loops and libraries that have callbacks.
//
//   int n = co_await fermata::FromCallback<int>([&](fermata::Reply<int> reply) {
//     loop.Read(fd, [reply](int n) { reply(n); });
//   });
//
// The coroutine continues within the call of `reply`, on that thread (or within FromCallback, if
// that calls it). Only the first call counts, and none does after the coroutine was destroyed.
// Reply may be copied, and may be called on any thread, but not while another thread destroys the
// coroutine.
template <class T = void>
class Reply {
 public:
  template <class... U>
  requires(std::is_void_v<T> ? sizeof...(U) == 0 : std::is_constructible_v<T, U...>) void
  operator()(U&&... value) const {
    State& s = *state_;
    if (s.called.exchange(true, std::memory_order_relaxed)) return;
    if (s.dropped.load(std::memory_order_acquire)) return;
    if constexpr (!std::is_void_v<T>) s.value.emplace(std::forward<U>(value)...);
    if (s.meeting.ArriveSecond()) s.awaiting.resume();
  }

 private:
  template <class V, class Begin>
  friend class CallbackAwaiter;
  struct State {
    awaitable_internal::Slot<T> value;
    std::coroutine_handle<> awaiting;
    task_internal::Meeting meeting;
    std::atomic<bool> called{false};
    std::atomic<bool> dropped{false};
  };
  explicit Reply(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

// What FromCallback returns: an awaitable that calls `begin` when it is awaited.
template <class T, class Begin>
class [[nodiscard]] CallbackAwaiter {
 public:
  explicit CallbackAwaiter(Begin begin) : begin_(std::move(begin)) {}
  CallbackAwaiter(CallbackAwaiter&&) noexcept(std::is_nothrow_move_constructible_v<Begin>) =
      default;
  ~CallbackAwaiter() {
    if (state_ != nullptr) state_->dropped.store(true, std::memory_order_release);
  }
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> awaiting) {
    state_ = std::make_shared<typename Reply<T>::State>();
    state_->awaiting = awaiting;
    begin_(Reply<T>(state_));
    return !state_->meeting.ArriveSecond();
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return *std::move(state_->value);
  }

 private:
  Begin begin_;
  std::shared_ptr<typename Reply<T>::State> state_;
};

// Awaits the value that `begin` has its reply called with. See Reply.
template <class T = void, std::invocable<Reply<T>> Begin>
CallbackAwaiter<T, Begin> FromCallback(Begin begin) {
  return CallbackAwaiter<T, Begin>(std::move(begin));
}

}  // namespace fermata

#endif  // FERMATA_TASK_H_
