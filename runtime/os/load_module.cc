#include "absl/strings/str_cat.h"
#include "fermata/dynamic.h"
#include "runtime/os/shared_library.h"

namespace fermata {

absl::StatusOr<const ModuleInfo*> LoadModule(const std::string& path) {
  const absl::StatusOr<void*> library = internal::OpenLibrary(path);
  if (!library.ok()) return library.status();
  using Entry = const ModuleInfo* (*)();
  const auto entry = reinterpret_cast<Entry>(internal::FindInLibrary(*library, "fermata_module"));
  if (entry == nullptr) {
    internal::CloseLibrary(*library);
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a module: no fermata_module"));
  }
  const ModuleInfo* info = entry();
  if (info->abi_version != core::kAbiVersion) {
    const uint32_t version = info->abi_version;
    internal::CloseLibrary(*library);
    return absl::FailedPreconditionError(absl::StrCat(path, ": generated for ABI version ", version,
                                                      ", the runtime has ", core::kAbiVersion));
  }
  return info;
}

}  // namespace fermata
