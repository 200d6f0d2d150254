// The figures: by group and mode, what passed, failed, was blocked, not applicable or not run.
//
// Counted are assertions: all assert_… commands, and actions, which assert that they return. A
// module, an instance, a registration or a thread that fails counts as a failure, too; that one of
// those succeeds is not counted.
#ifndef FERMATA_SPEC_TESTS_REPORT_H_
#define FERMATA_SPEC_TESTS_REPORT_H_

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "spec-tests/outcome.h"

namespace fermata::spec {

// Failures that are known, by "file:line", each with a reason.
class Expected {
 public:
  // Lines "file:line reason" or "file:line plain: reason" (or suspended:), "#" begins a comment.
  // Error: a line that is not of this form, with its number.
  static absl::StatusOr<Expected> Parse(absl::string_view text);
  // The reason, or null.
  const std::string* Find(absl::string_view file, unsigned line, bool suspended) const;
  // The lines expected to fail in a file.
  std::vector<unsigned> LinesOf(absl::string_view file, bool suspended) const;

 private:
  struct Entry {
    std::string reason;
    bool plain = true, suspended = true;
  };
  std::map<std::string, std::map<unsigned, Entry>> entries_;  // by file, line
};

// All of one script in one mode.
struct FileResult {
  std::string group, file;
  Mode mode = Mode::kPlain;
  std::vector<CommandResult> outcomes;
  PlayStats stats;
  std::map<std::string, std::string> blocked;  // modules: why
  bool cached = false;
  double translate_seconds = 0, compile_seconds = 0, play_seconds = 0;
};

struct Figures {
  uint64_t passed = 0, failed = 0, blocked = 0, not_applicable = 0, not_run = 0;
  uint64_t expected_failures = 0;
  uint64_t executable_passed = 0, executable = 0;  // of those, the ones that run code
  Figures& operator+=(const Figures& other);
};

// A failure, or a passing command that was expected to fail.
struct Failure {
  std::string group, file;
  Mode mode = Mode::kPlain;
  CommandResult outcome;
};

class Report {
 public:
  void Add(FileResult result, const Expected& expected);

  bool failed() const { return !failures_.empty(); }
  const std::vector<Failure>& failures() const { return failures_; }
  // It has been played in this mode, and yet nothing was suspended or paused.
  bool ProvesNothing(Mode mode) const {
    return ran_[Index(mode)] && stats_[Index(mode)].pauses == 0;
  }
  const std::map<std::string, Figures>& groups(Mode mode) const { return groups_[Index(mode)]; }

  std::string Table() const;
  std::string Json() const;
  // The table of the documentation; `wasm2c` is the content of wasm2c.json, or empty.
  absl::StatusOr<std::string> Markdown(absl::string_view wasm2c) const;

 private:
  static size_t Index(Mode mode) { return static_cast<size_t>(mode); }
  // By Index:
  std::array<std::map<std::string, Figures>, std::size(kModes)> groups_;
  std::array<PlayStats, std::size(kModes)> stats_;
  std::array<bool, std::size(kModes)> ran_{};
  std::vector<Failure> failures_;
  std::vector<Failure> expected_;
  std::vector<FileResult> files_;  // without their outcomes
};

// "core/i32.wast:12 assert_return (plain): expected …"
std::string Describe(const Failure& failure);

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_REPORT_H_
