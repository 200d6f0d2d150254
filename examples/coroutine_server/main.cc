// An HTTP/1.1 server whose handler is a guest in plain blocking C, on two threads.
//
//   coroutine_server [--port N]                               serves, until it is ended
//   coroutine_server --demo [--connections N] [--requests N]  serves clients of its own; checks
//   them
//
// Try it: curl http://localhost:8080/square/12
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "load.h"
#include "server.h"

namespace {

constexpr int kThreads = 2;

int Fail(const std::string& error) {
  std::fprintf(stderr, "coroutine_server: FAILED: %s\n", error.c_str());
  return 1;
}

// How many of `connections` the limit of open files allows, raised as far as it can be. Each takes
// two in each of the two processes: the client's, and the one to the other server.
int Allowed(int connections) {
  constexpr rlim_t kOthers = 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t needed = 2 * static_cast<rlim_t>(connections) + kOthers;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  }
  if (limit.rlim_cur >= needed) return connections;
  return limit.rlim_cur > kOthers ? static_cast<int>((limit.rlim_cur - kOthers) / 2) : 0;
}

int Report(const Server::Figures& figures, const LoadResult& load, const LoadOptions& options) {
  if (!figures.error.empty()) return Fail(figures.error);
  if (load.error[0] != 0) return Fail(load.error);
  const uint64_t connections = options.connections;
  const uint64_t requests = connections * (options.requests + 1);
  if (load.right != requests || figures.requests != requests) return Fail("requests were lost");
  if (figures.most_open != connections) return Fail("not all were connected at once");
  std::printf(
      "coroutine_server: %d connections at once on %d threads, a suspended call each\n"
      "  %.0f connections accepted and first requests answered a second\n"
      "  %.0f requests a second, each with an outgoing request of its own; every answer right\n",
      options.connections, kThreads, options.connections / load.connecting_seconds,
      options.connections * options.requests / load.seconds);
  return 0;
}

int Run(bool demo, uint16_t port, LoadOptions options) {
  const int allowed = Allowed(options.connections);
  if (allowed < options.connections) {
    if (allowed < 100) return Fail("too few open files are allowed");
    std::printf("only %d connections: no more files may be open\n", allowed);
    options.connections = allowed;
  }
  LoadProcess others;  // before there are threads
  if (others.other_port() == 0) return Fail("there is no server to ask");
  asio::io_context io(kThreads);
  Server server(io, port, kThreads, {asio::ip::address_v4::loopback(), others.other_port()});
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&io] { io.run(); });
  LoadResult load;
  if (demo) {
    load = others.Run(server.port(), options);
    server.Close();
  } else {
    std::printf("coroutine_server: http://localhost:%d/square/12\n", server.port());
    std::fflush(stdout);
  }
  for (std::thread& thread : threads) thread.join();
  return Report(server.figures(), load, options);
}

}  // namespace

int main(int argc, char** argv) {
  bool demo = false;
  int port = 8080;
  LoadOptions options;
  for (int i = 1; i < argc; ++i) {
    const int value = i + 1 < argc ? std::atoi(argv[i + 1]) : 0;
    if (std::strcmp(argv[i], "--demo") == 0) {
      demo = true, port = 0;
    } else if (std::strcmp(argv[i], "--port") == 0 && value > 0 && value < 65536) {
      port = value, ++i;
    } else if (std::strcmp(argv[i], "--connections") == 0 && value > 0) {
      options.connections = value, ++i;
    } else if (std::strcmp(argv[i], "--requests") == 0 && value > 0) {
      options.requests = value, ++i;
    } else {
      std::fprintf(
          stderr, "usage: coroutine_server [--port N | --demo [--connections N] [--requests N]]\n");
      return 2;
    }
  }
  try {
    return Run(demo, static_cast<uint16_t>(port), options);
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}
