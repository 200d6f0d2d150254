#include "spec-tests/load_umbrella.h"

#include "absl/strings/str_cat.h"
#include "runtime/os/shared_library.h"

namespace fermata::spec {
namespace {

// As in the umbrella's text.
struct NamedModule {
  const char* file;
  const ModuleInfo* info;
};

}  // namespace

absl::StatusOr<std::map<std::string, const ModuleInfo*>> LoadUmbrella(const std::string& path) {
  const absl::StatusOr<void*> library = internal::OpenLibrary(path);
  if (!library.ok()) return library.status();
  using Entry = const NamedModule* (*)();
  const auto entry =
      reinterpret_cast<Entry>(internal::FindInLibrary(*library, "fermata_spec_modules"));
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
