// Descriptors that the host gives to a guest that runs, or takes from it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "runtime/wasi/resolve.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

using Access = System::Access;

// What can't be done with a thing that is only read, or only written.
constexpr Rights kWritesData = rights::kFdWrite | rights::kFdAllocate | rights::kFdFilestatSetSize;
Rights Lacks(Access access) {
  return access == Access::kRead    ? kWritesData
         : access == Access::kWrite ? Rights{rights::kFdRead}
                                    : Rights{0};
}

absl::StatusOr<uint32_t> AddTo(DescriptorTable& table, std::unique_ptr<Descriptor> descriptor) {
  uint32_t fd = 0;
  if (table.Add(std::move(descriptor), fd) == Errno::kSuccess) return fd;
  return absl::ResourceExhaustedError(
      "the guest has as many descriptors as max_descriptors allows");
}

absl::Status NotOpen(uint32_t fd) {
  return absl::NotFoundError(absl::StrCat("the guest has no descriptor ", fd));
}

}  // namespace

absl::StatusOr<uint32_t> System::Add(std::shared_ptr<Stream> stream, Access access) {
  if (stream == nullptr) return absl::InvalidArgumentError("the stream is null");
  const Rights rights = RightsOf(*stream) & ~Lacks(access);
  return AddTo(impl_->descriptors, std::make_unique<StreamDescriptor>(std::move(stream), rights));
}

absl::StatusOr<uint32_t> System::AddFile(int fd, Access access) {
  OwnedFd owned(fd);
  struct stat status;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fstat(fd, &status) != 0) {
    return absl::InvalidArgumentError(absl::StrCat("descriptor ", fd, ": ", strerror(errno)));
  }
  std::unique_ptr<Descriptor> descriptor;
  if (S_ISDIR(status.st_mode)) {
    const bool read_only = access == Access::kRead;
    auto directory = MakeHostDirectory(owned.Release(), read_only, impl_->config.use_openat2);
    if (access == Access::kWrite) directory->inheriting &= ~Rights{rights::kFdRead};
    descriptor = std::move(directory);
  } else {
    Rights lacks = Lacks(access);
    if ((flags & O_ACCMODE) == O_RDONLY) lacks |= Lacks(Access::kRead);
    if ((flags & O_ACCMODE) == O_WRONLY) lacks |= Lacks(Access::kWrite);
    uint16_t guest_flags = 0;
    if (flags & O_APPEND) guest_flags |= fdflags::kAppend;
    descriptor = MakeHostDescriptor(fd, /*owned=*/true, rights::kAll & ~lacks, 0, guest_flags);
    if (descriptor == nullptr) return absl::InternalError("the descriptor can't be used");
    owned.Release();
  }
  return AddTo(impl_->descriptors, std::move(descriptor));
}

absl::StatusOr<uint32_t> System::AddMount(Mount mount) {
  auto directory = OpenMount(mount, impl_->config.use_openat2);
  if (!directory.ok()) return directory.status();
  return AddTo(impl_->descriptors, *std::move(directory));
}

std::shared_ptr<Stream> System::Find(uint32_t fd) const {
  Descriptor* found = impl_->descriptors.At(fd);
  return found == nullptr ? nullptr : found->stream();
}

absl::StatusOr<std::shared_ptr<Stream>> System::Take(uint32_t fd) {
  Descriptor* found = impl_->descriptors.At(fd);
  if (found == nullptr) return NotOpen(fd);
  std::shared_ptr<Stream> stream = found->stream();
  if (stream == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("descriptor ", fd, " is not a stream"));
  }
  if (absl::Status status = Remove(fd); !status.ok()) return status;
  return stream;
}

absl::Status System::Remove(uint32_t fd) {
  if (impl_->descriptors.Close(fd) != Errno::kSuccess) return NotOpen(fd);
  if (impl_->removed != nullptr) impl_->removed();
  return absl::OkStatus();
}

}  // namespace fermata::wasi
