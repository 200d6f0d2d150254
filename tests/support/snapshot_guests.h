// Guests of the snapshot tests, and what drives them.
#ifndef FERMATA_TESTS_SUPPORT_SNAPSHOT_GUESTS_H_
#define FERMATA_TESTS_SUPPORT_SNAPSHOT_GUESTS_H_

#include <functional>
#include <string>
#include <vector>

#include "fermata/snapshot.h"

namespace fermata {

// tests/fuzz/NAME.wat: "mix" has state of every kind, "linked" is linked with it and with the host.
std::string GuestText(const std::string& name);

// Answers ops and pauses until the call has ended; `between` may replace the step.
absl::Status RunToEnd(DynamicStep& step, const std::function<absl::Status(DynamicStep&)>& between);

// Saves, destroys and restores.
absl::Status Again(std::unique_ptr<StoreHandle>& store, DynamicStep& step, const RestoreHost& host,
                   const SaveOptions& options = {});

}  // namespace fermata

#endif  // FERMATA_TESTS_SUPPORT_SNAPSHOT_GUESTS_H_
