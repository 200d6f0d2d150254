#include "fermata/wasi/command.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "fermata/deadline.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

void Complain(absl::string_view message) {
  std::fflush(stdout);
  std::fprintf(stderr, "fermata: %.*s\n", static_cast<int>(message.size()), message.data());
}

constexpr int kUsedUp = 124;   // as timeout(1)
constexpr int kTrapped = 134;  // as abort(3) in a shell

// Runs a process to its end, to a foreign op, or to where it is out of fuel or time.
Process::State RunWithin(Process& process, std::chrono::nanoseconds timeout) {
  std::optional<uint64_t> deadline;
  std::optional<DeadlineTimer> timer;
  DeadlineTimer::Deadline interrupt;
  if (timeout.count() > 0) {
    deadline = HostMonotonic() + static_cast<uint64_t>(timeout.count());
    interrupt = timer.emplace().InterruptAfter(process.store().interrupter(), timeout);
  }
  for (;;) {
    const Process::State state = RunToEnd(process, deadline);
    const bool interrupted = state == Process::State::kPaused && process.step().interrupted();
    if (!interrupted || (deadline && HostMonotonic() >= *deadline)) return state;
  }
}

// Whether a function of this name is exported; of any name.
bool ExportsFunction(const ModuleInfo& info, absl::string_view name = {}) {
  for (uint32_t i = 0; i < info.export_count; ++i) {
    const core::ExportInfo& e = info.exports[i];
    if (e.kind != ExternKind::kFunction) continue;
    if (name.empty() || absl::string_view(e.name.data, e.name.size) == name) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<Mount> ParseMount(absl::string_view text) {
  Mount mount;
  mount.read_only = absl::ConsumeSuffix(&text, "::ro");
  const size_t separator = text.find("::");
  mount.host = std::string(text.substr(0, separator));
  mount.guest =
      separator == absl::string_view::npos ? mount.host : std::string(text.substr(separator + 2));
  if (mount.host.empty() || mount.guest.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\": expected HOST::GUEST, the two names of a directory"));
  }
  return mount;
}

std::vector<std::string> ParseEnvironment(absl::Span<const std::string> texts) {
  std::vector<std::string> result;
  for (const std::string& text : texts) {
    if (absl::StrContains(text, "=")) {
      result.push_back(text);
    } else if (const char* value = std::getenv(text.c_str())) {
      result.push_back(absl::StrCat(text, "=", value));
    }
  }
  return result;
}

absl::Status AllowNetwork(absl::Span<const std::string> rules, NetworkPolicy& network) {
  for (const std::string& rule : rules) {
    if (const absl::Status status = network.Allow(rule); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("--allow-net ", status.message()));
    }
  }
  return absl::OkStatus();
}

void ComplainOfTrap(const Process& process, absl::string_view program) {
  const std::string trace = process.backtrace().ToString();
  Complain(absl::StrCat(program, ": trap: ", process.message(), trace.empty() ? "" : "\n",
                        absl::StripSuffix(trace, "\n")));
}

int ComplainOfCreation(const absl::Status& status, absl::string_view program) {
  const Trap trap = TrapOf(status);
  if (trap == Trap::kNone) {
    Complain(status.message());
    return 1;
  }
  Complain(absl::StrCat(program, ": trap: ", TrapMessage(trap), " (during initialization)"));
  return kTrapped;
}

CommandResult RunCommand(const ModuleInfo& info, Process::Options options,
                         absl::string_view export_name, absl::Span<const Value> arguments,
                         std::chrono::nanoseconds timeout) {
  CommandResult result;
  const std::string name = options.config.args.empty() ? info.name : options.config.args[0];
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Create(info, std::move(options));
  if (!process.ok()) {
    result.exit_code = ComplainOfCreation(process.status(), name);
    return result;
  }
  // A start function may be all there is.
  const bool starts = export_name == "_start" && !ExportsFunction(info, export_name) &&
                      info.start != core::kNoFunction;
  const absl::Status status = starts ? absl::OkStatus() : (*process)->Begin(export_name, arguments);
  if (!status.ok()) {
    Complain(status.message());
    return result;
  }
  Process& p = **process;
  switch (RunWithin(p, timeout)) {
    case Process::State::kFinished:
      if (starts && ExportsFunction(info)) {  // a library
        Complain(absl::StrCat(name, ": not a WASI command: no export \"_start\""));
        return result;
      }
      result.results.assign(p.step().results().begin(), p.step().results().end());
      break;
    case Process::State::kTrapped:
      ComplainOfTrap(p, name);
      break;
    case Process::State::kForeign:
      Complain(absl::StrCat("the guest called ", p.step().op_module(), ".", p.step().op_name(),
                            ", which the host does not provide"));
      return result;
    case Process::State::kPaused:
    case Process::State::kWaiting:
      Complain(p.step().out_of_fuel() ? "the guest is out of fuel" : "the guest's time is up");
      result.exit_code = kUsedUp;
      return result;
    default:
      break;
  }
  result.exit_code = p.exit_code();
  return result;
}

}  // namespace fermata::wasi

extern "C" int fermata_wasi_main(const void* module, int argc, char** argv,
                                 const char* const* mounts, const char* const* environment,
                                 const char* const* network) {
  using namespace fermata::wasi;
  const auto& info = *static_cast<const fermata::ModuleInfo*>(module);
  Process::Options options;
  options.config.inherit_stdio = true;
  options.config.args.assign(argv, argv + argc);
  std::vector<std::string> variables;
  for (; *environment != nullptr; ++environment) variables.push_back(*environment);
  options.config.env = ParseEnvironment(variables);
  std::vector<std::string> rules;
  for (; *network != nullptr; ++network) rules.push_back(*network);
  const absl::Status allowed = AllowNetwork(rules, options.config.network);
  if (!allowed.ok()) {
    Complain(allowed.message());
    return 1;
  }
  for (; *mounts != nullptr; ++mounts) {
    absl::StatusOr<Mount> mount = ParseMount(*mounts);
    if (!mount.ok()) {
      Complain(mount.status().message());
      return 1;
    }
    options.config.mounts.push_back(*std::move(mount));
  }
  return RunCommand(info, std::move(options)).exit_code;
}
