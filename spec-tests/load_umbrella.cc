#include "spec-tests/load_umbrella.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"

namespace fermata::spec {
namespace {

// As in the umbrella's text.
struct NamedModule {
  const char* file;
  const ModuleInfo* info;
};

}  // namespace

absl::StatusOr<std::map<std::string, const ModuleInfo*>> LoadUmbrella(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return absl::NotFoundError(absl::StrCat("cannot load: ", dlerror()));
  using Entry = const NamedModule* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, "fermata_spec_modules"));
  if (entry == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no fermata_spec_modules"));
  }
  std::map<std::string, const ModuleInfo*> modules;
  for (const NamedModule* module = entry(); module->file != nullptr; ++module) {
    if (module->info->abi_version != core::kAbiVersion) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": generated for ABI version ", module->info->abi_version));
    }
    modules[module->file] = module->info;
  }
  return modules;
}

}  // namespace fermata::spec
