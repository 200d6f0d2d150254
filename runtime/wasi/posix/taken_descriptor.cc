// Descriptors of the host that the guest is given.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/wasi/posix/host_directory.h"
#include "runtime/wasi/posix/resolve.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {

using Access = System::Access;

absl::StatusOr<std::unique_ptr<Descriptor>> TakeHostDescriptor(int fd, Access access,
                                                               bool use_openat2) {
  OwnedFd owned(fd);
  struct stat status;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fstat(fd, &status) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd, ": ", strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) {
    const bool read_only = access == Access::kRead;
    auto directory = MakeHostDirectory(owned.Release(), read_only, use_openat2);
    if (access == Access::kWrite) directory->inheriting &= ~Rights{rights::kFdRead};
    return directory;
  }
  Rights lacks = RightsWithout(access);
  if ((flags & O_ACCMODE) == O_RDONLY) lacks |= RightsWithout(Access::kRead);
  if ((flags & O_ACCMODE) == O_WRONLY) lacks |= RightsWithout(Access::kWrite);
  uint16_t guest_flags = 0;
  if (flags & O_APPEND) guest_flags |= fdflags::kAppend;
  auto descriptor = MakeHostDescriptor(fd, /*owned=*/true, rights::kAll & ~lacks, 0, guest_flags);
  if (descriptor == nullptr) return absl::InternalError("the descriptor can't be used");
  owned.Release();
  return descriptor;
}

}  // namespace fermata::wasi
