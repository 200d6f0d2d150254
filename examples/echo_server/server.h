// The host: one thread, an event loop, and as many guest calls in progress as there are
// connections.
//
// The guest's imports say what it waits for. Each is tried at once. If it would block, the step,
// which is all that is left of the call, is parked under the file descriptor for which it waits,
// and the loop continues with other calls. When epoll reports the descriptor, the step is taken out
// and its op is tried again.
#ifndef FERMATA_EXAMPLES_ECHO_SERVER_SERVER_H_
#define FERMATA_EXAMPLES_ECHO_SERVER_SERVER_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "echo.h"

struct Figures {
  uint64_t connections = 0;
  uint64_t suspensions = 0;       // each answered by a resumption
  size_t most_parked = 0;         // calls suspended at once, each waiting for its descriptor
  uint64_t frame_bytes_then = 0;  // what they held in all, at that moment
  std::string error;              // the first call that trapped, or failure of the host's own
};

class Server {
 public:
  explicit Server(guest::Echo& echo);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens on a free port of the loopback address; 0 if that failed.
  uint16_t Listen();
  // Serves until `stop` (an eventfd) becomes readable and all connections are closed.
  Figures Run(int stop);

 private:
  using Step = fermata::Step<int32_t, guest::Echo>;
  using Answer = std::optional<int32_t>;  // none: it would block, wait for waits_for_

  void Drive(Step step);
  bool TryOnce(Step& step);
  void Park(Step step);
  void Wake(int fd);
  void Watch(int fd, uint32_t events);
  Answer Result(int fd, ssize_t result);
  Answer Accepted(int fd);

  // One for each of the guest's suspending imports: without one of them this does not compile.
  Answer Try(const guest::Echo::net_accept& op);
  Answer Try(const guest::Echo::net_recv& op);
  Answer Try(const guest::Echo::net_send& op);
  Answer Try(const guest::Echo::net_close& op);
  Answer Try(const guest::Echo::task_start& op);
  Answer Try(const guest::Echo::bench_pause& op);

  guest::Echo& echo_;
  int epoll_ = -1;
  int listener_ = -1;
  bool stopping_ = false;
  int waits_for_ = -1;                    // where the op tried last would block
  std::deque<Step> ready_;                // started, not driven yet
  std::unordered_map<int, Step> parked_;  // by the descriptor waited for
  std::unordered_set<int> open_;          // the connections that the guest may name
  uint64_t parked_bytes_ = 0;
  Figures figures_;
};

#endif  // FERMATA_EXAMPLES_ECHO_SERVER_SERVER_H_
