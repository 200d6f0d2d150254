// Guests and C++20 coroutines: a call of a guest can be awaited, and so can what answers its
// imports.
//
//   #include "echo.h"               // a guest with the imports net.recv, timer.sleep and env.log
//   #include "fermata/coroutine.h"
//
//   fermata::Task<absl::StatusOr<int32_t>> Serve(guest::Echo& echo, Net& net, int32_t fd) {
//     using guest::Echo;
//     co_return co_await fermata::Drive(echo.serve(fd), fermata::Match{
//         [&](Echo::net_recv op) -> fermata::Task<int32_t> {             // a coroutine
//           std::string bytes = co_await net.Read(op.fd, op.len);
//           co_return Store(echo.memory().Span(op.ptr, op.len), bytes);
//         },
//         [&](Echo::timer_sleep op) { return net.Sleep(op.ns); },        // any awaitable
//         [&](Echo::env_log op) { std::printf("%d\n", op.code); }});     // an answer, at once
//   }
//
//   absl::StatusOr<int32_t> result = fermata::SyncWait(Serve(*echo, net, 3));
//
// Drive answers each op of a step with what the handler for it returns, until the call has ended.
// There must be a handler for each op of the guest; otherwise the call of Drive does not compile. A
// handler returns
//   - an answer: Op::Result, absl::StatusOr<Op::Result>; nothing or absl::Status if that is void;
//   - or any awaitable of one of these: fermata::Task, an awaiter of your loop, FromCallback(…).
// It gets the op by reference or value. What it returns may refer to the op and to what the handler
// has captured; both are kept until it is done. While a handler waits, the guest's call is data:
// frames in the step, which is in the frame of Drive's coroutine.
//
// Drive gives the value of the call (absl::Status if the call has none), or an error:
//   kAborted            the guest trapped: the trap's message
//   kCancelled          the stop token was asked to stop, or the step had been cancelled before
//   kResourceExhausted  the guest is out of fuel, and no handler gave it more
//   kUnimplemented      the guest waits for an import of another module linked with it
//   the handler's own   if it returned a status, with the import named: "net.recv: no route"
//   kInternal           if a handler, or the awaitable it returned, threw: with what() as message;
//                       kResourceExhausted: std::bad_alloc
// After all of these except the first, the guest's frames are dropped, and no guest code runs.
//
// Pre-emption: a call of a guest that was translated with --preempt may be paused, because its
// store was interrupted or is out of fuel. One more handler, of Pause, decides what happens then.
// It gives Proceed, directly or as an awaitable like the others, or an error that becomes the
// result of the call ("paused: the account is empty").
//
//   [&](fermata::Pause pause) -> fermata::Task<absl::StatusOr<fermata::Proceed>> {
//     if (pause.kind == fermata::Pause::kOutOfFuel && !account.Charge(1)) {
//       co_return absl::ResourceExhaustedError("the account is empty");
//     }
//     co_await loop.NextTurn();                           // a time slice is over: others first
//     co_return fermata::Proceed{.fuel = 1'000'000};
//   }
//
// Without that handler, an interrupted call runs on at once unless it has been asked to stop, and a
// call that is out of fuel ends.
//
// Cancellation: destroy the waiting task, on the thread that would resume it. That drops the
// guest's call and destroys what it waits for. Or pass a std::stop_token. It is checked before the
// guest is answered and before a paused guest runs on, so what the guest waits for should stop
// early too. To stop a running guest from another thread, call request_stop() and then interrupt
// its store.
//
// Threads: guest code runs on the thread that resumes the coroutine, and one thread at a time may
// use the guest's store. So what handlers wait for must be resumed on a thread that may use the
// store then. Nothing here is tied to a loop; for Asio see fermata/asio.h.
//
// DynamicSteps have one handler for all ops. It gets the step and gives the results, absl::StatusOr
// of them, or an awaitable of one of these:
//
//   absl::StatusOr<std::vector<Value>> results = co_await fermata::Drive(
//       std::move(step), [&](const DynamicStep& step) -> Task<std::vector<Value>> { … });
//
// With a handler of Pause, pass a Match of the two.
#ifndef FERMATA_COROUTINE_H_
#define FERMATA_COROUTINE_H_

