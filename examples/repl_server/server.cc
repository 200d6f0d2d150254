#include "server.h"

#include <chrono>
#include <cstdio>
#include <utility>

#include "repl.h"

namespace wasi = fermata::wasi;
using asio::ip::tcp;

Server::Server(asio::io_context& io, uint16_t port, std::vector<std::string> arguments)
    : io_(io),
      acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), port)),
      pause_(io),
      arguments_(std::move(arguments)) {
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
    Serve(std::move(socket));
    Accept();
  });
}

void Server::Serve(tcp::socket socket) {
  auto stream = wasi::DescriptorStream(socket.release(), /*owned=*/true);
  if (!stream.ok()) return Fail(std::string(stream.status().message()));
  wasi::Process::Options options;
  options.config.args = arguments_;
  options.config.env = {"HOME=/"};  // some warn if they have none
  options.config.in = options.config.out = options.config.err = *stream;
  auto process = wasi::Process::Create(guest::ReplModuleInfo(), std::move(options));
  if (!process.ok()) return Fail(std::string(process.status().message()));

  const auto session = sessions_.insert(sessions_.end(), *std::move(process));
  wasi::async_run(**session, io_, [this, session](wasi::Process::State state) {
    const wasi::Process& ended = **session;
    if (state == wasi::Process::State::kTrapped || ended.exit_code() != 0) {
      Fail("a session ended with " + std::to_string(ended.exit_code()) +
           (state == wasi::Process::State::kTrapped ? ": " + ended.message() : ""));
    } else {
      ++ended_;
    }
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
    if (session->state() != wasi::Process::State::kWaiting) continue;
    ++figures.suspended;
    figures.frame_bytes += session->step().frame_bytes();
  }
  return figures;
}
