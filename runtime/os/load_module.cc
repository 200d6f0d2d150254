#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "fermata/dynamic.h"

namespace fermata {

absl::StatusOr<const ModuleInfo*> LoadModule(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return absl::NotFoundError(absl::StrCat("cannot load: ", dlerror()));
  using Entry = const ModuleInfo* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, "fermata_module"));
  if (entry == nullptr) {
    dlclose(library);
    return absl::InvalidArgumentError(absl::StrCat(path, ": not a module: no fermata_module"));
  }
  const ModuleInfo* info = entry();
  if (info->abi_version != core::kAbiVersion) {
    const uint32_t version = info->abi_version;
    dlclose(library);
    return absl::FailedPreconditionError(absl::StrCat(path, ": generated for ABI version ", version,
                                                      ", the runtime has ", core::kAbiVersion));
  }
  return info;
}

}  // namespace fermata
