// Runs WASI programs like commands: what `fermata run` and executables made by `fermata compile`
// share.
#ifndef FERMATA_WASI_COMMAND_H_
#define FERMATA_WASI_COMMAND_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fermata/dynamic.h"
#include "fermata/needs_cxx20.h"
#include "fermata/wasi/process.h"

namespace fermata::wasi {

// "HOST::GUEST" or "DIR" (the same name for both), each with "::ro" after it if it is read-only.
absl::StatusOr<Mount> ParseMount(absl::string_view text);
// "NAME=VALUE", or "NAME" for the host's value of that variable (which is left out if it is not
// set).
std::vector<std::string> ParseEnvironment(absl::Span<const std::string> texts);
// Adds the rules of all --allow-net flags. Error: "--allow-net …".
absl::Status AllowNetwork(absl::Span<const std::string> rules, NetworkPolicy& network);
// Whether an import is a function of WAMR's socket extension. Programs that are linked without
// CMake have these only with `-Wl,-u,fermata_wasi_sockets`.
bool IsSocketExtension(absl::string_view module, absl::string_view name);
// A listening TCP socket for "HOST:PORT"; an IPv6 address in brackets.
absl::StatusOr<std::shared_ptr<Stream>> Listen(absl::string_view address);

// How a command has ended.
struct CommandResult {
  int exit_code = 1;
  std::vector<Value> results;  // of a call that returned
};
// Calls `export_name` of a new process, which inherits the standard streams unless the
// configuration says otherwise. Blocks until the call has ended, or has used up Limits::fuel or
// `timeout` (0: none; waiting counts). Both need a module translated with --preempt (fuel:
// --preempt=fuel); without it, the time is checked only while the guest waits. Errors are printed
// to standard error, with the program's name (Config::args[0]). The exit status is the guest's
// (Process::exit_code()), 134 after a trap, 124 if fuel or time is used up, or 1 if the program
// could not be run.
CommandResult RunCommand(const ModuleInfo& info, Process::Options options,
                         absl::string_view export_name = "_start",
                         absl::Span<const Value> arguments = {},
                         std::chrono::nanoseconds timeout = {});

// Prints to standard error why a process has trapped, and where: "fermata: PROGRAM: trap: MESSAGE",
// and a line for each frame of its back trace.
void ComplainOfTrap(const Process& process, absl::string_view program);
// Prints why Process::Create made no process. Returns the exit status: 134 if the module trapped,
// for example because a data segment has no room in the memory, and 1 otherwise.
int ComplainOfCreation(const absl::Status& status, absl::string_view program);

}  // namespace fermata::wasi

// For executables made by `fermata compile`, whose main() is generated. Strings are terminated by
// NULs, and lists by a null pointer. `module` is a const core::ModuleInfo*.
extern "C" int fermata_wasi_main(const void* module, int argc, char** argv,
                                 const char* const* mounts, const char* const* environment,
                                 const char* const* network);

#endif  // FERMATA_WASI_COMMAND_H_
