// The other sides, in a separate process: clients that check every answer, and the server that the
// guest asks.
#ifndef FERMATA_EXAMPLES_COROUTINE_SERVER_LOAD_H_
#define FERMATA_EXAMPLES_COROUTINE_SERVER_LOAD_H_

#include <cstdint>

struct LoadOptions {
  int connections = 5000;
  int requests = 20;  // on each connection
};

struct LoadResult {
  uint64_t right = 0;
  uint64_t wrong = 0;
  double connecting_seconds = 0;  // until all connections were open, each having had an answer
  double seconds = 0;             // from then to the last answer, all connections being open
  char error[128] = "";           // the first wrong answer
};

// A second process, which has not begun to do anything yet. It is ended with this one.
class LoadProcess {
 public:
  LoadProcess();
  ~LoadProcess();
  LoadProcess(const LoadProcess&) = delete;
  uint16_t other_port() const { return other_port_; }  // where squares are to be had; 0: failed
  // Loads the server at `port`; blocks until that is done.
  LoadResult Run(uint16_t port, const LoadOptions& options);

 private:
  int pipe_ = -1;
  int child_ = -1;
  uint16_t other_port_ = 0;
};

#endif  // FERMATA_EXAMPLES_COROUTINE_SERVER_LOAD_H_
