// Programs that end with this process when a signal ends it.
#ifndef FERMATA_TRANSLATOR_CLI_PROCESS_INTERRUPTIBLE_H_
#define FERMATA_TRANSLATOR_CLI_PROCESS_INTERRUPTIBLE_H_

#include <memory>

namespace fermata::process {

// While it exists, SIGINT, SIGTERM and SIGHUP to this process (those that would end it) end the
// programs that Run has started, with all that those have started, and keep others from being
// started. One at a time; to be made before threads are.
class Interruptible {
 public:
  enum Then {
    // Run and RunAll return, and the process is ended by the signal when the object is destroyed:
    // so what was made for the programs can be removed before.
    kReturn,
    // The process is ended by the signal at once.
    kEnd,
  };
  explicit Interruptible(Then then);
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fermata::process

#endif  // FERMATA_TRANSLATOR_CLI_PROCESS_INTERRUPTIBLE_H_
