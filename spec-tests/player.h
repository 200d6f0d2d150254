// Plays a script: instantiates its modules, links them as it says, and checks what it asserts.
//
// Modules that must be refused are none of its business: refusing is the translator's (negative.h).
//
// A module that needs a proposal which Fermata lacks is blocked, and so is what is linked with it
// or asserted about it; the rest of the script is played all the same. A `thread` command runs its
// commands on a thread of its own, with a store of its own.
//
// Suspended: every import is an op and every function is paused often; each suspension is answered at
// once, after the native stack below was overwritten now and then, so that a value that was left
// there instead of in a frame is seen to be lost.
//
// Snapshotted: the same, and the store is saved, destroyed and restored from the bytes at each of
// the first kRestoresEach suspensions of every resume point, and at every kRestoreEvery-th. Not
// while other threads are under way: they may share memories of the store.
//
// Paused: no import suspends, but every check that pre-emption puts into code pauses it, by turns
// because there is no fuel and because of an interrupt.
#ifndef FERMATA_SPEC_TESTS_PLAYER_H_
#define FERMATA_SPEC_TESTS_PLAYER_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fermata/dynamic.h"
#include "spec-tests/outcome.h"
#include "spec-tests/script.h"

namespace fermata::spec {

struct PlayOptions {
  core::MemoryPolicy memory = core::MemoryPolicy::kReserved;  // of the host's memories
  bool suspended = false;
  bool snapshotted = false;  // suspended only
  bool paused = false;
  bool stressed = false;  // objects are collected and moved at every allocation and suspension
  std::map<std::string, const ModuleInfo*> modules;  // by file name
  std::map<std::string, std::string> blocked;        // by file name: why
  std::map<std::string, std::string> broken;         // by file name: why it could not be translated
};

// A trap's message and the suite's text agree if one begins with the other ("uninitialized element
// 2" and "uninitialized element"); which kind of reference was null is not looked at.
bool SameTrapText(absl::string_view expected, absl::string_view found);

class Player {
 public:
  // Called for each command that is played, possibly on other threads, one at a time.
  using Report = std::function<void(const CommandResult&)>;

  Player(const PlayOptions& options, Report report);
  ~Player();
  void Play(const std::vector<Command>& commands);
  PlayStats stats() const { return stats_; }

 private:
  // An instance, or the reason why there is none.
  struct Unit {
    DynamicInstance* instance = nullptr;
    std::string blocked, broken;
    // Of another thread's store: what may be imported from it.
    std::shared_ptr<const std::map<std::string, Extern>> foreign;
  };
  // What a call or an instantiation has come to.
  struct Result {
    enum class Kind : uint8_t { kReturned, kTrapped, kUnlinkable, kError, kBlocked };
    Kind kind = Kind::kReturned;
    Trap trap = Trap::kNone;
    std::string message;
    std::vector<Value> values;
  };
  struct Thread {
    std::unique_ptr<Player> player;
    std::thread thread;
  };

  void PlayOne(const Command& command);
  CommandResult Check(const Command& command);
  CommandResult CheckInstance(const Command& command, const std::string& filename, Unit& unit);
  CommandResult CheckAction(const Command& command);
  CommandResult CheckRefusedInstance(const Command& command);
  CommandResult Register(const Command& command);
  CommandResult StartThread(const Command& command);
  CommandResult Wait(const Command& command);

  Result Instantiate(const std::string& filename, Unit& unit);
  Result Link(const ModuleInfo& info, Imports& imports);
  absl::StatusOr<Extern> FindImport(const core::ImportInfo& import);
  Result Act(const Action& action);
  Result Drive(absl::StatusOr<DynamicStep> step);
  absl::Status RunOn(DynamicStep& step);
  void PauseAtNextCheck();
  bool IsToRestore(DynamicStep& step);
  absl::Status Restore(DynamicStep& step);
  const Unit& Find(const std::string& name) const;

  const PlayOptions& options_;
  Report report_;
  std::unique_ptr<StoreHandle> store_;
  std::map<std::string, Extern> spectest_;
  std::vector<std::string> spectest_names_;  // in the order they were made
  std::map<std::pair<const ModuleInfo*, uint32_t>, unsigned> suspensions_at_;  // by site
  absl::Status spectest_status_;
  std::map<std::string, Unit> named_, registered_;
  Unit latest_;
  std::map<std::string, std::string> definitions_;  // name to file name; "": the latest
  std::map<std::string, Thread> threads_;
  bool interrupts_ = false;  // paused: why the next pause will be
  PlayStats stats_;
};

}  // namespace fermata::spec

#endif  // FERMATA_SPEC_TESTS_PLAYER_H_
