// Runs WASI programs on Asio (standalone Asio, 1.22 or newer: define ASIO_STANDALONE).
//
//   asio::io_context io;
//   auto process = wasi::Process::Create(guest::ToolModuleInfo(), std::move(options));
//   wasi::async_run(**process, io, [&](wasi::Process::State state) { … });
//   io.run();
//
// One thread runs as many programs as there is memory for: a program that waits holds no thread.
//
// async_run is an asynchronous operation like Asio's own: it takes any completion token, uses the
// executor, allocator and cancellation slot that are associated with the handler, and counts as
// work. Guest code runs in the handler's executor, by default the one given: if several threads
// run that, give a strand for each store. It never runs within async_run itself. asio::use_future
// has an executor of its own, Asio's system executor: with asio::bind_executor(e,
// asio::use_future) the guest runs on `e`, and nothing of the operation is left once `e`'s context
// has ended.
//
// It completes when the call has ended. It also completes with kForeign when the guest has called
// an import of the host's (answer process.step() and call async_run again), and with kPaused.
//
// Cancellation, terminal or partial, aborts the guest's call when the guest next waits; the
// operation completes with kTrapped and the message "cancelled". The process can Begin another call
// afterwards.
//
// A stream without a native handle (MemoryPipe, CallbackStream) can't be watched: call
// process.Wake() when it has become ready. If a guest waits only for such streams and is never
// woken, it waits for ever, and so does the operation. Process::Abort ends it too.
//
// The process must live until the operation completes; the handler may own it. Destroying an
// io_context destroys the operations in progress, their handlers, and what these own. That uses no
// process and runs no guest code.
#ifndef FERMATA_WASI_ASIO_H_
#define FERMATA_WASI_ASIO_H_

#include <asio/associated_executor.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/compose.hpp>
#include <asio/error.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "fermata/needs_cxx20.h"
#include "fermata/wasi/process.h"
#include "fermata/wasi/wait_set.h"

#if !defined(ASIO_HAS_POSIX_STREAM_DESCRIPTOR)
#error "fermata/wasi/asio.h needs descriptors that can be watched, which this system has not"
#endif

namespace fermata::wasi {
namespace asio_internal {

// What a process waits with. There is never more than one wait in progress, so the operation itself
// needs no strand even if many threads run the executor.
template <typename Executor>
class Waiter {
 public:
  explicit Waiter(const Executor& executor) : descriptor_(executor), timer_(executor) {}
  ~Waiter() {
    if (descriptor_.is_open()) descriptor_.release();  // it is set_'s
  }
  Waiter(const Waiter&) = delete;

  // Ends the wait in progress, if there is one. Otherwise the next one does not begin.
  void Wake() {
    woken_ = true;
    timer_.cancel();
    asio::error_code ignored;
    if (descriptor_.is_open()) descriptor_.cancel(ignored);
  }
  void ForgetWake() { woken_ = false; }

  // Calls `handler` when `wait` may be over, or returns an error if it can't be waited for.
  template <typename Handler>
  absl::Status Start(const Wait& wait, Handler&& handler) {
    absl::StatusOr<WaitSet::State> outcome = set_.Update(wait);
    if (!outcome.ok()) return outcome.status();
    if (woken_ || *outcome == WaitSet::State::kReady) {
      asio::post(std::forward<Handler>(handler));
    } else if (*outcome == WaitSet::State::kHandles) {
      asio::error_code error;
      if (!descriptor_.is_open()) descriptor_.assign(set_.descriptor(), error);
      if (error) return absl::ResourceExhaustedError(error.message());
      descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                             std::forward<Handler>(handler));
    } else {
      timer_.expires_at(wait.deadline ? At(*wait.deadline) : Clock::time_point::max());
      timer_.async_wait(std::forward<Handler>(handler));
    }
    return absl::OkStatus();
  }

 private:
  using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as Wait's deadlines
  static Clock::time_point At(uint64_t ns) {
    constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
    return Clock::time_point(std::chrono::nanoseconds(ns < kMost ? ns : kMost));
  }

  WaitSet set_;
  asio::posix::basic_stream_descriptor<Executor> descriptor_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer_;
  bool woken_ = false;
};

// The operation, as async_compose wants it: called at its start and after each wait.
template <typename Executor>
class RunOperation {
 public:
  RunOperation(Process& process, const Executor& executor)
      : process_(&process), waiter_(std::make_shared<Waiter<Executor>>(executor)) {}

  template <typename Self>
  void operator()(Self& self, asio::error_code error = {}) {
    if (!started_) {
      started_ = true;
      self.reset_cancellation_state(asio::enable_partial_cancellation());
      process_->SetWaker([waiter = std::weak_ptr(waiter_)] {
        if (const auto alive = waiter.lock()) alive->Wake();
      });
      return asio::post(std::move(self));
    }
    if (error && error != asio::error::operation_aborted) {
      return Abort(self, error.message());
    }
    const auto cancelled = [&] {
      return self.get_cancellation_state().cancelled() != asio::cancellation_type::none;
    };
    waiter_->ForgetWake();
    if (!cancelled() && process_->Run() != Process::State::kWaiting) return Complete(self);
    if (cancelled()) return Abort(self, "cancelled");
    // The handler takes ownership of `self`, and so of this object.
    Waiter<Executor>& waiter = *waiter_;
    const absl::Status waits = waiter.Start(process_->wait(), std::move(self));
    if (!waits.ok()) Abort(self, waits.message());  // `self` is still here
  }

 private:
  template <typename Self>
  void Abort(Self& self, absl::string_view message) {
    process_->Abort(message);
    Complete(self);
  }
  template <typename Self>
  void Complete(Self& self) {
    process_->SetWaker(nullptr);
    waiter_.reset();
    self.complete(process_->state());
  }

  Process* process_;
  std::shared_ptr<Waiter<Executor>> waiter_;
  bool started_ = false;
};

template <typename T>
concept IoObject = requires(T& t) {
  t.get_executor();
};

}  // namespace asio_internal

// Runs the process, from the state that it is in, until its call has ended, or it waits for the
// host. The completion signature is void(Process::State).
template <typename Executor, typename CompletionToken>
requires(!asio_internal::IoObject<Executor>) auto async_run(Process& process,
                                                            const Executor& executor,
                                                            CompletionToken&& token) {
  return asio::async_compose<CompletionToken, void(Process::State)>(
      asio_internal::RunOperation<Executor>(process, executor), token, executor);
}

// The same, with the executor of an execution context or an I/O object.
template <asio_internal::IoObject IoObject, typename CompletionToken>
auto async_run(Process& process, IoObject& object, CompletionToken&& token) {
  return wasi::async_run(process, object.get_executor(), std::forward<CompletionToken>(token));
}

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_ASIO_H_
