#include "translator/module_analysis/immediate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "llvm/Support/GlobPattern.h"

namespace fermata::analysis {

namespace {

constexpr absl::string_view kNeverWait[] = {
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
    "sock_addr_local",
    "sock_addr_remote",
    "sock_bind",
    "sock_close",
    "sock_get_broadcast",
    "sock_get_ip_multicast_loop",
    "sock_get_ip_multicast_ttl",
    "sock_get_ip_ttl",
    "sock_get_ipv6_only",
    "sock_get_keep_alive",
    "sock_get_linger",
    "sock_get_recv_buf_size",
    "sock_get_recv_timeout",
    "sock_get_reuse_addr",
    "sock_get_reuse_port",
    "sock_get_send_buf_size",
    "sock_get_send_timeout",
    "sock_get_tcp_fastopen_connect",
    "sock_get_tcp_keep_idle",
    "sock_get_tcp_keep_intvl",
    "sock_get_tcp_no_delay",
    "sock_get_tcp_quick_ack",
    "sock_listen",
    "sock_open",
    "sock_set_broadcast",
    "sock_set_ip_add_membership",
    "sock_set_ip_drop_membership",
    "sock_set_ip_multicast_loop",
    "sock_set_ip_multicast_ttl",
    "sock_set_ip_ttl",
    "sock_set_ipv6_only",
    "sock_set_keep_alive",
    "sock_set_linger",
    "sock_set_recv_buf_size",
    "sock_set_recv_timeout",
    "sock_set_reuse_addr",
    "sock_set_reuse_port",
    "sock_set_send_buf_size",
    "sock_set_send_timeout",
    "sock_set_tcp_fastopen_connect",
    "sock_set_tcp_keep_idle",
    "sock_set_tcp_keep_intvl",
    "sock_set_tcp_no_delay",
    "sock_set_tcp_quick_ack",
    "sock_shutdown",
};

}  // namespace

absl::Span<const absl::string_view> WasiFunctionsThatNeverWait() { return kNeverWait; }

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
