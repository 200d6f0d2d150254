// fermata/wasi/asio.h: WASI programs on Asio's executors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/local/connect_pair.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "asio_guest.h"
#include "asio_paused_guest.h"
#include "fermata/wasi/asio.h"

#if __has_include(<asio/deferred.hpp>)
#include <asio/deferred.hpp>
#define TEST_DEFERRED asio::deferred
#elif __has_include(<asio/experimental/deferred.hpp>)
#include <asio/experimental/deferred.hpp>
#define TEST_DEFERRED asio::experimental::deferred
#endif

namespace wasi_asio {
namespace {

namespace wasi = fermata::wasi;
using fermata::Value;
using wasi::async_run;
using wasi::Process;
using State = wasi::Process::State;
using Socket = asio::local::stream_protocol::socket;

constexpr uint64_t kHour = 3'600'000'000'000;

std::unique_ptr<Process> Start(const char* export_name, std::vector<Value> arguments = {},
                               wasi::Config config = {}) {
  auto process = Process::Create(guests::GuestModuleInfo(), {.config = std::move(config)});
  EXPECT_TRUE(process.ok()) << process.status();
  const absl::Status begun = (*process)->Begin(export_name, arguments);
  EXPECT_TRUE(begun.ok()) << begun;
  return *std::move(process);
}

// Two connected sockets: a guest's standard streams, and the test's end.
struct Connection {
  explicit Connection(asio::io_context& io) : socket(io) {
    Socket other(io);
    asio::local::connect_pair(socket, other);
    stream = *wasi::DescriptorStream(other.release(), /*owned=*/true);
  }
  wasi::Config Config() const { return {.in = stream, .out = stream}; }
  Socket socket;
  std::shared_ptr<wasi::Stream> stream;
};

uint64_t Result(Process& process) {
  const auto results = process.step().results();
  return results.empty() ? 0 : results[0].low;
}

// A completion handler that remembers.
struct Outcome {
  std::optional<State> state;
  int calls = 0;
  auto Handler() {
    return [this](State s) { state = s, ++calls; };
  }
};

// ---- Completion tokens ----

TEST(WasiAsio, NeverRunsGuestCodeWithinAsyncRun) {
  asio::io_context io;
  std::string output;
  auto process =
      Start("chant", {Value::I32('x'), Value::I32(1)}, {.out = wasi::CollectingStream(&output)});
  Outcome outcome;
  async_run(*process, io, outcome.Handler());
  EXPECT_EQ(output, "");
  EXPECT_EQ(process->state(), State::kReady);
  io.run();
  EXPECT_EQ(output, "x");
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(outcome.calls, 1);
}

TEST(WasiAsio, Future) {
  asio::io_context io;
  auto process = Start("sleep", {Value::I64(1)});
  std::future<State> state =
      async_run(*process, io, asio::bind_executor(io.get_executor(), asio::use_future));
  std::thread thread([&] { io.run(); });
  EXPECT_EQ(state.get(), State::kFinished);
  thread.join();
  EXPECT_EQ(Result(*process), 9u);
}

#ifdef ASIO_HAS_CO_AWAIT
asio::awaitable<void> SleepTwice(State& state, uint64_t& result) {
  auto process = Start("sleep", {Value::I64(1)});
  const auto executor = co_await asio::this_coro::executor;
  EXPECT_EQ(co_await async_run(*process, executor, asio::use_awaitable), State::kFinished);
  EXPECT_TRUE(process->Begin("sleep", std::vector{Value::I64(1)}).ok());
  state = co_await async_run(*process, executor, asio::use_awaitable);
  result = Result(*process);
}

TEST(WasiAsio, Coroutine) {
  asio::io_context io;
  State state = State::kReady;
  uint64_t result = 0;
  asio::co_spawn(io, SleepTwice(state, result), asio::detached);
  io.run();
  EXPECT_EQ(state, State::kFinished);
  EXPECT_EQ(result, 9u);
}

asio::awaitable<void> SleepLong(std::weak_ptr<Process>& watched) {
  std::shared_ptr<Process> process = Start("sleep", {Value::I64(kHour)});
  watched = process;
  co_await async_run(*process, co_await asio::this_coro::executor, asio::use_awaitable);
}

TEST(WasiAsio, ACoroutineThatOwnsItsProcessGoesWithTheContext) {
  std::weak_ptr<Process> watched;
  {
    asio::io_context io;
    asio::co_spawn(io, SleepLong(watched), asio::detached);
    io.poll();
    EXPECT_FALSE(watched.expired());
  }
  EXPECT_TRUE(watched.expired());
}
#endif

#ifdef TEST_DEFERRED
TEST(WasiAsio, Deferred) {
  asio::io_context io;
  auto process = Start("sleep", {Value::I64(1)});
  auto operation = async_run(*process, io, TEST_DEFERRED);
  io.run();
  EXPECT_EQ(process->state(), State::kReady);
  Outcome outcome;
  std::move(operation)(outcome.Handler());
  io.restart();
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
}
#endif

TEST(WasiAsio, AHandlerThatCanOnlyBeMovedAndOwnsTheProcess) {
  asio::io_context io;
  auto owned = Start("sleep", {Value::I64(1)});
  Process& process = *owned;
  std::optional<State> state;
  async_run(process, io, [&state, owned = std::move(owned)](State s) mutable {
    owned.reset();
    state = s;
  });
  io.run();
  EXPECT_EQ(state, State::kFinished);
}

TEST(WasiAsio, GuestAndHandlerRunInTheHandlersExecutor) {
  asio::io_context io;
  auto strand = asio::make_strand(io);
  int inside = 0, outside = 0;
  wasi::StreamCallbacks callbacks;
  callbacks.write = [&](absl::Span<const uint8_t> bytes) {
    ++(strand.running_in_this_thread() ? inside : outside);
    return wasi::IoResult{wasi::Errno::kSuccess, bytes.size()};
  };
  auto process =
      Start("chant", {Value::I32('x'), Value::I32(5)}, {.out = wasi::CallbackStream(callbacks)});
  bool handled_inside = false;
  async_run(*process, io, asio::bind_executor(strand, [&](State) {
    handled_inside = strand.running_in_this_thread();
  }));
  io.run();
  EXPECT_EQ(inside, 5);
  EXPECT_EQ(outside, 0);
  EXPECT_TRUE(handled_inside);
}

// Counts what is not freed.
template <typename T>
struct Counting {
  using value_type = T;
  explicit Counting(int* live) : live(live) {}
  template <typename U>
  Counting(const Counting<U>& other) : live(other.live) {}  // NOLINT: allocators convert
  T* allocate(size_t n) {
    ++*live;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, size_t n) {
    --*live;
    std::allocator<T>().deallocate(p, n);
  }
  template <typename U>
  bool operator==(const Counting<U>& other) const {
    return live == other.live;
  }
  int* live;
};
struct AllocatingHandler {
  using allocator_type = Counting<void>;
  allocator_type get_allocator() const { return allocator_type(live); }
  void operator()(State) const { *live_then = *live; }
  int *live, *live_then;
};

TEST(WasiAsio, UsesTheHandlersAllocatorAndFreesBeforeCompleting) {
  asio::io_context io;
  Connection connection(io);
  int live = 0, live_then = -1;
  auto process = Start("cat", {}, connection.Config());
  async_run(*process, io, AllocatingHandler{&live, &live_then});
  io.poll();
  EXPECT_GT(live, 0);
  connection.socket.close();
  io.run();
  EXPECT_EQ(live_then, 0);
}

// ---- Waiting ----

TEST(WasiAsio, SocketAsStandardInputAndOutput) {
  asio::io_context io;
  Connection connection(io);
  auto process = Start("cat", {}, connection.Config());
  connection.stream = nullptr;  // the process's alone
  Outcome outcome;
  async_run(*process, io, outcome.Handler());
  const std::vector<std::string> texts = {"hello", "world", std::string(1000, 'x')};
  for (const std::string& text : texts) {
    io.restart();
    io.poll();
    EXPECT_EQ(process->state(), State::kWaiting);
    std::string answer(text.size(), ' ');
    asio::async_write(connection.socket, asio::buffer(text), asio::detached);
    asio::async_read(connection.socket, asio::buffer(answer),
                     [&](asio::error_code, size_t) { io.stop(); });
    io.run();
    EXPECT_EQ(answer, text);
  }
  connection.socket.shutdown(Socket::shutdown_send);
  io.restart();
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(Result(*process), 1010u);
}

TEST(WasiAsio, AWriteWaitsForRoom) {
  asio::io_context io;
  Connection connection(io);
  constexpr uint32_t kSize = 4 << 20;  // more than sockets hold
  auto process = Start("flood", {Value::I32(kSize)}, connection.Config());
  Outcome outcome;
  async_run(*process, io, outcome.Handler());
  io.poll();
  EXPECT_EQ(process->state(), State::kWaiting);
  std::string received(kSize, 'x');
  asio::async_read(connection.socket, asio::buffer(received), asio::detached);
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(received, std::string(kSize, '\0'));
}

TEST(WasiAsio, DeadlineOrInput) {
  asio::io_context io;
  Connection connection(io);
  auto process = Start("read_within", {Value::I64(1)}, connection.Config());
  Outcome outcome;
  async_run(*process, io, outcome.Handler());
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(Result(*process), 9u);  // the deadline

  ASSERT_TRUE(process->Begin("read_within", std::vector{Value::I64(kHour)}).ok());
  async_run(*process, io, outcome.Handler());
  io.restart();
  io.poll();
  EXPECT_EQ(outcome.calls, 1);
  asio::write(connection.socket, asio::buffer("x", 1));
  io.run();
  EXPECT_EQ(outcome.calls, 2);
  EXPECT_EQ(Result(*process), 7u);  // the input
}

TEST(WasiAsio, OneSleepsWhileTheOtherWakes) {
  asio::io_context io;
  auto brief = Start("sleep", {Value::I64(1)});
  auto endless = Start("sleep", {Value::I64(~uint64_t{0})});
  Outcome first, second;
  async_run(*endless, io, second.Handler());
  async_run(*brief, io, first.Handler());
  while (first.calls == 0) io.run_one();
  EXPECT_EQ(first.state, State::kFinished);
  EXPECT_EQ(endless->state(), State::kWaiting);
  endless->Abort("enough");
  io.run();
  EXPECT_EQ(second.state, State::kTrapped);
  EXPECT_EQ(endless->message(), "enough");
}

TEST(WasiAsio, GuestsThatYieldTakeTurns) {
  asio::io_context io;
  std::string output;
  const auto stream = wasi::CollectingStream(&output);
  auto a = Start("chant", {Value::I32('a'), Value::I32(4)}, {.out = stream});
  auto b = Start("chant", {Value::I32('b'), Value::I32(4)}, {.out = stream});
  async_run(*a, io, asio::detached);
  async_run(*b, io, asio::detached);
  io.run();
  EXPECT_EQ(output, "abababab");
}

TEST(WasiAsio, AStreamWithoutHandleIsWokenByTheEmbedder) {
  asio::io_context io;
  wasi::MemoryPipe pipe;
  std::string output;
  auto process = Start("cat", {}, {.in = pipe.reader(), .out = wasi::CollectingStream(&output)});
  Outcome outcome;
  async_run(*process, io, outcome.Handler());
  io.poll();
  EXPECT_EQ(process->state(), State::kWaiting);
  pipe.Write("in");
  EXPECT_EQ(io.poll(), 0u);
  process->Wake();
  io.poll();
  EXPECT_EQ(output, "in");
  process->Wake();  // in vain
  io.poll();
  EXPECT_EQ(outcome.calls, 0);
  pipe.Close();
  process->Wake();
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
}

TEST(WasiAsio, AWakeWhileTheGuestRunsIsNotLost) {
  asio::io_context io;
  Process* running = nullptr;
  int reads = 0;
  wasi::StreamCallbacks callbacks;
  callbacks.read = [&](absl::Span<uint8_t>) -> wasi::IoResult {
    if (++reads == 3) return {};
    running->Wake();  // says that the next try may be better, and has not returned yet
    return wasi::IoResult::Failed(wasi::Errno::kAgain);
  };
  callbacks.can_read = [] { return false; };
  auto process = Start("cat", {}, {.in = wasi::CallbackStream(callbacks)});
  running = process.get();
  Outcome outcome;
  async_run(*process, io, outcome.Handler());
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(reads, 3);
}

TEST(WasiAsio, CompletesForTheEmbeddersOwnOps) {
  asio::io_context io;
  auto process = Start("ask_twice", {Value::I32(5)});
  Outcome outcome;
  for (int times = 1; times <= 2; ++times) {
    async_run(*process, io, outcome.Handler());
    io.restart();
    io.run();
    ASSERT_EQ(outcome.calls, times);
    ASSERT_EQ(outcome.state, State::kForeign);
    ASSERT_EQ(process->step().op_name(), "ask");
    const uint32_t asked = process->step().op_arguments()[0].i32();
    ASSERT_TRUE(process->step().Resume(std::vector{Value::I32(asked * 10)}).ok());
  }
  async_run(*process, io, outcome.Handler());
  io.restart();
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(Result(*process), 500u);
}

// An import of WASI's name that the host has bound, and that suspends, is the host's to answer.
TEST(WasiAsio, CompletesForAnOverriddenImport) {
  asio::io_context io;
  std::string output;
  int asked = 0;
  Process::Options options;
  options.config.out = wasi::CollectingStream(&output);
  options.imports = [&](fermata::StoreHandle&, fermata::Imports& imports) {
    const auto x = fermata::ValType::kI32;
    imports.AddAnswering(
        "wasi_snapshot_preview1", "fd_read", {{x, x, x, x}, {x}},
        [&](fermata::DynamicInstance&, absl::Span<const uint64_t>, absl::Span<uint64_t>) {
          ++asked;
          return fermata::HostReply::Suspend();
        });
    return absl::OkStatus();
  };
  auto process = Process::Create(guests::GuestModuleInfo(), std::move(options));
  ASSERT_TRUE(process.ok()) << process.status();
  Process& p = **process;
  ASSERT_TRUE(p.Begin("cat", {}).ok());
  Outcome outcome;
  for (const char* text : {"from ", "the host", ""}) {
    async_run(p, io, outcome.Handler());
    io.restart();
    io.run();
    ASSERT_EQ(outcome.state, State::kForeign);
    EXPECT_EQ(p.step().op_name(), "fd_read");
    uint8_t* const memory = p.instance().FindMemory("memory")->data();
    memory[8] = static_cast<uint8_t>(strlen(text));
    memcpy(memory + 1024, text, strlen(text));
    ASSERT_TRUE(p.step().Resume(std::vector{Value::I32(0)}).ok());
  }
  async_run(p, io, outcome.Handler());
  io.restart();
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(output, "from the host");
  EXPECT_EQ(asked, 3);
}

// What is taken from a guest that waits for it wakes the guest.
TEST(WasiAsio, ADescriptorIsTakenAway) {
  asio::io_context io;
  Connection connection(io);
  auto process = Start("cat", {}, connection.Config());
  Outcome outcome;
  async_run(*process, io, outcome.Handler());
  io.poll();
  EXPECT_EQ(process->state(), State::kWaiting);
  ASSERT_TRUE(process->system().Remove(0).ok());
  io.run();
  EXPECT_EQ(outcome.state, State::kTrapped) << "the guest takes no errors";
  // Another takes its place.
  asio::io_context again;
  Connection other(again);
  EXPECT_EQ(*process->system().Add(other.stream), 0u);
  ASSERT_TRUE(process->Begin("cat", {}).ok());
  async_run(*process, again, outcome.Handler());
  asio::write(other.socket, asio::buffer("abc", 3));
  other.socket.shutdown(Socket::shutdown_send);
  again.run();
  EXPECT_EQ(outcome.state, State::kFinished);
  EXPECT_EQ(Result(*process), 3u);
}

TEST(WasiAsio, CompletesWhenTheGuestIsPaused) {
  asio::io_context io;
  Connection connection(io);
  auto process = Process::Create(guests::PausedGuestModuleInfo(), {.config = connection.Config()});
  ASSERT_TRUE(process.ok()) << process.status();
  Process& p = **process;
  ASSERT_TRUE(p.Begin("cat", {}).ok());
  asio::write(connection.socket, asio::buffer("ab", 2));
  p.store().interrupter().Interrupt();
  Outcome first;
  async_run(p, io, first.Handler());
  io.run();
  EXPECT_EQ(first.state, State::kPaused);
  EXPECT_TRUE(p.step().interrupted());
  p.store().SetFuel(0);
  connection.socket.shutdown(Socket::shutdown_send);
  Outcome second;
  async_run(p, io, second.Handler());
  io.restart();
  io.run();
  EXPECT_EQ(second.state, State::kFinished);
  EXPECT_EQ(Result(p), 2u);
}

TEST(WasiAsio, ExitsAndTraps) {
  asio::io_context io;
  auto leaving = Start("leave");
  auto failing = Start("cat", {}, {.in = *wasi::DescriptorStream(open("/", O_RDONLY), true)});
  Outcome left, failed;
  async_run(*leaving, io, left.Handler());
  async_run(*failing, io, failed.Handler());
  io.run();
  EXPECT_EQ(left.state, State::kExited);
  EXPECT_EQ(leaving->exit_code(), 3);
  EXPECT_EQ(failed.state, State::kTrapped);
  // What has ended completes as what it is.
  async_run(*leaving, io, left.Handler());
  io.restart();
  io.run();
  EXPECT_EQ(left.calls, 2);
  EXPECT_EQ(left.state, State::kExited);
}

// ---- Cancellation ----

class WasiAsioCancel : public testing::Test {
 protected:
  void Run(Process& process) {
    async_run(process, io, asio::bind_cancellation_slot(signal.slot(), outcome.Handler()));
  }
  void ExpectCancelled(const Process& process) {
    EXPECT_EQ(outcome.calls, 1);
    EXPECT_EQ(outcome.state, State::kTrapped);
    EXPECT_EQ(process.message(), "cancelled");
  }

