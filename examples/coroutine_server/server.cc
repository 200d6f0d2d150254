#include "server.h"

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <stdexcept>
#include <utility>

using asio::redirect_error;
using asio::use_awaitable;
using guest::Web;

Server::Server(asio::io_context& io, uint16_t port, int guests, tcp::endpoint other)
    : acceptor_(asio::make_strand(io), tcp::endpoint(asio::ip::address_v4::loopback(), port)),
      other_(other) {
  acceptor_.listen(16384);
  while (guests_.size() < static_cast<size_t>(guests)) AddGuest(io);
  asio::co_spawn(acceptor_.get_executor(), Accept(), asio::detached);
}

void Server::AddGuest(asio::io_context& io) {
  auto web = Web::Create();
  if (!web.ok()) throw std::runtime_error(web.status().ToString());
  auto calls = fermata::Activations<Web>::Create(
      **web, {.stack = fermata::ActivationOptions::kSeparate, .stack_bytes = 8192});
  if (!calls.ok()) throw std::runtime_error(calls.status().ToString());
  guests_.push_back(std::make_unique<Guest>(
      Guest{*std::move(web), *std::move(calls), asio::make_strand(io), {}, 0}));
}

void Server::Close() {
  asio::post(acceptor_.get_executor(), [this] {
    asio::error_code ignored;
    acceptor_.close(ignored);
  });
}

asio::awaitable<void> Server::Accept() {
  for (size_t next = 0; acceptor_.is_open(); next = (next + 1) % guests_.size()) {
    Guest& guest = *guests_[next];
    asio::error_code error;
    tcp::socket socket =
        co_await acceptor_.async_accept(guest.strand, redirect_error(use_awaitable, error));
    if (error) continue;  // closed, or the client has gone
    socket.set_option(tcp::no_delay(true), error);
    Serve(guest, std::move(socket));
  }
}

void Server::Serve(Guest& guest, tcp::socket socket) {
  if (++figures_.open > figures_.most_open) figures_.most_open = figures_.open.load();
  fermata::async_call(
      guest.strand,
      [&guest, socket = std::move(socket)]() mutable {
        guest.sockets.emplace(++guest.last, std::move(socket));
        return guest.calls->Export(&Web::serve)(guest.last);
      },
      fermata::Match{[&](Web::net_connect) { return Connect(guest); },
                     [&](Web::net_recv op) { return Receive(guest, op); },
                     [&](Web::net_send op) { return Send(guest, op); },
                     [&](Web::net_close op) { guest.sockets.erase(op.a0); }},
      [this](absl::StatusOr<int32_t> requests) { Ended(requests); });
}

void Server::Ended(const absl::StatusOr<int32_t>& requests) {
  if (requests.ok()) {
    figures_.requests += *requests;
  } else if (figures_.failed++ == 0) {
    figures_.error = requests.status().ToString();
  }
  --figures_.open;
  ++figures_.ended;
}

asio::awaitable<int32_t> Server::Connect(Guest& guest) {
  tcp::socket socket(guest.strand);
  asio::error_code error;
  co_await socket.async_connect(other_, redirect_error(use_awaitable, error));
  if (error) co_return -1;
  socket.set_option(tcp::no_delay(true), error);
  guest.sockets.emplace(++guest.last, std::move(socket));
  co_return guest.last;
}

asio::awaitable<int32_t> Server::Receive(Guest& guest, Web::net_recv op) {
  const auto [fd, address, capacity] = op;
  const auto to = guest.web->memory().Span(static_cast<uint32_t>(address), capacity);
  const auto socket = guest.sockets.find(fd);
  if (socket == guest.sockets.end() || to.data() == nullptr) co_return -1;
  asio::error_code error;
  const size_t count = co_await socket->second.async_read_some(
      asio::buffer(to.data(), to.size()), redirect_error(use_awaitable, error));
  co_return error == asio::error::eof ? 0 : error ? -1 : static_cast<int32_t>(count);
}

asio::awaitable<int32_t> Server::Send(Guest& guest, Web::net_send op) {
  const auto [fd, address, count] = op;
  const auto from = guest.web->memory().Span(static_cast<uint32_t>(address), count);
  const auto socket = guest.sockets.find(fd);
  if (socket == guest.sockets.end() || from.data() == nullptr) co_return -1;
  asio::error_code error;
  co_await asio::async_write(socket->second, asio::buffer(from.data(), from.size()),
                             redirect_error(use_awaitable, error));
  co_return error ? -1 : count;
}
