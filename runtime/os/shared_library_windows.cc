#include <windows.h>

#include <system_error>

#include "absl/strings/str_cat.h"
#include "runtime/os/shared_library.h"

namespace fermata::internal {
namespace {

std::wstring Widen(const std::string& text) {
  const int size = static_cast<int>(text.size());
  std::wstring wide(
      static_cast<size_t>(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0)), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, wide.data(), static_cast<int>(wide.size()));
  return wide;
}

}  // namespace

absl::StatusOr<void*> OpenLibrary(const std::string& path) {
  HMODULE library = LoadLibraryW(Widen(path).c_str());
  if (library != nullptr) return library;
  const auto code = static_cast<int>(GetLastError());
  return absl::NotFoundError(
      absl::StrCat("cannot load: ", path, ": ", std::system_category().message(code)));
}

void* FindInLibrary(void* library, const char* function) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), function));
}

void CloseLibrary(void* library) { FreeLibrary(static_cast<HMODULE>(library)); }

}  // namespace fermata::internal
