// Carries out a plan with a translated module, in one of the ways that a call can go.
#ifndef FERMATA_TESTS_DIFFERENTIAL_EXECUTION_H_
#define FERMATA_TESTS_DIFFERENTIAL_EXECUTION_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "fermata/dynamic.h"
#include "tests/differential/subject.h"

namespace fermata::differential {

// Plain: imports are answered at once. Ops: they suspend. Suspended: every function suspends at its
// entry, at each loop and after each growth, too (it must have been translated so). Snapshotted:
// the same, and the store is saved, destroyed and restored now and then; ops-snapshotted: likewise
// at imports alone. Paused: every check that pre-emption puts into code pauses the call. Stressed:
// as suspended, with objects collected at every allocation and suspension.
enum class Mode : uint8_t {
  kPlain,
  kOps,
  kOpsSnapshotted,
  kSuspended,
  kSnapshotted,
  kPaused,
  kStressed
};
inline constexpr std::array kModes = {Mode::kPlain,     Mode::kOps,         Mode::kOpsSnapshotted,
                                      Mode::kSuspended, Mode::kSnapshotted, Mode::kPaused,
                                      Mode::kStressed};
const char* Name(Mode mode);

// What the modes need of the translation.
enum class Variant : uint8_t { kPlain, kSuspending, kPausing };
inline constexpr std::array kVariants = {Variant::kPlain, Variant::kSuspending, Variant::kPausing};
const char* Name(Variant variant);
Variant VariantOf(Mode mode);

struct ExecutionCounts {
  uint64_t calls = 0, suspensions = 0, restores = 0;
};

// The log (log.h). What goes wrong otherwise (a module that can't be linked, a snapshot that can't
// be restored) is a line "error: …", the last.
std::string Execute(const Plan& plan, const ModuleInfo& info, Mode mode, ExecutionCounts& counts);

}  // namespace fermata::differential

#endif  // FERMATA_TESTS_DIFFERENTIAL_EXECUTION_H_
