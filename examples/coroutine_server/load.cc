#include "load.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <exception>
#include <random>
#include <string>

namespace {

using asio::use_awaitable;
using asio::ip::tcp;

double Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

// ---- Who knows squares ----

asio::awaitable<void> TellSquares(tcp::socket socket) {
  try {
    for (std::string head;;) {
      const size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(head),
                                                          "\r\n\r\n", use_awaitable);
      const uint64_t number = std::stoull(head.substr(head.find('/') + 1));
      const std::string body = std::to_string(number * number);
      const std::string reply =
          "HTTP/1.1 200 OK\r\nServer: squares\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n\r\n" + body;
      head.erase(0, size);
      co_await asio::async_write(socket, asio::buffer(reply), use_awaitable);
    }
  } catch (const std::exception&) {  // closed
  }
}

asio::awaitable<void> Accept(tcp::acceptor& acceptor) {
  while (true) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), TellSquares(std::move(socket)), asio::detached);
  }
}

// ---- Who asks ----

class Load {
 public:
  Load(asio::io_context& io, uint16_t port, const LoadOptions& options)
      : io_(io),
        server_(asio::ip::address_v4::loopback(), port),
        options_(options),
        all_open_(io, asio::steady_timer::time_point::max()) {}

  LoadResult Run() {
    started_ = Now();
    // No more at a time than listeners queue: what they drop is sent again a second later.
    while (begun_ < std::min(options_.connections, 500)) Begin();
    io_.run();
    return result_;
  }

 private:
  void Begin() {
    asio::co_spawn(io_, Client(begun_++), [this](std::exception_ptr e) { Ended(e); });
  }

  asio::awaitable<void> Client(int index) {
    std::mt19937 random(static_cast<uint32_t>(index));
    tcp::socket socket(io_);
    co_await socket.async_connect(server_, use_awaitable);
    socket.set_option(tcp::no_delay(true));
    std::string bytes;
    for (int i = 0; i <= options_.requests; ++i) {
      const uint64_t number = random() % 1'000'000;
      const std::string request =
          "GET /square/" + std::to_string(number) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
      co_await asio::async_write(socket, asio::buffer(request), use_awaitable);
      const std::string body =
          std::to_string(number) + " squared is " + std::to_string(number * number) + "\n";
      const std::string expected =
          "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body;
      co_await asio::async_read_until(socket, asio::dynamic_buffer(bytes), body, use_awaitable);
      Check(bytes == expected, bytes);
      bytes.clear();
      if (i == 0) co_await Opened();
    }
  }

  void Check(bool right, const std::string& answer) {
    ++(right ? result_.right : result_.wrong);
    if (!right && result_.error[0] == 0) {
      std::snprintf(result_.error, sizeof result_.error, "wrong answer: %s", answer.c_str());
    }
  }

  // Has the next one begin, and waits until all have come this far.
  asio::awaitable<void> Opened() {
    if (begun_ < options_.connections) Begin();
    if (++open_ == options_.connections) {
      opened_ = Now();
      result_.connecting_seconds = opened_ - started_;
      all_open_.cancel();
    } else {
      asio::error_code ignored;
      co_await all_open_.async_wait(asio::redirect_error(use_awaitable, ignored));
    }
  }

  void Ended(std::exception_ptr exception) {
    if (exception) {
      try {
        std::rethrow_exception(exception);
      } catch (const std::exception& error) {
        std::snprintf(result_.error, sizeof result_.error, "%s", error.what());
        ++result_.wrong;
      }
    }
    if (!exception && ++ended_ != options_.connections) return;
    result_.seconds = Now() - opened_;
    io_.stop();
  }

  asio::io_context& io_;
  const tcp::endpoint server_;
  const LoadOptions options_;
  asio::steady_timer all_open_;
  double started_ = 0, opened_ = 0;
  int begun_ = 0, open_ = 0, ended_ = 0;
  LoadResult result_;
};

struct Order {
  uint16_t port;
  LoadOptions options;
};

// The second process: tells its port, waits for an order, carries it out.
int Child(int pipe) {
  asio::io_context io(1);
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  acceptor.listen(16384);
  asio::co_spawn(io, Accept(acceptor), asio::detached);
  const uint16_t port = acceptor.local_endpoint().port();
  Order order{};
  if (write(pipe, &port, sizeof port) != sizeof port) return 1;
  // Until then squares are told all the same.
  asio::posix::stream_descriptor orders(io, dup(pipe));
  orders.async_wait(asio::posix::stream_descriptor::wait_read,
                    [&](asio::error_code) { io.stop(); });
  io.run();
  if (read(pipe, &order, sizeof order) != sizeof order) return 1;
  io.restart();
  const LoadResult result = Load(io, order.port, order.options).Run();
  return write(pipe, &result, sizeof result) == sizeof result ? 0 : 1;
}

}  // namespace

LoadProcess::LoadProcess() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
  child_ = fork();
  if (child_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(ends[0]);
    _exit(Child(ends[1]));
  }
  close(ends[1]);
  pipe_ = ends[0];
  if (read(pipe_, &other_port_, sizeof other_port_) != sizeof other_port_) other_port_ = 0;
}

LoadProcess::~LoadProcess() {
  if (pipe_ >= 0) close(pipe_);
  if (child_ > 0) {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
}

LoadResult LoadProcess::Run(uint16_t port, const LoadOptions& options) {
  const Order order{port, options};
  LoadResult result;
  if (write(pipe_, &order, sizeof order) != sizeof order ||
      read(pipe_, &result, sizeof result) != sizeof result) {
    result = {};
    std::snprintf(result.error, sizeof result.error, "the clients' process has died");
  }
  return result;
}
