#include "tests/support/snapshot_guests.h"

#include "tests/support/code_fixture.h"
#include "tests/support/files.h"

namespace fermata {

std::string GuestText(const std::string& name) {
  return testing_support::ReadFile(FERMATA_SOURCE_DIR "/tests/fuzz/" + name + ".wat");
}

absl::Status RunToEnd(DynamicStep& step, const std::function<absl::Status(DynamicStep&)>& between) {
  while (step.suspended() || step.out_of_fuel()) {
    absl::Status status = between(step);
    if (status.ok() && step.out_of_fuel()) {
      status = step.Refuel(0);
    } else if (status.ok()) {
      status = step.Resume({Op(step.op_arguments()[0])});
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Again(std::unique_ptr<StoreHandle>& store, DynamicStep& step, const RestoreHost& host,
                   const SaveOptions& options) {
  absl::StatusOr<std::string> bytes = Save(*store, {&step}, options);
  if (!bytes.ok()) return bytes.status();
  step = DynamicStep();
  store = nullptr;
  absl::StatusOr<RestoredStore> restored = Restore(*bytes, host);
  if (!restored.ok()) return restored.status();
  store = std::move(restored->store);
  step = std::move(restored->steps[0]);
  return absl::OkStatus();
}

}  // namespace fermata
