// Snapshots of WASI programs in progress (fermata/snapshot.h, fermata/wasi/process.h).
//
// Besides the instance and its call, a snapshot of a Process holds arguments, environment, and
// descriptors: files and directories by their path in the mount through which they were opened,
// with position, rights and flags. The contents of files are not in it.
//
// The host supplies again, as at the program's start: mounts, standard streams and sockets (in the
// same order), clock and random numbers, limits. A stream continues where the host's stream is;
// SavedStream says how much was read and written before. Sleeps and poll timeouts begin anew.
//
// Connections that the guest has accepted, sockets that it has opened, and streams that the host
// has added (System::Add) can't be saved. Restoring is an error unless the host has a stream for
// them (RestoreOptions::stream). Files and directories that the host has added are an error too. An
// import that the host has bound under one of WASI's names must be in RestoreOptions::host again;
// otherwise WASI answers it.
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

// Saves a program that waits, is paused (it is then restored as kPaused) or has not begun. Errors:
// those of fermata::Save; a program that has ended. If the host has calls of its own in the store,
// that is not an error, but they are not saved.
absl::StatusOr<std::string> SaveProcess(Process& process, const SaveOptions& options = {});

// Where a saved program was in one of its streams.
struct SavedStream {
  uint32_t fd;
  uint64_t bytes_read, bytes_written;  // by fd_read and fd_write
};

// How RestoreProcess makes the process again.
struct RestoreOptions {
  // As for Process::Create, except that `imports` is not called, and that arguments and environment
  // are those of the snapshot.
  Process::Options process;
  // The code of functions that Process::Options::imports had made, and whatever else is not WASI's.
  // Its `modules` and `limits` are set by RestoreProcess.
  RestoreHost host;
  // If set, returns the stream for a descriptor of the guest, standard streams and sockets
  // included. If it returns null, that is the stream in `process`, or an error if there is none.
  std::function<std::shared_ptr<Stream>(const SavedStream&)> stream;
};

// Errors: those of fermata::Restore; kFailedPrecondition if a descriptor can't be opened again,
// with its number and path. `info` must outlive the process.
absl::StatusOr<std::unique_ptr<Process>> RestoreProcess(const ModuleInfo& info,
                                                        absl::string_view bytes,
                                                        RestoreOptions options);

// For tests: blocks until the process has ended, is suspended on a foreign op, or is paused. In
// between, it saves, destroys and restores the process at every suspension, and returns the errors
// of that.
absl::StatusOr<Process::State> RunRestoring(std::unique_ptr<Process>& process,
                                            const ModuleInfo& info, const RestoreOptions& options);

}  // namespace fermata::wasi

#endif  // FERMATA_WASI_SNAPSHOT_H_
