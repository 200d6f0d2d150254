#ifndef FERMATA_RUNTIME_WASI_POSIX_HOST_DIRECTORY_H_
#define FERMATA_RUNTIME_WASI_POSIX_HOST_DIRECTORY_H_

#include <memory>

#include "runtime/wasi/descriptor.h"

namespace fermata::wasi {

// A directory of the host's. Takes `fd` over.
std::unique_ptr<Directory> MakeHostDirectory(int fd, bool read_only, bool use_openat2);

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_POSIX_HOST_DIRECTORY_H_
