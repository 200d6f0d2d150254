// A guest's call as an asynchronous operation of Asio (standalone Asio, 1.22 or newer: define
// ASIO_STANDALONE).
//
//   asio::thread_pool pool(4);
//   auto echo = guest::Echo::Create();
//   const auto strand = asio::make_strand(pool);                 // one for each store
//   fermata::async_call(
//       strand, [&] { return (*echo)->serve(3); },               // runs on the strand
//       fermata::Match{
//           [&](Echo::net_recv op) -> asio::awaitable<int32_t> { // may co_await what Asio has
//             auto to = (*echo)->memory().Span(op.ptr, op.len);
//             co_return co_await socket.async_read_some(asio::buffer(to.data(), to.size()),
//                                                       asio::use_awaitable);
//           },
//           [&](Echo::timer_sleep op) -> fermata::Task<> { … },  // any other awaitable
//           [&](Echo::env_log op) { std::printf("%d\n", op.code); }},  // an answer, at once
//       [](absl::StatusOr<int32_t> result) { … });               // any completion token
//
// Handlers, results and errors are those of fermata::Drive (fermata/coroutine.h), and handlers may
// also return asio::awaitable of an answer. If a handler is missing, the call does not compile. The
// completion signature is void(absl::StatusOr<R>), or void(absl::Status) for calls without a value.
//
// async_call is an operation like Asio's own: it takes any completion token (use_awaitable,
// use_future, detached, deferred, a function), uses the executor, allocator and cancellation slot
// associated with the handler, and counts as work. Guest code and handlers run on the executor
// given, and never within async_call itself; the completion handler runs on its own executor, by
// default the one given.
//
// Threads: one thread at a time may use a store. So give all calls of the instances of one store to
// one strand (or to an io_context that one thread runs). It runs one of them at a time, while
// stores on different strands run side by side on the threads of a pool. A call is not bound to a
// thread: it continues on whichever thread runs its strand next.
//
// Pre-emption: if a call is paused (because its store was interrupted or is out of fuel), the
// handler of fermata::Pause decides what happens, if there is one. It may return asio::awaitable
// too. Without it an interrupted call runs on, and a call that is out of fuel ends with
// kResourceExhausted. After a pause, a call runs on when its executor has done the work that was
// there before. So interrupts at intervals make calls of different guests take turns, on a strand
// or on a pool.
//
// Cancellation, terminal or partial, is passed on to what the handler waits for, if that is an
// asio::awaitable (operations that don't support cancellation run to their end). When the wait is
// over, the guest's frames are dropped, no guest code runs, and the operation completes with
// kCancelled. While the guest runs, cancellation takes effect when it next waits or is paused, so
// interrupt its store now and then.
//
// The guest, and what the handlers refer to, must live until the operation completes. Destroying a
// context also destroys the operations in progress and their steps, so the guests' stores must
// outlive the context.
//
// Asio before 1.25 does not detect the coroutines of clang with libstdc++. Compile the whole
// program with -DASIO_HAS_CO_AWAIT=1 then.
#ifndef FERMATA_ASIO_H_
#define FERMATA_ASIO_H_

// clang-format off
#include "fermata/needs_cxx20.h"  // first: the rest fails with worse words
// clang-format on

#include <asio/any_io_executor.hpp>
#include <asio/associator.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <concepts>
#include <exception>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "fermata/coroutine.h"

#if !defined(ASIO_HAS_CO_AWAIT)
#error "Asio has not detected coroutines: if the compiler has them, define ASIO_HAS_CO_AWAIT=1"
#endif

