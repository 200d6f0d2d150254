// The host's error codes as a guest's.
#ifndef FERMATA_RUNTIME_WASI_POSIX_ERRORS_H_
#define FERMATA_RUNTIME_WASI_POSIX_ERRORS_H_

#include <cerrno>

#include "fermata/wasi/types.h"

namespace fermata::wasi {

// `code` as in <cerrno>; 0 is success, what WASI has no word for is kIo.
Errno FromHost(int code);

// The outcome of a system call: its error if `result` is negative.
template <typename T>
Errno Outcome(T result) {
  return result < 0 ? FromHost(errno) : Errno::kSuccess;
}

// Repeats `call` while signals interrupt it.
template <typename Call>
auto Retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_POSIX_ERRORS_H_
