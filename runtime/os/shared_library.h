// Libraries that are loaded while the program runs.
#ifndef FERMATA_RUNTIME_OS_SHARED_LIBRARY_H_
#define FERMATA_RUNTIME_OS_SHARED_LIBRARY_H_

#include <string>

#include "absl/status/statusor.h"

namespace fermata::internal {

// `path` in UTF-8. kNotFound: it can't be loaded.
absl::StatusOr<void*> OpenLibrary(const std::string& path);
// Null: it has no such function.
void* FindInLibrary(void* library, const char* function);
void CloseLibrary(void* library);

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_OS_SHARED_LIBRARY_H_
