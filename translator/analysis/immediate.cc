#include "translator/analysis/immediate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "llvm/Support/GlobPattern.h"

namespace fermata::analysis {

absl::Span<const absl::string_view> WasiFunctionsThatNeverWait() {
  static constexpr absl::string_view kNames[] = {
      "args_get",
      "args_sizes_get",
      "clock_res_get",
      "clock_time_get",
      "environ_get",
      "environ_sizes_get",
      "fd_advise",
      "fd_allocate",
      "fd_close",
      "fd_datasync",
      "fd_fdstat_get",
      "fd_fdstat_set_flags",
      "fd_fdstat_set_rights",
      "fd_filestat_get",
      "fd_filestat_set_size",
      "fd_filestat_set_times",
      "fd_pread",
      "fd_prestat_dir_name",
      "fd_prestat_get",
      "fd_pwrite",
      "fd_readdir",
      "fd_renumber",
      "fd_seek",
      "fd_sync",
      "fd_tell",
      "path_create_directory",
      "path_filestat_get",
      "path_filestat_set_times",
      "path_link",
      "path_open",
      "path_readlink",
      "path_remove_directory",
      "path_rename",
      "path_symlink",
      "path_unlink_file",
      "proc_exit",
      "proc_raise",
      "random_get",
      "sock_shutdown",
  };
  return kNames;
}

absl::StatusOr<std::vector<bool>> MatchImmediate(const wasm::Module& module,
                                                 const std::vector<std::string>& globs, bool wasi) {
  std::vector<bool> immediate(module.imported_functions, false);
  for (uint32_t f = 0; wasi && f < module.imported_functions; ++f) {
    const wasm::Import& import = module.imports[module.functions[f].import];
    const absl::Span<const absl::string_view> names = WasiFunctionsThatNeverWait();
    immediate[f] = import.module == kWasiModule &&
                   std::find(names.begin(), names.end(), import.name) != names.end();
  }
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
