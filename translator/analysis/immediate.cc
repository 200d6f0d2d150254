#include "translator/analysis/immediate.h"

#include "absl/strings/str_cat.h"
#include "llvm/Support/GlobPattern.h"

namespace fermata::analysis {

absl::StatusOr<std::vector<bool>> MatchImmediate(const wasm::Module& module,
                                                 const std::vector<std::string>& globs) {
  std::vector<bool> immediate(module.imported_functions, false);
  for (const std::string& glob : globs) {
    llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(glob);
    if (!pattern) {
      return absl::InvalidArgumentError(
          absl::StrCat("--immediate '", glob, "': ", llvm::toString(pattern.takeError())));
    }
    bool any = false;
    for (uint32_t f = 0; f < module.imported_functions; ++f) {
      const wasm::Import& import = module.imports[module.functions[f].import];
      if (pattern->match(absl::StrCat(import.module, ".", import.name))) {
        any = true;
        immediate[f] = true;
      }
    }
    if (!any) {
      return absl::InvalidArgumentError(
          absl::StrCat(module.path, ": --immediate '", glob, "' matches no imported function"));
    }
  }
  return immediate;
}

}  // namespace fermata::analysis
