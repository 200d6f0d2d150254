// What became of one command of a script.
#ifndef FERMATA_SPEC_TESTS_OUTCOME_H_
#define FERMATA_SPEC_TESTS_OUTCOME_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "spec-tests/script.h"

namespace fermata::spec {

enum class Verdict : uint8_t {
  kPassed,
  kFailed,
  kBlocked,        // by a proposal that Fermata lacks
  kNotApplicable,  // of the text format
  kNotRun,         // refusals, when another machine plays: the validator runs here
};
inline constexpr Verdict kLastVerdict = Verdict::kNotRun;

// How scripts are played. Suspended and snapshotted: with a suspension wherever there can be one.
// Paused: with a pause at every check.
enum class Mode : uint8_t { kPlain, kSuspended, kSnapshotted, kPaused, kStressed };
inline constexpr Mode kModes[] = {Mode::kPlain, Mode::kSuspended, Mode::kSnapshotted, Mode::kPaused,
                                  Mode::kStressed};
inline const char* Name(Mode mode) {
  constexpr const char* kNames[] = {"plain", "suspended", "snapshotted", "paused", "stressed"};
  return kNames[static_cast<size_t>(mode)];
}
inline bool SuspendsEverywhere(Mode mode) {
  return mode == Mode::kSuspended || mode == Mode::kSnapshotted || mode == Mode::kStressed;
}

struct CommandResult {
  unsigned line = 0;
  CommandType type = CommandType::kModule;
  Verdict verdict = Verdict::kPassed;
  std::string detail;  // what was expected and found; blocked: the reason
};

// Counts over all of a script.
struct PlayStats {
  uint64_t calls = 0;          // made by actions
  uint64_t suspensions = 0;    // of imports, answered
  uint64_t pauses = 0;         // and went on
  uint64_t restores = 0;       // from snapshots
  uint64_t other_phrases = 0;  // refusals of the right class, in other words than the suite's
};

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_OUTCOME_H_
