// What replaying one guest came to, and the report of a whole run as JSON.
#ifndef FERMATA_TESTS_REPLAY_REPORT_H_
#define FERMATA_TESTS_REPLAY_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace fermata::replay {

struct GuestResult {
  std::string name;
  std::string status;  // "ok", "FAIL", "blocked" (by a missing proposal) or "skipped"
  std::string reason;  // FAIL: what differed; blocked: the proposal; skipped: why
  uint64_t imports = 0;
  uint64_t calls = 0;
  uint64_t suspensions = 0;
  uint64_t restores = 0;        // from snapshots
  uint64_t snapshot_bytes = 0;  // most that one took
  uint64_t nesting = 0;         // most calls under way at once
  uint64_t frame_bytes = 0;     // most bytes of frames that one suspended call held
  uint64_t depth = 0;           // most frames that one suspended call held
  uint64_t memory_bytes = 0;    // at the end
  bool memory_checked = false;
  bool cached = false;  // the compiled module was in the cache
  double translate_seconds = 0;
  double compile_seconds = 0;
  uint64_t compile_peak_bytes = 0;  // most memory of any one compilation; 0 if cached
  double seconds = 0;               // of the replay itself
};

// The line that is printed for a guest.
std::string ToLine(const GuestResult& result);

// A result as a line of JSON and back: how a child process hands it over.
std::string ToJson(const GuestResult& result);
absl::StatusOr<GuestResult> FromJson(const std::string& json);

// Writes a JSON array of results.
absl::Status WriteReport(const std::string& path, const std::vector<GuestResult>& results);

}  // namespace fermata::replay

#endif  // FERMATA_TESTS_REPLAY_REPORT_H_
