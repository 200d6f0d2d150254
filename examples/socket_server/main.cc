// A TCP server and its clients, all of them guests in plain blocking C, on one thread.
//
//   socket_server [--clients N] [--poll]
//
// The guests open their sockets themselves, with WAMR's socket extension, as far as the host allows
// them: here one port of the loopback interface. Each call that waits suspends its guest. The loop
// is Asio's, with a coroutine for each guest, or with --poll the one at the end of this file.
#include <sys/resource.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "fermata/wasi/asio.h"
#include "tcp_client.h"
#include "tcp_server.h"

namespace wasi = fermata::wasi;
using wasi::Process;

namespace {

int failures = 0;

std::unique_ptr<Process> Start(const fermata::ModuleInfo& module, std::vector<std::string> args,
                               const std::string& allowed) {
  Process::Options options;
  options.config.args = std::move(args);
  const absl::Status rule = options.config.network.Allow(allowed);
  auto process = rule.ok() ? Process::Create(module, std::move(options)) : rule;
  if (process.ok()) return *std::move(process);
  std::fprintf(stderr, "socket_server: %s\n", process.status().ToString().c_str());
  std::exit(1);
}

void Ended(const Process& process, const std::string& name) {
  if (process.state() != Process::State::kTrapped && process.exit_code() == 0) return;
  std::fprintf(stderr, "socket_server: %s: exit status %d %s\n", name.c_str(), process.exit_code(),
               process.message().c_str());
  ++failures;
}

// ---- By Asio ----

asio::awaitable<void> Run(std::unique_ptr<Process> process, std::string name) {
  auto executor = co_await asio::this_coro::executor;
  co_await wasi::async_run(*process, executor, asio::use_awaitable);
  Ended(*process, name);
}

// ---- By poll(2) ----

struct Guest {
  std::unique_ptr<Process> process;
  std::string name;
};

void RunByPoll(std::vector<Guest> guests) {
  while (!guests.empty()) {
    std::erase_if(guests, [](Guest& guest) {
      if (guest.process->Run() == Process::State::kWaiting) return false;
      Ended(*guest.process, guest.name);
      return true;
    });
    wasi::Wait any;  // of what they wait for
    for (const Guest& guest : guests) {
      const wasi::Wait& wait = guest.process->wait();
      any.sources.insert(any.sources.end(), wait.sources.begin(), wait.sources.end());
    }
    if (!guests.empty()) wasi::BlockFor(any);
  }
}

// ----

// A port that is free now.
uint16_t FreePort() {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  return acceptor.local_endpoint().port();
}

// Four descriptors a client: its socket, the server's, and what Asio waits with.
bool RaiseDescriptorLimit(int clients) {
  const rlim_t needed = 4 * static_cast<rlim_t>(clients) + 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= needed) return true;
  limit.rlim_cur = needed;
  return needed <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  int clients = 1000;
  bool by_poll = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--poll") == 0) {
      by_poll = true;
    } else if (std::strcmp(argv[i], "--clients") == 0 && i + 1 < argc) {
      clients = std::atoi(argv[++i]);
    }
  }
  if (clients <= 0 || !RaiseDescriptorLimit(clients)) {
    std::fprintf(stderr, "socket_server: no clients, or more than may have their files open\n");
    return 1;
  }
  const std::string port = std::to_string(FreePort());
  std::vector<Guest> guests;
  guests.push_back({Start(guest::TcpServerModuleInfo(), {"server", port, std::to_string(clients)},
                          "listen:127.0.0.1:" + port),
                    "server"});
  for (int i = 0; i < clients; ++i) {
    guests.push_back({Start(guest::TcpClientModuleInfo(), {"client", port, std::to_string(i)},
                            "connect:127.0.0.1:" + port),
                      "client " + std::to_string(i)});
  }
  if (by_poll) {
    RunByPoll(std::move(guests));
  } else {
    asio::io_context io;
    for (Guest& guest : guests) {
      asio::co_spawn(io, Run(std::move(guest.process), guest.name), [](std::exception_ptr) {});
    }
    io.run();
  }
  if (failures != 0) return 1;
  std::printf("socket_server: %d clients and their server on one thread; every answer right\n",
              clients);
}
