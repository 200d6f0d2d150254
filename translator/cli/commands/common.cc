#include "translator/cli/commands/common.h"

#include <cctype>

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace fermata::commands {

int Fail(absl::string_view message) {
  llvm::errs() << "fermata: " << llvm::StringRef(message.data(), message.size()) << "\n";
  return 1;
}

std::string StemOf(const std::string& path) {
  std::string name;
  for (unsigned char c : llvm::sys::path::stem(path)) name.push_back(std::isalnum(c) ? c : '_');
  // Of "é" nothing is left.
  if (name.find_first_not_of('_') == std::string::npos) return "guest";
  if (std::isdigit(static_cast<unsigned char>(name[0]))) name = "guest" + name;
  return name;
}

}  // namespace fermata::commands