namespace fermata {
namespace asio_internal {

template <class T>
struct AsioAwaitable : std::false_type {};
template <class T, class Executor>
struct AsioAwaitable<asio::awaitable<T, Executor>> : std::true_type {
  using Result = T;
};

// How a handler answers op T: at once, with an asio::awaitable, or with another awaitable.
template <class Returned, class Result>
constexpr bool IsAsioAnswer() {
  if constexpr (AsioAwaitable<Returned>::value) {
    return typed::IsAnswer<typename AsioAwaitable<Returned>::Result, Result>();
  } else {
    return typed::IsAnswer<Returned, Result>() ||
           drive_internal::IsAwaitedAnswer<Returned, Result>();
  }
}
template <class H, class T>
concept Answers = std::invocable<H&, const T&> && IsAsioAnswer < std::invoke_result_t<H&, const T&>,
typename T::Result > ();
template <class H, class... T>
constexpr bool AnswersEach(typed::OpList<T...>) {
  return typed::AllOf({Answers<H, T>...});
}
template <class H, class Op>
concept AnswersAll = AnswersEach<H>(typed::OpListOf<Op>());

// Awaits something that is not Asio's, and continues on the coroutine's own executor. Meanwhile a
// timer waits, so that the context owns the coroutine, as it does while a coroutine waits for an
// operation of Asio.
template <class A>
asio::awaitable<AwaitResult<A>> Foreign(A awaitable) {
  struct Wait {
    explicit Wait(const asio::any_io_executor& executor)
        : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    bool over = false;
  };
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto wait = std::make_shared<Wait>(executor);
  auto body = [](A& a) -> Task<AwaitResult<A>> { co_return co_await static_cast<A&&>(a); };
  Task<AwaitResult<A>> task = body(awaitable);
  task.Start([executor, waiting = std::weak_ptr<Wait>(wait)] {
    asio::post(executor, [waiting] {
      const auto w = waiting.lock();
      if (w == nullptr) return;
      w->over = true;
      w->timer.cancel();
    });
  });
  // Cancellation ends the timer's wait too, but not that of the task.
  while (!task.done() && !wait->over) {
    asio::error_code ignored;
    co_await wait->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return task.Get();
}

// Answers op T with what the handler's awaitable gives.
template <class T, class S, class H>
asio::awaitable<absl::Status> AnswerLater(S& step, H& handler, const T& op) {
  using Returned = std::invoke_result_t<H&, const T&>;
  auto wait = [&]() {
    if constexpr (AsioAwaitable<Returned>::value) {
      return handler(op);
    } else {
      return Foreign<std::decay_t<Returned>>(handler(op));
    }
  };
  using Result = typename AsioAwaitable<decltype(wait())>::Result;
  absl::Status failed;
  try {
    if constexpr (std::is_void_v<Result>) {
      co_await wait();
      co_return drive_internal::ResumeWith<T>(step, [] {});
    } else {
      Result result = co_await wait();
      co_return drive_internal::ResumeWith<T>(step, [&]() -> Result { return std::move(result); });
    }
  } catch (...) {
    failed = drive_internal::Named(drive_internal::StatusOfException(), T::kImport);
  }
  co_return failed;
}

template <class T, class S, class H>
absl::Status AnswerAtOnce(S& step, H& handler, const T& op) {
  try {
    return drive_internal::ResumeWith<T>(step, [&]() -> decltype(auto) { return handler(op); });
  } catch (...) {
    return drive_internal::Named(drive_internal::StatusOfException(), T::kImport);
  }
}

// Answers the op on which the step is suspended: at once, or with an operation that does.
template <class S, class H>
std::variant<absl::Status, asio::awaitable<absl::Status>> Answer(S& step, H& handler,
                                                                 const typename S::Op& op) {
  using Answered = std::variant<absl::Status, asio::awaitable<absl::Status>>;
  return typed::VisitOp(
      [&]<class T>(const T& o) -> Answered {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return absl::OkStatus();  // a guest without ops
        } else if constexpr (typed::IsAnswer<std::invoke_result_t<H&, const T&>,
                                             typename T::Result>()) {
          return AnswerAtOnce(step, handler, o);
        } else {
          return AnswerLater(step, handler, o);
        }
      },
      op);
}

// Asks the handler about a paused call, if it has a case for that. Other work has had a turn by
// then.
template <class S, class H>
asio::awaitable<absl::Status> Decide(drive_internal::PausedStep<S>& paused, H& handler) {
  absl::Status status;
  if constexpr (drive_internal::AsksAboutPauses<H>) {
    static_assert(Answers<H, Pause>, "the handler of fermata::Pause must give fermata::Proceed");
    const auto op = paused.op();
    auto answered = Answer(paused, handler, op);
    if (answered.index() == 1) co_return co_await std::get<1>(std::move(answered));
    status = std::get<0>(answered);
  } else {
    status = paused.Unasked();
  }
  if (status.ok()) co_await asio::post(asio::use_awaitable);
  co_return status;
}

// What `Start` makes: a step, or absl::StatusOr of one.
template <class T>
struct Stepping {
  using Type = T;
};
template <class S>
struct Stepping<absl::StatusOr<S>> {
  using Type = S;
};
template <class Start>
using StepOf = typename Stepping<std::invoke_result_t<Start&>>::Type;
template <class Start>
using ResultOf = drive_internal::ResultOf<drive_internal::ValueOf<StepOf<Start>>>;

// The operation.
template <class Start, class H>
asio::awaitable<ResultOf<Start>> Run(Start start, H handler) {
  co_await asio::this_coro::reset_cancellation_state(asio::enable_partial_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::post(asio::use_awaitable);
  absl::Status status;
  const auto cancelled = [&](asio::cancellation_state state) {
    if (state.cancelled() == asio::cancellation_type::none) return false;
    status = absl::CancelledError("the call was cancelled");
    return true;
  };
  if (cancelled(co_await asio::this_coro::cancellation_state)) co_return status;
  absl::StatusOr<StepOf<Start>> made = start();
  if (!made.ok()) co_return made.status();
  StepOf<Start>& step = *made;
  if constexpr (requires { step.queued(); }) {
    if (step.queued()) {
      co_await Foreign(FromCallback([&step](Reply<> reply) { step.OnTurn(reply); }));
      if (cancelled(co_await asio::this_coro::cancellation_state)) co_return status;
      status = step.Begin();
    }
  }
  while (status.ok() && (step.paused() || (step.suspended() && !step.foreign()))) {
    if (step.paused()) {
      drive_internal::PausedStep<StepOf<Start>> paused(step);
      status = co_await Decide(paused, handler);
      if (cancelled(co_await asio::this_coro::cancellation_state)) break;
      if (status.ok()) status = paused.Go();
    } else {
      const auto op = step.op();
      auto answered = Answer(step, handler, op);
      if (answered.index() == 0) {
        status = std::get<0>(answered);
      } else {
        status = co_await std::get<1>(std::move(answered));
      }
    }
    if (!step.suspended() && !step.paused()) break;
    if (cancelled(co_await asio::this_coro::cancellation_state)) break;
  }
  co_return drive_internal::Conclude(step, status);
}

// What co_spawn completes: hands the result on to the handler, whose associations it has.
template <class Handler, class Result>
struct Completion {
  Handler handler;

  void operator()(std::exception_ptr exception, Result result) {
    if (exception) result = StatusOf(exception);
    std::move(handler)(std::move(result));
  }
  // `start` threw, or the operation was cancelled before it began: then co_spawn does not begin it.
  static absl::Status StatusOf(const std::exception_ptr& exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::system_error& error) {
      if (error.code() == asio::error::operation_aborted) {
        return absl::CancelledError("the call was cancelled");
      }
      return absl::InternalError(error.what());
    } catch (...) {
      return drive_internal::StatusOfException();
    }
  }
};

template <class T>
concept IoObject = requires(T& t) {
  t.get_executor();
};

}  // namespace asio_internal

// Runs `start()` on the executor, which makes the call: it returns a Step, an Activation, or
// absl::StatusOr of one. Then answers the ops of the call with `handler`, until the call has ended.
template <class Executor, class Start, class Handler, class CompletionToken>
requires(!asio_internal::IoObject<Executor> && std::invocable<Start&> &&
         asio_internal::AnswersAll<
             Handler,
             typename asio_internal::StepOf<Start>::Op>) auto async_call(const Executor& executor,
                                                                         Start start,
                                                                         Handler handler,
                                                                         CompletionToken&& token) {
  using Result = asio_internal::ResultOf<Start>;
  return asio::async_initiate<CompletionToken, void(Result)>(
      [](auto completion, asio::any_io_executor ex, Start s, Handler h) {
        asio::co_spawn(
            ex, asio_internal::Run<Start, Handler>(std::move(s), std::move(h)),
            asio_internal::Completion<decltype(completion), Result>{std::move(completion)});
      },
      token, asio::any_io_executor(executor), std::move(start), std::move(handler));
}

// The same, with the executor of an execution context or an I/O object.
template <asio_internal::IoObject IoObject, class Start, class Handler, class CompletionToken>
requires(std::invocable<Start&>&& asio_internal::AnswersAll<
         Handler, typename asio_internal::StepOf<Start>::Op>) auto async_call(IoObject& object,
                                                                              Start start,
                                                                              Handler handler,
                                                                              CompletionToken&&
                                                                                  token) {
  return fermata::async_call(object.get_executor(), std::move(start), std::move(handler),
                             std::forward<CompletionToken>(token));
}

}  // namespace fermata

// The completion has the executor, allocator and cancellation slot of the handler.
template <template <class, class> class Associator, class Handler, class Result, class Default>
struct asio::associator<Associator, fermata::asio_internal::Completion<Handler, Result>, Default>
    : Associator<Handler, Default> {
  static typename Associator<Handler, Default>::type get(
      const fermata::asio_internal::Completion<Handler, Result>& completion,
      const Default& fallback = Default()) noexcept {
    return Associator<Handler, Default>::get(completion.handler, fallback);
  }
};

#endif  // FERMATA_ASIO_H_