// clang-format off
#include "fermata/needs_cxx20.h"  // first: the rest fails with worse words
// clang-format on

#include <algorithm>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <new>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "fermata/step.h"
#include "fermata/task.h"

#if defined(__cpp_exceptions)
#define FERMATA_TRY try
#define FERMATA_CATCH_ALL(result) \
  catch (...) {                   \
    result;                       \
  }
#else
#define FERMATA_TRY if constexpr (true)
#define FERMATA_CATCH_ALL(result)
#endif

namespace fermata {

// The answer to a Pause: the call runs on.
struct Proceed {
  uint64_t fuel = 0;  // given to its store first, for all calls of the store
};

// A call that is paused, as its handler gets it.
struct Pause {
  enum Kind : uint8_t { kInterrupted, kOutOfFuel } kind;
  using Result = Proceed;
  static constexpr const char* kImport = "paused";  // what its errors begin with
};

// Implementation details, not part of the API.
namespace drive_internal {

// The type of a step's value: of Step, and of classes with the same functions
// (fermata/activations.h).
template <class S>
using ValueOf = std::remove_cvref_t<decltype(std::declval<const S&>().value())>;
template <class R>
using ResultOf = std::conditional_t<std::is_void_v<R>, absl::Status,
                                    absl::StatusOr<std::conditional_t<std::is_void_v<R>, int, R>>>;

template <class Returned, class Result>
constexpr bool IsAwaitedAnswer() {
  if constexpr (std::is_void_v<Returned>) {
    return false;
  } else if constexpr (Awaitable<Returned>) {
    return typed::IsAnswer<AwaitResult<Returned>, Result>();
  } else {
    return false;
  }
}
template <class H, class T>
concept Answers = std::invocable<H&, const T&> &&
    (typed::IsAnswer<std::invoke_result_t<H&, const T&>, typename T::Result>() ||
     IsAwaitedAnswer<std::invoke_result_t<H&, const T&>, typename T::Result>());

template <class H, class... T>
constexpr bool AnswersEach(typed::OpList<T...>) {
  return typed::AllOf({Answers<H, T>...});
}
template <class H, class Op>
concept AnswersAll = AnswersEach<H>(typed::OpListOf<Op>());

inline absl::Status StatusOfException() {
#if defined(__cpp_exceptions)
  try {
    throw;
  } catch (const std::bad_alloc& error) {
    return absl::ResourceExhaustedError(error.what());
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  } catch (...) {
    return absl::InternalError("an exception that is not a std::exception");
  }
#else
  return absl::InternalError("an exception");
#endif
}

// The same error, with the import that it answered.
inline absl::Status Named(const absl::Status& error, absl::string_view import) {
  return absl::Status(error.code(), absl::StrCat(import, ": ", error.message()));
}

// Resumes `step` from op T with what its handler gave, `answer()`.
template <class T, class S, class Answer>
absl::Status ResumeWith(S& step, Answer&& answer) {
  using Given = std::invoke_result_t<Answer&>;
  using Result = typename T::Result;
  if constexpr (std::is_void_v<Given>) {
    answer();
    return step.template Resume<T>();
  } else if constexpr (std::is_void_v<Result>) {
    const absl::Status status = answer();
    return status.ok() ? step.template Resume<T>() : Named(status, T::kImport);
  } else if constexpr (std::is_convertible_v<Given, Result>) {
    return step.template Resume<T>(static_cast<Result>(answer()));
  } else {
    const absl::StatusOr<Result> result = answer();
    return result.ok() ? step.template Resume<T>(*result) : Named(result.status(), T::kImport);
  }
}

// The awaitable that the handler of op T returned, while it is awaited.
template <class T, class A>
class Waiting {
 public:
  template <class H>
  Waiting(H& handler, const T& op)
      : awaitable_(handler(op)),
        awaiter_(awaitable_internal::GetAwaiter(static_cast<A&&>(awaitable_))) {}
  Waiting(const Waiting&) = delete;

