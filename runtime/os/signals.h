// Keeping signals away from code that runs inside somebody else's program.
#ifndef FERMATA_RUNTIME_OS_SIGNALS_H_
#define FERMATA_RUNTIME_OS_SIGNALS_H_

#include <signal.h>

namespace fermata::internal {

// While it exists, writing to a pipe without a reader fails with EPIPE on this thread, and does not
// end the process. Keeps errno.
class WithoutSigpipe {
 public:
  WithoutSigpipe();
  ~WithoutSigpipe();
  WithoutSigpipe(const WithoutSigpipe&) = delete;

 private:
  bool was_pending_;
  sigset_t before_;
};

// Starts a thread that nobody waits for and that handles no signals: those are for the program's
// own threads. False: the system can't make one.
bool StartDetachedThread(void (*run)(void*), void* argument);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_SIGNALS_H_
