// The other side: clients that talk to all the sessions at once and check every answer.
#ifndef FERMATA_EXAMPLES_REPL_SERVER_LOAD_H_
#define FERMATA_EXAMPLES_REPL_SERVER_LOAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

struct LoadOptions {
  uint16_t port = 0;
  int sessions = 0;
  int lines = 0;         // answered, in each session
  std::string language;  // "calculator", "lua" or "sqlite"
  // Called when each session has answered once and waits, and when each has answered all its lines;
  // all are still open.
  std::function<void()> all_started, all_answered;
};

struct LoadResult {
  uint64_t answers = 0;  // right ones
  double seconds = 0;    // from the first line after all_started to the last answer
  std::string error;     // the first wrong answer, or what else went wrong
};

// Opens all sessions at once, on the loopback address; returns when all are closed.
LoadResult RunLoad(const LoadOptions& options);

#endif  // FERMATA_EXAMPLES_REPL_SERVER_LOAD_H_