  bool Ready() { return static_cast<bool>(awaiter_.await_ready()); }
  // As an await_suspend that returns bool.
  bool Suspend(std::coroutine_handle<> self) {
    using Suspended = decltype(awaiter_.await_suspend(self));
    if constexpr (std::is_void_v<Suspended>) {
      awaiter_.await_suspend(self);
      return true;
    } else if constexpr (std::is_same_v<Suspended, bool>) {
      return awaiter_.await_suspend(self);
    } else {
      const std::coroutine_handle<> next = awaiter_.await_suspend(self);
      if (next == self) return false;
      next.resume();
      return true;
    }
  }
  template <class S>
  absl::Status Resume(S& step) {
    return ResumeWith<T>(step, [this]() -> decltype(auto) { return awaiter_.await_resume(); });
  }

 private:
  A awaitable_;
  decltype(awaitable_internal::GetAwaiter(std::declval<A>())) awaiter_;
};

// The functions of the awaitables that handlers return, which have a different type for each op.
template <class S>
struct WaitingFunctions {
  bool (*suspend)(void* waiting, std::coroutine_handle<> self);
  absl::Status (*resume)(void* waiting, S& step);
  void (*destroy)(void* waiting);
};
template <class S, class W>
inline constexpr WaitingFunctions<S> kWaitingFunctions = {
    [](void* waiting, std::coroutine_handle<> self) {
      return static_cast<W*>(waiting)->Suspend(self);
    },
    [](void* waiting, S& step) { return static_cast<W*>(waiting)->Resume(step); },
    [](void* waiting) { static_cast<W*>(waiting)->~W(); }};

// Whether the handler of T answers at once. Otherwise what it returns is kept as a Waiting.
template <class H, class T>
inline constexpr bool kPlain =
    typed::IsAnswer<std::invoke_result_t<H&, const T&>, typename T::Result>();
struct NoWaiting {};
template <class H, class T>
using WaitingFor = typename std::conditional_t<
    kPlain<H, T>, std::type_identity<NoWaiting>,
    std::type_identity<Waiting<T, std::invoke_result_t<H&, const T&>>>>::type;
// Room for any of them.
template <class H, class Ops>
struct WaitingRoom;
template <class H, class... T>
struct WaitingRoom<H, typed::OpList<T...>> {
  alignas(NoWaiting) alignas(WaitingFor<H, T>...) unsigned char bytes[std::max(
      {sizeof(NoWaiting), sizeof(WaitingFor<H, T>)...})];
};

// An awaitable that answers the op of a step, at once or when the handler's awaitable is ready. Its
// result says whether that succeeded. No exception leaves it.
template <class S, class H>
class Answering {
 public:
  Answering(S& step, H& handler) : step_(step), handler_(handler), op_(step.op()) {}
  Answering(const Answering&) = delete;
  ~Answering() {
    if (waiting_ != nullptr) waiting_->destroy(room_.bytes);
  }

  bool await_ready() noexcept {
    FERMATA_TRY {
      return typed::VisitOp([&](const auto& op) { return Begin(op); }, op_);
    }
    FERMATA_CATCH_ALL(return Fail());
  }
  bool await_suspend(std::coroutine_handle<> self) noexcept {
    FERMATA_TRY { return waiting_->suspend(room_.bytes, self); }
    FERMATA_CATCH_ALL(return !Fail());
  }
  absl::Status await_resume() noexcept {
    if (done_) return status_;
    if (waiting_ == nullptr) return absl::OkStatus();  // a guest without ops
    FERMATA_TRY { return waiting_->resume(room_.bytes, step_); }
    FERMATA_CATCH_ALL(Fail());
    return status_;
  }

