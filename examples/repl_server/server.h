// Serves a WASI command over TCP: each connection is its standard input, output and error.
//
// Each session is an instance of its own with a memory of its own, and one call of `_start`, which
// is suspended whenever the program waits for its connection. All run on whichever thread runs the
// io_context. Under the default memory policy each instance reserves 4 GiB of addresses and guard
// pages, of which it uses what the program touches: 128 TiB of addresses are enough for 20,000.
#ifndef FERMATA_EXAMPLES_REPL_SERVER_SERVER_H_
#define FERMATA_EXAMPLES_REPL_SERVER_SERVER_H_

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "fermata/wasi/asio.h"

// With a folder for its state, sessions outlive the server. SaveAll writes them there. A client
// sends the name of its session, of letters and digits, as its first line: if the session is in the
// folder it continues, and otherwise it begins.
class Server {
 public:
  // Throws asio::system_error if it can't listen. Port 0: a free one. `state`: a folder, or "".
  Server(asio::io_context& io, uint16_t port, std::vector<std::string> arguments,
         std::string state = "");
  Server(const Server&) = delete;

  uint16_t port() const { return acceptor_.local_endpoint().port(); }
  // Accepts no more sessions; those that exist continue.
  void Close() { acceptor_.close(); }
  // Writes all sessions to the state folder and returns how many. They must not be run any further.
  size_t SaveAll();

  // In the thread of the io_context:
  struct Figures {
    size_t suspended = 0;    // sessions that wait for their connection
    size_t frame_bytes = 0;  // what their calls are, all together
    size_t ended = 0;        // sessions whose program has ended with 0
    std::string error;       // the first that ended otherwise, or could not be made
  };
  Figures Look() const;

 private:
  void Accept();
  struct Session {
    std::string name;  // "" without a state folder
    std::unique_ptr<fermata::wasi::Process> process;
  };
  struct Greeting;
  void Greet(std::shared_ptr<Greeting> greeting);
  void Serve(asio::ip::tcp::socket socket, const std::string& name);
  absl::StatusOr<std::unique_ptr<fermata::wasi::Process>> MakeProcess(
      std::shared_ptr<fermata::wasi::Stream> stream, const std::string& name) const;
  std::string File(const std::string& name) const { return state_ + "/" + name + ".session"; }
  void Fail(const std::string& error);

  asio::io_context& io_;
  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  const std::vector<std::string> arguments_;
  const std::string state_;
  std::list<Session> sessions_;
  size_t ended_ = 0;
  std::string error_;
};

#endif  // FERMATA_EXAMPLES_REPL_SERVER_SERVER_H_
