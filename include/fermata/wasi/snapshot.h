// Snapshots of WASI programs in progress (fermata/snapshot.h, fermata/wasi/process.h).
//
// Besides the instance and its call, a snapshot of a Process holds arguments, environment, and the
// descriptors: files and directories by their path in the mount that they were opened through, with
// position, rights and flags. Files themselves are not in it.
//
// What the host supplies again, as at the program's start: mounts, standard streams and sockets (in
// the same order), clock and random numbers, limits. A stream goes on where the host's goes on; how
// much was read and written before is in SavedStream. Sleeps and poll timeouts begin anew.
//
// Connections that the guest has accepted, sockets that it has opened, and streams that the host
// has added (System::Add), can't be saved: restoring is an error, unless the host has a stream for
// them (RestoreOptions::stream). Files and directories that the host has added are an error, too.
// An import that the host has bound under one of WASI's names is in RestoreOptions::host again, or
// falls to WASI.
#ifndef FERMATA_WASI_SNAPSHOT_H_
#define FERMATA_WASI_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fermata/needs_cxx20.h"
#include "fermata/snapshot.h"
#include "fermata/wasi/process.h"

namespace fermata::wasi {

// A program that waits, is paused (it then is kPaused again) or has not begun. Errors: as
// fermata::Save's; a program that has ended; a store in which the host has calls of its own is not
// an error, but they are not saved.
absl::StatusOr<std::string> SaveProcess(Process& process, const SaveOptions& options = {});

struct SavedStream {
  uint32_t fd;
  uint64_t bytes_read, bytes_written;  // by fd_read and fd_write
};

struct RestoreOptions {
  // As for Process::Create, but `imports` is not called, and arguments and environment are those of
  // the snapshot.
  Process::Options process;
  // Code of functions that Process::Options::imports had made, and what else is not WASI's.
  // `modules` and `limits` are set.
  RestoreHost host;
  // If set: what the guest's stream is to be, of the standard ones and sockets too. Null: the one
  // of `process`, or an error if it is none of those.
  std::function<std::shared_ptr<Stream>(const SavedStream&)> stream;
};

// Errors: as fermata::Restore's; kFailedPrecondition: a descriptor that can't be had again, with
// its number and path. `info` outlives the process.
absl::StatusOr<std::unique_ptr<Process>> RestoreProcess(const ModuleInfo& info,
                                                        absl::string_view bytes,
                                                        RestoreOptions options);

// For tests: blocks until the process has ended, is suspended on a foreign op, or is paused, and
// meanwhile saves, destroys and restores it at every suspension. Errors are those of that.
absl::StatusOr<Process::State> RunRestoring(std::unique_ptr<Process>& process,
                                            const ModuleInfo& info, const RestoreOptions& options);

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_SNAPSHOT_H_
