// fermata-spec-player: plays a script whose modules are a shared library, and tells on standard
// output what became of its commands (wire.h). fermata-spec starts it, on this machine or on another:
// it needs the runtime, but neither the translator nor LLVM.
//
//   fermata-spec-player TASK.json     a spec::PlayTask
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include "spec-tests/load_umbrella.h"
#include "spec-tests/player.h"
#include "spec-tests/script.h"
#include "spec-tests/wire.h"

namespace {

namespace spec = fermata::spec;

// On the wire at once: a crash must not lose it.
void Tell(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

absl::Status Play(const std::string& path) {
  absl::StatusOr<spec::PlayTask> task = spec::ReadPlayTask(path);
  if (!task.ok()) return task.status();
  absl::StatusOr<spec::Script> script = spec::ReadScript(task->script);
  if (!script.ok()) return script.status();
  spec::PlayOptions options;
  // The code of a fixed memory takes none from its host.
  options.memory = task->memory == "reserved" ? fermata::core::MemoryPolicy::kReserved
                                              : fermata::core::MemoryPolicy::kChecked;
  options.suspended = spec::SuspendsEverywhere(task->mode);
  options.snapshotted = task->mode == spec::Mode::kSnapshotted;
  options.paused = task->mode == spec::Mode::kPaused;
  options.stressed = task->mode == spec::Mode::kStressed;
  options.blocked = std::move(task->untranslated.blocked);
  options.broken = std::move(task->untranslated.broken);
  std::string error = task->error;
  if (!task->library.empty()) {
    auto modules = spec::LoadUmbrella(task->library);
    if (modules.ok()) {
      options.modules = *std::move(modules);
    } else {
      error = std::string(modules.status().message());
    }
  }
  if (!error.empty()) {
    for (const std::string& module : spec::ModulesOf(*script)) {
      options.broken.emplace(module, error);
    }
  }
  std::mutex mutex;
  spec::Player player(options, [&](const spec::CommandResult& outcome) {
    std::lock_guard<std::mutex> lock(mutex);
    Tell(spec::ToLine(outcome));
  });
  player.Play(script->commands);
  Tell(spec::ToLine(player.stats()));
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fermata-spec-player TASK.json\n");
    return 2;
  }
  const absl::Status status = Play(argv[1]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "fermata-spec-player: %s\n", std::string(status.message()).c_str());
  return 1;
}