 private:
  using Op = typename S::Op;

  // Calls the handler for the op. True if nothing is left to wait for.
  template <class T>
  bool Begin(const T& op) {
    if constexpr (std::is_same_v<T, std::monostate>) {
      return true;
    } else if constexpr (kPlain<H, T>) {
      status_ = ResumeWith<T>(step_, [&]() -> decltype(auto) { return handler_(op); });
      return done_ = true;
    } else {
      using W = WaitingFor<H, T>;
      W* waiting = ::new (static_cast<void*>(room_.bytes)) W(handler_, op);
      waiting_ = &kWaitingFunctions<S, W>;
      return waiting->Ready();
    }
  }
  bool Fail() {
    typed::VisitOp(
        [&](const auto& op) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(op)>, std::monostate>) {
            status_ = Named(StatusOfException(), op.kImport);
          }
        },
        op_);
    return done_ = true;
  }

  S& step_;
  H& handler_;
  const Op op_;
  bool done_ = false;
  absl::Status status_;
  const WaitingFunctions<S>* waiting_ = nullptr;  // of what is in the room; null if it is empty
  WaitingRoom<H, typed::OpListOf<Op>> room_;
};

// Whether a handler has a case for Pause. If it can be called with one, it must give a Proceed.
template <class H>
concept AsksAboutPauses = std::invocable<H&, const Pause&>;

// A paused call, as a step that is suspended on a Pause. An answer is kept until Go().
template <class S>
class PausedStep {
 public:
  using Op = std::variant<Pause>;

  explicit PausedStep(S& step) : step_(step) {}
  Op op() const { return Pause{step_.interrupted() ? Pause::kInterrupted : Pause::kOutOfFuel}; }
  template <class T>
  absl::Status Resume(Proceed proceed) {
    proceed_ = proceed;
    return absl::OkStatus();
  }
  // What happens if the host has no handler for it.
  absl::Status Unasked() const {
    return step_.interrupted() ? absl::OkStatus() : absl::ResourceExhaustedError("out of fuel");
  }
  absl::Status Go() { return proceed_.fuel != 0 ? step_.Refuel(proceed_.fuel) : step_.Continue(); }

 private:
  S& step_;
  Proceed proceed_;
};

inline absl::Status Stopped() { return absl::CancelledError("the call was asked to stop"); }

// Asks the handler about a paused call, and runs the call on.
template <class S, class H>
Task<absl::Status> Unpause(S& step, H& handler, const std::stop_token& stop) {
  PausedStep<S> paused(step);
  absl::Status status;
  if constexpr (AsksAboutPauses<H>) {
    static_assert(Answers<H, Pause>, "the handler of fermata::Pause must give fermata::Proceed");
    Answering<PausedStep<S>, H> answering(paused, handler);
    status = co_await answering;
  } else {
    status = paused.Unasked();
  }
  if (!status.ok()) co_return status;
  if (stop.stop_requested()) co_return Stopped();
  co_return paused.Go();
}

// The result of the call. The frames of a call that has not ended are dropped.
template <class S>
ResultOf<ValueOf<S>> Conclude(S& step, const absl::Status& status) {
  if (status.ok() && step.suspended()) {
    const absl::Status unknown = absl::UnimplementedError(absl::StrCat(
        step.dynamic().op_module(), ".", step.dynamic().op_name(), ": not an import of the guest"));
    step.Cancel();
    return unknown;
  }
  if (!status.ok()) {
    step.Cancel();
    return status;
  }
  if (step.trapped() && step.trap() == Trap::kCancelled) {
    return absl::CancelledError(step.message());
  }
  if (!step.finished()) return step.status();
  if constexpr (std::is_void_v<ValueOf<S>>) {
    return absl::OkStatus();
  } else {
    return step.value();
  }
}

