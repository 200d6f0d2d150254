// The demo: starts the server and its clients, lets them talk, and prints the results.
//
//   echo_server [--connections N] [--requests PER_CONNECTION]
//
// Exits with 1 if anything was wrong: a reply, a call of the guest, an impossible figure.
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "load.h"
#include "server.h"

namespace {

struct Options {
  int connections = 1000;
  int requests = 200;
};

bool Parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const int value = i + 1 < argc ? std::atoi(argv[i + 1]) : 0;
    if (std::strcmp(argv[i], "--connections") == 0 && value > 0 && value <= 1024) {
      options.connections = value;
    } else if (std::strcmp(argv[i], "--requests") == 0 && value > 0) {
      options.requests = value;
    } else {
      std::fprintf(stderr, "usage: echo_server [--connections 1..1024] [--requests N]\n");
      return false;
    }
  }
  return true;
}

int Fail(const std::string& error) {
  std::fprintf(stderr, "echo_server: FAILED: %s\n", error.c_str());
  return 1;
}

// Two descriptors a connection, as both sides are in this process.
bool RaiseDescriptorLimit(int connections) {
  const rlim_t needed = 2 * connections + 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= needed) return true;
  limit.rlim_cur = needed;
  return needed <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

double CpuNanoseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The cost of one suspension and resumption where nothing else happens, in ns; 0 after an error.
struct Cost {
  double typed = 0;  // through the generated class
  double core = 0;   // through fermata/core/abi.h, beneath it
};

Cost MeasureCost(guest::Echo& echo) {
  using Pause = guest::Echo::bench_pause;
  constexpr int kCount = 2'000'000;
  Cost cost;
  double start = CpuNanoseconds();
  auto step = echo.pause_often(kCount);
  while (step.suspended()) {
    const auto [value] = std::get<Pause>(step.op());
    if (!step.Resume<Pause>(value + 1).ok()) return cost;
  }
  const double typed = (CpuNanoseconds() - start) / kCount;
  if (!step.finished() || step.value() != kCount) return cost;

  step = echo.pause_often(kCount + 1);
  if (!step.suspended()) return cost;
  fermata::core::Context& context = *echo.instance()->raw()->context;
  fermata::core::Activation& activation = *step.dynamic().raw_activation();
  const uint64_t answer = 1;
  start = CpuNanoseconds();
  for (int i = 0; i < kCount; ++i) {
    const auto exit = fermata::core::Resume(context, activation, &answer, 1);
    if (exit != fermata::core::Exit::kSuspended) return cost;
  }
  cost.core = (CpuNanoseconds() - start) / kCount;
  cost.typed = typed;
  return cost;
}

void Print(const Figures& figures, const LoadResult& load, const Cost& cost) {
  std::printf("\nEcho server: a guest in plain blocking C, one host thread, loopback TCP\n\n");
  std::printf("  %10llu  connections\n", static_cast<unsigned long long>(figures.connections));
  std::printf("  %10llu  requests, every reply checked\n",
              static_cast<unsigned long long>(load.requests));
  std::printf("  %10.0f  requests a second (client and server on this machine)\n",
              static_cast<double>(load.requests) / load.seconds);
  std::printf("  %10llu  suspensions, each resumed\n",
              static_cast<unsigned long long>(figures.suspensions));
  std::printf("  %10zu  calls suspended at once, at most\n", figures.most_parked);
  std::printf("  %10.1f  bytes of frames per suspended call\n",
              static_cast<double>(figures.frame_bytes_then) / figures.most_parked);
  std::printf("  %10.1f  ns of CPU per suspend + resume through the typed API\n", cost.typed);
  std::printf("  %10.1f  ns of CPU per suspend + resume in the core\n\n", cost.core);
}

int Demo(const Options& options) {
  if (!RaiseDescriptorLimit(options.connections)) return Fail("too few file descriptors allowed");
  auto echo = guest::Echo::Create();
  if (!echo.ok()) return Fail(echo.status().ToString());
  const Cost cost = MeasureCost(**echo);
  if (cost.typed <= 0) return Fail("pause_often() did not finish rightly");

  std::optional<Server> server(**echo);
  const uint16_t port = server->Listen();
  const int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (port == 0 || stop < 0) return Fail("cannot listen on the loopback address");
  LoadResult load;
  std::thread clients([&] {
    load = RunLoad(port, options.connections, options.requests);
    eventfd_write(stop, 1);
  });
  const Figures figures = server->Run(stop);
  server.reset();  // after an error: closes the connections, which ends the clients
  clients.join();
  close(stop);

  if (!figures.error.empty()) return Fail(figures.error);
  if (!load.error.empty()) return Fail(load.error);
  // Each connection has one request more than asked for: QUIT.
  const uint64_t expected = uint64_t(options.connections) * (options.requests + 1);
  if (load.wrong != 0 || load.requests != expected) return Fail("not every request was answered");
  if (figures.most_parked < size_t(options.connections))
    return Fail("not all were suspended at once");
  Print(figures, load, cost);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  return Parse(argc, argv, options) ? Demo(options) : 2;
}