  asio::io_context io;
  asio::cancellation_signal signal;
  Outcome outcome;
};

TEST_F(WasiAsioCancel, WhileWaitingForASocket) {
  Connection connection(io);
  auto process = Start("cat", {}, connection.Config());
  Run(*process);
  io.poll();
  EXPECT_EQ(outcome.calls, 0);
  signal.emit(asio::cancellation_type::terminal);
  io.run();
  ExpectCancelled(*process);

  // The process can be told to do something else.
  ASSERT_TRUE(process->Begin("sleep", std::vector{Value::I64(1)}).ok());
  async_run(*process, io, outcome.Handler());
  io.restart();
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
}

TEST_F(WasiAsioCancel, WhileAsleep) {
  auto process = Start("sleep", {Value::I64(kHour)});
  Run(*process);
  io.poll();
  signal.emit(asio::cancellation_type::partial);
  io.run();
  ExpectCancelled(*process);
}

TEST_F(WasiAsioCancel, WhileWaitingForTheEmbedder) {
  wasi::MemoryPipe pipe;
  auto process = Start("cat", {}, {.in = pipe.reader()});
  Run(*process);
  io.poll();
  signal.emit(asio::cancellation_type::terminal);
  io.run();
  ExpectCancelled(*process);
}

TEST_F(WasiAsioCancel, BeforeItHasBegun) {
  std::string output;
  auto process =
      Start("chant", {Value::I32('x'), Value::I32(1)}, {.out = wasi::CollectingStream(&output)});
  Run(*process);
  signal.emit(asio::cancellation_type::terminal);
  io.run();
  ExpectCancelled(*process);
  EXPECT_EQ(output, "");
}

TEST_F(WasiAsioCancel, ByTheGuestsOwnCall) {
  wasi::StreamCallbacks callbacks;
  callbacks.write = [&](absl::Span<const uint8_t> bytes) {
    signal.emit(asio::cancellation_type::terminal);
    return wasi::IoResult{wasi::Errno::kSuccess, bytes.size()};
  };
  auto process =
      Start("chant", {Value::I32('x'), Value::I32(3)}, {.out = wasi::CallbackStream(callbacks)});
  Run(*process);
  io.run();
  ExpectCancelled(*process);
}

TEST_F(WasiAsioCancel, ATotalCancellationIsNotPossible) {
  auto process = Start("sleep", {Value::I64(1)});
  Run(*process);
  signal.emit(asio::cancellation_type::total);  // what the guest has done can't be undone
  io.run();
  EXPECT_EQ(outcome.state, State::kFinished);
}

// ---- Ends ----

TEST(WasiAsio, DestroyingTheContextDestroysHandlersAndWhatTheyOwn) {
  const auto token = std::make_shared<int>();
  asio::io_context peers;
  Connection connection(peers);
  int completed = 0;
  {
    asio::io_context io;
    wasi::MemoryPipe pipe;
    std::vector<std::unique_ptr<Process>> processes;
    processes.push_back(Start("cat", {}, connection.Config()));
    processes.push_back(Start("sleep", {Value::I64(kHour)}));
    processes.push_back(Start("cat", {}, {.in = pipe.reader()}));
    processes.push_back(Start("read_within", {Value::I64(kHour)}, connection.Config()));
    connection.stream = nullptr;
    for (auto& owned : processes) {
      Process& process = *owned;
      async_run(process, io, [&, token, owned = std::move(owned)](State) { ++completed; });
    }
    io.poll();
    auto late = Start("sleep", {Value::I64(1)});
    Process& process = *late;
    async_run(process, io, [&, token, owned = std::move(late)](State) { ++completed; });
    EXPECT_EQ(token.use_count(), 6);
  }
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(completed, 0);
  char byte;
  asio::error_code error;
  asio::read(connection.socket, asio::buffer(&byte, 1), error);
  EXPECT_EQ(error, asio::error::eof);  // the guests' ends are closed
}

TEST(WasiAsio, AProcessOutlivesTheContextItRanOn) {
  std::unique_ptr<Process> process;
  {
    asio::io_context io;
    process = Start("sleep", {Value::I64(kHour)});
    async_run(*process, io, asio::detached);
    io.poll();
  }
  process->Wake();  // nobody is there
  asio::io_context other;
  Outcome outcome;
  async_run(*process, other, outcome.Handler());
  other.poll();
  EXPECT_EQ(process->state(), State::kWaiting);
  process->Abort("enough");
  other.run();
  EXPECT_EQ(outcome.state, State::kTrapped);
}

TEST(WasiAsio, AStreamThatTheGuestClosesIsClosedWhenItWaitsNext) {
  asio::io_context io;
  Connection connection(io);
  auto process = Start("close_and_sleep", {Value::I64(kHour)},
                       {.sockets = {std::exchange(connection.stream, nullptr)}});
  async_run(*process, io, asio::detached);
  io.poll();
  char byte;
  asio::error_code error;
  asio::read(connection.socket, asio::buffer(&byte, 1), error);
  EXPECT_EQ(error, asio::error::eof);
}

// ---- Threads ----

TEST(WasiAsio, ManyProcessesOnAThreadPoolEachWithAStrand) {
  constexpr int kProcesses = 32, kRounds = 20;
  asio::io_context io;  // of the test's ends
  asio::thread_pool pool(4);
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<std::unique_ptr<Process>> processes;
  std::vector<std::future<State>> states;
  for (int i = 0; i < kProcesses; ++i) {
    connections.push_back(std::make_unique<Connection>(io));
    processes.push_back(Start("cat", {}, connections[i]->Config()));
    const auto strand = asio::make_strand(pool);
    states.push_back(
        async_run(*processes[i], strand, asio::bind_executor(strand, asio::use_future)));
  }
  for (int round = 0; round < kRounds; ++round) {
    const std::string text = "round " + std::to_string(round);
    for (auto& connection : connections) asio::write(connection->socket, asio::buffer(text));
    for (auto& connection : connections) {
      std::string answer(text.size(), ' ');
      asio::read(connection->socket, asio::buffer(answer));
      EXPECT_EQ(answer, text);
    }
  }
  for (auto& connection : connections) connection->socket.shutdown(Socket::shutdown_send);
  for (auto& state : states) EXPECT_EQ(state.get(), State::kFinished);
  pool.join();
}

// There is one wait at a time: the operation itself needs no strand, as its guest shares no store.
TEST(WasiAsio, ManyThreadsOfOneContextWithoutStrands) {
  asio::io_context io;
  std::vector<std::unique_ptr<Process>> processes;
  std::vector<std::future<State>> states;
  for (int i = 0; i < 32; ++i) {
    processes.push_back(Start("chant", {Value::I32('x'), Value::I32(200)}));
    states.push_back(
        async_run(*processes[i], io, asio::bind_executor(io.get_executor(), asio::use_future)));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { io.run(); });
  for (std::thread& thread : threads) thread.join();
  for (auto& state : states) EXPECT_EQ(state.get(), State::kFinished);
}

}  // namespace
}  // namespace wasi_asio
