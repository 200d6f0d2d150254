#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "runtime/os/shared_library.h"

namespace fermata::internal {

absl::StatusOr<void*> OpenLibrary(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return absl::NotFoundError(absl::StrCat("cannot load: ", dlerror()));
  return library;
}

void* FindInLibrary(void* library, const char* function) { return dlsym(library, function); }
void CloseLibrary(void* library) { dlclose(library); }

}  // namespace fermata::internal
