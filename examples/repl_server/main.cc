// Serves a program that reads lines and answers them to every client that connects, on one thread.
//
//   repl_server [--port N] [--state FOLDER]            serves, until it is ended
//   repl_server --demo [--sessions N] [--lines N]      serves clients of its own, and checks them
//
// With a state folder, sessions continue after a restart: see server.h.
//
// The demo opens all sessions at once and keeps them open, each suspended between two lines. Exits
// with 1 if any answer was wrong, a program failed, or a session was not where it should be.
#include <sys/resource.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "load.h"
#include "server.h"

namespace {

struct Options {
  bool demo = false;
  int port = 7000;
  int sessions = 1000;
  int lines = 20;
  std::string state;
};

bool Parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const int value = i + 1 < argc ? std::atoi(argv[i + 1]) : 0;
    if (std::strcmp(argv[i], "--demo") == 0) {
      options.demo = true;
    } else if (std::strcmp(argv[i], "--port") == 0 && value > 0 && value < 65536) {
      options.port = value, ++i;
    } else if (std::strcmp(argv[i], "--state") == 0 && i + 1 < argc) {
      options.state = argv[++i];
    } else if (std::strcmp(argv[i], "--sessions") == 0 && value > 0) {
      options.sessions = value, ++i;
    } else if (std::strcmp(argv[i], "--lines") == 0 && value > 0) {
      options.lines = value, ++i;
    } else {
      std::fprintf(
          stderr,
          "usage: repl_server [--port N] [--state FOLDER] | --demo [--sessions N] [--lines N]\n");
      return false;
    }
  }
  return true;
}

std::vector<std::string> Arguments() {
  const std::string guest = REPL_GUEST;
  if (guest == "lua") return {"lua", "-e", "_PROMPT, _PROMPT2 = '', ''", "-i"};
  if (guest == "sqlite") return {"sqlite3", "-batch", ":memory:"};
  return {guest};
}

int Fail(const std::string& error) {
  std::fprintf(stderr, "repl_server: FAILED: %s\n", error.c_str());
  return 1;
}

// Three descriptors a session: both ends of the connection, and what the server waits with.
bool RaiseDescriptorLimit(int sessions) {
  const rlim_t needed = 3 * static_cast<rlim_t>(sessions) + 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= needed) return true;
  limit.rlim_cur = needed;
  return needed <= limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

size_t ResidentBytes() {
  size_t pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*u %zu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

int Demo(const Options& options) {
  if (!RaiseDescriptorLimit(options.sessions)) {
    return Fail("the limit of open files is too low for so many sessions");
  }
  asio::io_context io;
  Server server(io, 0, Arguments());
  std::thread thread([&io] { io.run(); });
  const auto look = [&] {
    std::promise<Server::Figures> figures;
    asio::post(io, [&] { figures.set_value(server.Look()); });
    return figures.get_future().get();
  };

  Server::Figures started, answered;
  const size_t resident_before = ResidentBytes();
  size_t resident = 0;
  LoadOptions load{.port = server.port(),
                   .sessions = options.sessions,
                   .lines = options.lines,
                   .language = REPL_GUEST};
  load.all_started = [&] {
    started = look();
    resident = ResidentBytes() - resident_before;
  };
  load.all_answered = [&] { answered = look(); };
  const LoadResult result = RunLoad(load);
  asio::post(io, [&server] { server.Close(); });
  if (!result.error.empty()) io.stop();
  thread.join();  // the sessions have ended

  const Server::Figures ended = server.Look();
  const size_t sessions = options.sessions;
  if (!result.error.empty()) return Fail(result.error);
  if (!ended.error.empty()) return Fail(ended.error);
  if (started.suspended != sessions || answered.suspended != sessions || ended.ended != sessions) {
    return Fail("some sessions were not suspended, or have not ended");
  }
  std::printf(
      "repl_server: %zu sessions of %s on one thread, all suspended at once; every answer right\n"
      "  %.0f lines answered per second\n"
      "  %zu resident bytes per suspended session, its client included; %zu are its call's "
      "frames\n",
      sessions, REPL_GUEST, static_cast<double>(sessions * options.lines) / result.seconds,
      resident / sessions, started.frame_bytes / sessions);
  return 0;
}

int Serve(const Options& options) {
  asio::io_context io;
  Server server(io, static_cast<uint16_t>(options.port), Arguments(), options.state);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](asio::error_code, int) {
    if (!options.state.empty()) std::printf("%zu sessions saved\n", server.SaveAll());
    io.stop();
  });
  std::printf("repl_server: %s at port %d of this machine: nc localhost %d\n", REPL_GUEST,
              options.port, options.port);
  std::fflush(stdout);
  io.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, options)) return 2;
  try {
    return options.demo ? Demo(options) : Serve(options);
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}
