// Between the host's words for files and a guest's.
#ifndef FERMATA_RUNTIME_WASI_POSIX_HOST_STAT_H_
#define FERMATA_RUNTIME_WASI_POSIX_HOST_STAT_H_

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "runtime/wasi/descriptor.h"

namespace fermata::wasi {

FileStat ToFileStat(const struct stat& status);
FileType ToFileType(mode_t mode);
// As futimens takes them.
void ToTimespecs(const Times& times, timespec to[2]);

}  // namespace fermata::wasi

#endif  // FERMATA_RUNTIME_WASI_POSIX_HOST_STAT_H_
