// Descriptors that the host gives to a guest that runs, or takes from it.
#include "absl/strings/str_cat.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

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
  const Rights rights = RightsOf(*stream) & ~RightsWithout(access);
  return AddTo(impl_->descriptors, std::make_unique<StreamDescriptor>(std::move(stream), rights));
}

absl::StatusOr<uint32_t> System::AddFile(int fd, Access access) {
  auto descriptor = TakeHostDescriptor(fd, access, impl_->config.use_openat2);
  if (!descriptor.ok()) return descriptor.status();
  return AddTo(impl_->descriptors, *std::move(descriptor));
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
