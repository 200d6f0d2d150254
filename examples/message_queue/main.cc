// Native threads read messages from sockets and hand them to a guest, which has none of its own.
//
//   message_queue [--messages N] [--producers N] [--stop-after N]
//
// A sender and a reader thread for each producer, with a socket between them; all readers push into
// one ring, and the guest's call waits at its other end. Who is faster waits: the guest's call is
// suspended while the ring is empty; a reader while it is full, and so its sender, by the socket.
//
// Exits with 1 if a message was lost, came twice, or overtook another of its producer. With
// --stop-after everything is stopped in full flight, and the guest's call dropped where it is.
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

#include "counter.h"
#include "fermata/ring.h"
#include "load.h"

using guest::Counter;

namespace {

using Ring = fermata::MpscRing<Message>;

// Pushes; waits while the ring is full. False if it is closed.
bool Push(Ring& ring, const Message& message) {
  std::binary_semaphore space(0);
  while (true) {
    const fermata::PushResult result = ring.TryPush(message);
    if (result != fermata::PushResult::kFull) return result == fermata::PushResult::kPushed;
    if (ring.OnSpace([&space] { space.release(); })) space.acquire();
  }
}

// A native I/O thread: blocks on its socket, knows nothing of guests.
void Read(int socket, Ring& ring) {
  char buffer[1000 * sizeof(Message)];
  size_t filled = 0;
  for (ssize_t got; (got = recv(socket, buffer + filled, sizeof buffer - filled, 0)) > 0;) {
    filled += got;
    size_t used = 0;
    for (; filled - used >= sizeof(Message); used += sizeof(Message)) {
      Message message;
      std::memcpy(&message, buffer + used, sizeof message);
      if (!Push(ring, message)) return void(close(socket));
    }
    std::memmove(buffer, buffer + used, filled -= used);
  }
  close(socket);
}

// A loop as small as can be, for the guest's thread: runs what is posted, whoever's it is.
class Loop {
 public:
  void Post(std::function<void()> work) {  // any thread
    std::lock_guard<std::mutex> lock(mutex_);
    work_.push_back(std::move(work));
    posted_.notify_one();
  }
  void RunOne() {
    std::unique_lock<std::mutex> lock(mutex_);
    posted_.wait(lock, [this] { return !work_.empty(); });
    const std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> work_;
};

// The guest's call and its ring.
struct Consumer {
  // Hands over what there is, and leaves word to go on when there is more.
  void Pump() {
    while (step.suspended()) {
      if (stop_after != 0 && taken == stop_after) return ring.Close(), step.Cancel();
      if (const auto message = ring.TryPop()) {
        ++taken;
        if (!step.Resume<Counter::queue_wait_message>(Write(*message)).ok()) return;
      } else if (ring.finished()) {
        if (!step.Resume<Counter::queue_wait_message>(0).ok()) return;
      } else if (ring.OnReady([this] { loop.Post([this] { Pump(); }); })) {
        ++waits;
        return;
      }
    }
  }
  int32_t Write(const Message& message) {
    const auto [address, capacity] = std::get<Counter::queue_wait_message>(step.op());
    const auto to = guest.memory().Span(static_cast<uint32_t>(address), sizeof message);
    if (to.data() == nullptr || capacity < static_cast<int32_t>(sizeof message)) return 0;
    std::memcpy(to.data(), &message, sizeof message);
    return sizeof message;
  }

  Counter& guest;
  Ring& ring;
  Loop& loop;
  const uint64_t stop_after;
  fermata::Step<int32_t, Counter> step = guest.run();
  uint64_t taken = 0, waits = 0;
};

int Fail(const char* what) { return std::fprintf(stderr, "message_queue: FAILED: %s\n", what), 1; }

int Run(uint32_t messages, uint32_t producers, uint64_t stop_after) {
  auto guest = Counter::Create();
  if (!guest.ok()) return Fail(guest.status().ToString().c_str());
  Ring ring(1024);
  std::vector<std::thread> senders, readers;
  const auto start = std::chrono::steady_clock::now();
  for (uint32_t p = 0; p < producers; ++p) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    senders.emplace_back(Send, ends[0], p, messages / producers);
    readers.emplace_back(Read, ends[1], std::ref(ring));
  }
  std::thread closer([&] {
    for (std::thread& reader : readers) reader.join();
    ring.Close();
  });
  Loop loop;
  Consumer consumer{**guest, ring, loop, stop_after};
  loop.Post([&consumer] { consumer.Pump(); });
  while (consumer.step.suspended()) loop.RunOne();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  closer.join();
  for (std::thread& sender : senders) sender.join();

  if ((*guest)->wrong_messages().value() != 0) return Fail("a message is wrong");
  const bool ended = consumer.step.finished();
  if (ended == (stop_after != 0)) return Fail(consumer.step.message().c_str());
  for (uint32_t p = 0; ended && p < producers; ++p) {
    const uint32_t received = (*guest)->received_from(p).value();
    if (received != messages / producers) return Fail("messages were lost");
  }
  std::printf("%llu messages of %u producers, in order; %.0f a second; waited %llu times\n",
              static_cast<unsigned long long>(consumer.taken), producers,
              consumer.taken / time.count(), static_cast<unsigned long long>(consumer.waits));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t messages = 1'000'000, producers = 4, stop_after = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--messages") == 0) messages = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--producers") == 0) producers = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--stop-after") == 0) stop_after = std::atoi(argv[i + 1]);
  }
  if (producers < 1 || producers > 64) return Fail("--producers takes 1 to 64");
  return Run(messages, producers, stop_after);
}
