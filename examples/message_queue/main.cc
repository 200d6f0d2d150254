// Native threads read messages from sockets and hand them to a guest, which has no threads of its
// own.
//
//   message_queue [--stop-after N]
//
// There is a sender and a reader thread for each producer, with a socket between them. All readers
// push into one ring, and the guest's call waits at its other end. Each side waits for a slower
// one: the guest's call is suspended while the ring is empty, a reader waits while the ring is
// full, and its sender then waits for the socket.
//
// Exits with 1 if a message was lost, came twice, or overtook another of its producer. With
// --stop-after everything is stopped after N messages, and the guest's call is dropped wherever it
// is.
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "counter.h"
#include "fermata/ring.h"
#include "load.h"

using guest::Counter;

namespace {

constexpr uint32_t kMessages = 1'000'000, kProducers = 4;
using Ring = fermata::MpscRing<Message>;

// Pushes; waits while the ring is full. False if it is closed.
bool Push(Ring& ring, const Message& message, std::counting_semaphore<>& space) {
  while (true) {
    const fermata::PushResult result = ring.TryPush(message);
    if (result != fermata::PushResult::kFull) return result == fermata::PushResult::kPushed;
    if (ring.OnSpace([&space] { space.release(); })) space.acquire();
  }
}

// A native I/O thread. It blocks on its socket and does not know about guests.
void Read(int socket, Ring& ring) {
  std::counting_semaphore<> space(0);
  char buffer[1000 * sizeof(Message)];
  size_t filled = 0;
  for (ssize_t got; (got = recv(socket, buffer + filled, sizeof buffer - filled, 0)) > 0;) {
    filled += got;
    size_t used = 0;
    for (; filled - used >= sizeof(Message); used += sizeof(Message)) {
      Message message;
      std::memcpy(&message, buffer + used, sizeof message);
      if (!Push(ring, message, space)) return void(close(socket));
    }
    std::memmove(buffer, buffer + used, filled -= used);
  }
  close(socket);
}

// The guest's call and its ring.
struct Consumer {
  // Hands over all messages, and leaves a waker for when there are more.
  void Pump() {
    while (step.suspended()) {
      if (stop_after != 0 && taken == stop_after) return ring.Close(), step.Cancel();
      if (const auto message = ring.TryPop()) {
        ++taken;
        if (!step.Resume<Counter::queue_wait_message>(Write(*message)).ok()) return;
      } else if (ring.finished()) {
        if (!step.Resume<Counter::queue_wait_message>(0).ok()) return;
      } else if (ring.OnReady([this] { scheduled.release(); })) {
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
  const uint64_t stop_after;
  fermata::Step<int32_t, Counter> step = guest.run();
  uint64_t taken = 0, waits = 0;
  // In place of the event loop of the guest's thread, to which Pump would be posted among other
  // work.
  std::counting_semaphore<> scheduled{0};
};

int Fail(const char* what) { return std::fprintf(stderr, "message_queue: FAILED: %s\n", what), 1; }

int Run(uint64_t stop_after) {
  auto guest = Counter::Create();
  if (!guest.ok()) return Fail(guest.status().ToString().c_str());
  Ring ring(4096);
  std::vector<std::thread> senders, readers;
  const auto start = std::chrono::steady_clock::now();
  for (uint32_t p = 0; p < kProducers; ++p) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    senders.emplace_back(Send, ends[0], p, kMessages / kProducers);
    readers.emplace_back(Read, ends[1], std::ref(ring));
  }
  std::thread closer([&] {
    for (std::thread& reader : readers) reader.join();
    ring.Close();
  });
  Consumer consumer{**guest, ring, stop_after};
  for (consumer.Pump(); consumer.step.suspended(); consumer.Pump()) consumer.scheduled.acquire();
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  closer.join();
  for (std::thread& sender : senders) sender.join();

  if ((*guest)->wrong_messages().value() != 0) return Fail("a message is wrong");
  const bool ended = consumer.step.finished();
  if (ended == (stop_after != 0)) return Fail(consumer.step.message().c_str());
  for (uint32_t p = 0; ended && p < kProducers; ++p) {
    const uint32_t received = (*guest)->received_from(p).value();
    if (received != kMessages / kProducers) return Fail("messages were lost");
  }
  std::printf("%llu messages of %u producers, in order; %.0f a second; waited %llu times\n",
              static_cast<unsigned long long>(consumer.taken), kProducers,
              consumer.taken / time.count(), static_cast<unsigned long long>(consumer.waits));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool stop = argc == 3 && std::strcmp(argv[1], "--stop-after") == 0;
  return Run(stop ? std::strtoull(argv[2], nullptr, 10) : 0);
}
