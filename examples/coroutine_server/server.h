// The host: accepts connections and gives each a call of the guest's `serve`.
//
// There are as many instances of the guest as threads. Each is on a strand: its calls, thousands of
// them at once, take turns, and different instances run side by side. A call that waits for its
// client or for the other server is suspended, with a stack of its own in the guest's memory.
#ifndef FERMATA_EXAMPLES_COROUTINE_SERVER_SERVER_H_
#define FERMATA_EXAMPLES_COROUTINE_SERVER_SERVER_H_

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fermata/activations.h"
#include "fermata/asio.h"
#include "web.h"

class Server {
 public:
  using tcp = asio::ip::tcp;
  // All but `error` may be read at any time.
  struct Figures {
    std::atomic<uint64_t> open{0}, most_open{0}, ended{0}, requests{0}, failed{0};
    std::string error;  // of the first call that failed
  };

  // Listens on a port of the loopback address, 0: a free one. `other` is the server that the guest
  // asks. Throws asio::system_error, or std::runtime_error if there can be no guest.
  Server(asio::io_context& io, uint16_t port, int guests, tcp::endpoint other);

  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  const Figures& figures() const { return figures_; }
  // Accepts no more connections; the calls in progress continue. Any thread.
  void Close();

 private:
  // An instance, and what its calls may name. Touched on its strand only.
  struct Guest {
    std::unique_ptr<guest::Web> web;
    std::unique_ptr<fermata::Activations<guest::Web>> calls;
    asio::strand<asio::io_context::executor_type> strand;
    std::unordered_map<int32_t, tcp::socket> sockets;
    int32_t last = 0;
  };

  void AddGuest(asio::io_context& io);
  asio::awaitable<void> Accept();
  void Serve(Guest& guest, tcp::socket socket);
  void Ended(const absl::StatusOr<int32_t>& requests);

  asio::awaitable<int32_t> Connect(Guest& guest);
  asio::awaitable<int32_t> Receive(Guest& guest, guest::Web::net_recv op);
  asio::awaitable<int32_t> Send(Guest& guest, guest::Web::net_send op);

  tcp::acceptor acceptor_;
  const tcp::endpoint other_;
  std::vector<std::unique_ptr<Guest>> guests_;
  Figures figures_;
};

#endif  // FERMATA_EXAMPLES_COROUTINE_SERVER_SERVER_H_
