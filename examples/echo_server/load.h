// The other side: clients that talk to the server and check every reply.
#ifndef FERMATA_EXAMPLES_ECHO_SERVER_LOAD_H_
#define FERMATA_EXAMPLES_ECHO_SERVER_LOAD_H_

#include <cstdint>
#include <string>

struct LoadResult {
  uint64_t requests = 0;  // answered, and rightly
  uint64_t wrong = 0;
  std::string error;   // the first wrong reply, or what else went wrong
  double seconds = 0;  // from the first request, with all connections open, to the last reply
};

// Opens `connections` to the port of the loopback address, all at once, and makes `requests` on
// each: one to four lines at a time, cut into pieces at random places. Returns when all are closed.
LoadResult RunLoad(uint16_t port, int connections, int requests);

#endif  // FERMATA_EXAMPLES_ECHO_SERVER_LOAD_H_