// What DynamicSteps are answered with.
using Values = std::vector<Value>;
struct DynamicOp {
  using Result = Values;
};
template <class H>
concept AnswersDynamic = std::invocable<H&, const DynamicStep&> &&
    (typed::IsAnswer<std::invoke_result_t<H&, const DynamicStep&>, Values>() ||
     IsAwaitedAnswer<std::invoke_result_t<H&, const DynamicStep&>, Values>());

// A handler's answer as a task, which no exception leaves.
template <class H>
Task<absl::StatusOr<Values>> AnswerOf(const DynamicStep& step, H& handler) {
  using Returned = std::invoke_result_t<H&, const DynamicStep&>;
  absl::StatusOr<Values> answer;
  FERMATA_TRY {
    if constexpr (typed::IsAnswer<Returned, Values>()) {
      answer = handler(step);
    } else {
      answer = co_await handler(step);
    }
  }
  FERMATA_CATCH_ALL(answer = StatusOfException());
  co_return answer;
}

}  // namespace drive_internal

// Drives a typed step: a Step, or another class with its functions (fermata/activations.h). The
// task begins when it is awaited or started.
template <class S, class Handler>
requires drive_internal::AnswersAll<Handler, typename S::Op>
    Task<drive_internal::ResultOf<drive_internal::ValueOf<S>>> Drive(S step, Handler handler,
                                                                     std::stop_token stop = {}) {
  absl::Status status;
  if constexpr (requires { step.queued(); }) {
    if (step.queued()) {
      co_await FromCallback([&step](Reply<> reply) { step.OnTurn(reply); });
      status = stop.stop_requested() ? drive_internal::Stopped() : step.Begin();
    }
  }
  while (status.ok() && (step.paused() || (step.suspended() && !step.foreign()))) {
    if (stop.stop_requested()) {
      status = drive_internal::Stopped();
    } else if (step.paused()) {
      status = co_await drive_internal::Unpause(step, handler, stop);
    } else {
      drive_internal::Answering<S, Handler> answering(step, handler);
      status = co_await answering;
    }
  }
  co_return drive_internal::Conclude(step, status);
}

// The same for a call that perhaps could not be made; if so, the error is the result.
template <class S, class Handler>
requires drive_internal::AnswersAll<Handler, typename S::Op>
    Task<drive_internal::ResultOf<drive_internal::ValueOf<S>>> Drive(absl::StatusOr<S> step,
                                                                     Handler handler,
                                                                     std::stop_token stop = {}) {
  if (!step.ok()) co_return step.status();
  co_return co_await Drive(*std::move(step), std::move(handler), std::move(stop));
}

// Drives a step of the dynamic API.
template <drive_internal::AnswersDynamic Handler>
Task<absl::StatusOr<std::vector<Value>>> Drive(DynamicStep step, Handler handler,
                                               std::stop_token stop = {}) {
  while (step.suspended() || step.paused()) {
    if (stop.stop_requested()) co_return drive_internal::Stopped();
    if (step.paused()) {
      const absl::Status status = co_await drive_internal::Unpause(step, handler, stop);
      if (!status.ok()) co_return status;
      continue;
    }
    const absl::StatusOr<std::vector<Value>> answer =
        co_await drive_internal::AnswerOf(step, handler);
    const std::string import = absl::StrCat(step.op_module(), ".", step.op_name());
    if (!answer.ok()) co_return drive_internal::Named(answer.status(), import);
    const absl::Status resumed = step.Resume(*answer);
    if (!resumed.ok()) co_return resumed;
  }
  if (step.finished()) {
    co_return std::vector<Value>(step.results().begin(), step.results().end());
  }
  if (step.trap() == Trap::kCancelled) co_return absl::CancelledError(step.message());
  co_return absl::AbortedError(step.message());
}

}  // namespace fermata

#undef FERMATA_TRY
#undef FERMATA_CATCH_ALL

#endif  // FERMATA_COROUTINE_H_
