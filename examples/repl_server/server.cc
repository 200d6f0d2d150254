#include "server.h"

#include <asio/read.hpp>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include "fermata/wasi/snapshot.h"
#include "repl.h"

namespace wasi = fermata::wasi;
using asio::ip::tcp;

// A connection that has not said yet which session it is for.
struct Server::Greeting {
  tcp::socket socket;
  std::string name = "";
  char next = 0;
};

Server::Server(asio::io_context& io, uint16_t port, std::vector<std::string> arguments,
               std::string state)
    : io_(io),
      acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), port)),
      pause_(io),
      arguments_(std::move(arguments)),
      state_(std::move(state)) {
  Accept();
}

void Server::Accept() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_accept([this](asio::error_code error, tcp::socket socket) {
    if (!acceptor_.is_open()) return;
    if (error) {  // most likely there are no descriptors left: others may leave
      Fail("accept: " + error.message());
      pause_.expires_after(std::chrono::milliseconds(100));
      return pause_.async_wait([this](asio::error_code) { Accept(); });
    }
    socket.set_option(tcp::no_delay(true), error);
    if (state_.empty()) {
      Serve(std::move(socket), "");
    } else {
      Greet(std::make_shared<Greeting>(Greeting{std::move(socket)}));
    }
    Accept();
  });
}

// A byte at a time: what follows the line is the program's.
void Server::Greet(std::shared_ptr<Greeting> greeting) {
  Greeting& g = *greeting;
  asio::async_read(g.socket, asio::buffer(&g.next, 1),
                   [this, greeting](asio::error_code error, size_t) {
                     if (error) return;
                     if (greeting->next == '\n')
                       return Serve(std::move(greeting->socket), greeting->name);
                     if (!std::isalnum(static_cast<unsigned char>(greeting->next)) ||
                         greeting->name.size() == 64)
                       return;
                     greeting->name += greeting->next;
                     Greet(greeting);
                   });
}

absl::StatusOr<std::unique_ptr<wasi::Process>> Server::MakeProcess(
    std::shared_ptr<wasi::Stream> stream, const std::string& name) const {
  wasi::Process::Options options;
  options.config.args = arguments_;
  options.config.env = {"HOME=/"};  // some warn if they have none
  options.config.in = options.config.out = options.config.err = std::move(stream);
  std::ifstream file(File(name), std::ios::binary);
  if (name.empty() || !file) {
    return wasi::Process::Create(guest::ReplModuleInfo(), std::move(options));
  }
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  wasi::RestoreOptions restoring;
  restoring.process = std::move(options);
  return wasi::RestoreProcess(guest::ReplModuleInfo(), bytes, std::move(restoring));
}

size_t Server::SaveAll() {
  size_t saved = 0;
  for (const Session& session : sessions_) {
    const auto bytes = wasi::SaveProcess(*session.process, {.compress = true});
    if (session.name.empty() || !bytes.ok()) continue;
    std::ofstream file(File(session.name), std::ios::binary);
    saved += static_cast<bool>(file << *bytes << std::flush);
  }
  return saved;
}

void Server::Serve(tcp::socket socket, const std::string& name) {
  for (const Session& session : sessions_) {
    if (!name.empty() && session.name == name) return Fail("session " + name + " is open already");
  }
  auto stream = wasi::DescriptorStream(socket.release(), /*owned=*/true);
  if (!stream.ok()) return Fail(std::string(stream.status().message()));
  auto process = MakeProcess(*std::move(stream), name);
  if (!process.ok()) return Fail(std::string(process.status().message()));

  const auto session = sessions_.insert(sessions_.end(), {name, *std::move(process)});
  wasi::async_run(*session->process, io_, [this, session](wasi::Process::State state) {
    const wasi::Process& ended = *session->process;
    if (state == wasi::Process::State::kTrapped || ended.exit_code() != 0) {
      Fail("a session ended with " + std::to_string(ended.exit_code()) +
           (state == wasi::Process::State::kTrapped ? ": " + ended.message() : ""));
    } else {
      ++ended_;
    }
    if (!session->name.empty()) std::remove(File(session->name).c_str());
    sessions_.erase(session);
  });
}

void Server::Fail(const std::string& error) {
  std::fprintf(stderr, "repl_server: %s\n", error.c_str());
  if (error_.empty()) error_ = error;
}

Server::Figures Server::Look() const {
  Figures figures{.ended = ended_, .error = error_};
  for (const auto& session : sessions_) {
    if (session.process->state() != wasi::Process::State::kWaiting) continue;
    ++figures.suspended;
    figures.frame_bytes += session.process->step().frame_bytes();
  }
  return figures;
}
