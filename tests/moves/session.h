// A guest's call as `mover` carries it from machine to machine.
#ifndef FERMATA_TESTS_MOVES_SESSION_H_
#define FERMATA_TESTS_MOVES_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fermata/snapshot.h"

namespace fermata::moves {

// Guests and their calls, most often one of each. What a guest is told depends on nothing but what it
// has asked, so that it says the same wherever it continues.
class Session {
 public:
  virtual ~Session() = default;

  // Instantiates and calls; or takes held calls from a snapshot. One of the two, once.
  virtual absl::Status Begin() = 0;
  virtual absl::Status Restore(absl::string_view bytes) = 0;
  // Whether a call is held: suspended or paused.
  virtual bool held() const = 0;
  // Gives one that is held what it waits for, and runs it until it is held again or has ended.
  virtual absl::Status Advance() = 0;
  virtual absl::StatusOr<std::string> Save(const SaveOptions& options) = 0;
  // Whether calls that were restored from any bytes can be advanced a few times: they give up control
  // soon, whatever is in them.
  virtual bool always_yields() const = 0;

  virtual StoreHandle& store() = 0;
  virtual absl::Span<const DynamicStep> steps() = 0;  // those that are held
  // What the guest has said since the session was made.
  const std::string& output() const { return output_; }

 protected:
  std::string output_;
};

// The guests of this build.
std::vector<std::string> GuestNames();
// Null if there is no such guest.
std::unique_ptr<Session> MakeSession(absl::string_view guest);

// values.wat, whose imports are answered by the host. `paused`: it is also held where it runs out of
// fuel, of which it gets one unit at a time.
std::unique_ptr<Session> MakeValuesSession(bool paused);
// Two guests that are linked, with three calls that take turns.
std::unique_ptr<Session> MakeLinkedSession();

// A WASI program with these arguments, to which these lines are typed. Each line that it reads and
// each piece that it writes is a suspension.
struct Typed {
  std::vector<std::string> args;
  const char* input;
  std::map<std::string, std::string> files;  // in its directory "/w"
};
std::unique_ptr<Session> MakeTypedSession(const ModuleInfo& info, Typed typed);
Typed LuaSession();
Typed SqliteSession();

// FNV-1a, of 64 bits, as hexadecimal digits.
std::string HashOf(absl::string_view bytes);

// What becomes of copies of a snapshot that were tampered with, `count` of them, the same for the
// same seed: a line for each. Copies that are taken for good are run on a little.
std::string Tamper(absl::string_view guest, const std::string& snapshot, uint64_t seed,
                   uint64_t count);

}  // namespace fermata::moves

#endif  // FERMATA_TESTS_MOVES_SESSION_H_
