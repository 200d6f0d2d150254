#include "fermata/wasi/process.h"

#include "absl/strings/str_cat.h"
#include "runtime/wasi/system.h"

namespace fermata::wasi {
namespace {

bool Exports(const ModuleInfo& info, absl::string_view name) {
  for (uint32_t i = 0; i < info.export_count; ++i) {
    const core::ExportInfo& e = info.exports[i];
    if (e.kind == ExternKind::kFunction && absl::string_view(e.name.data, e.name.size) == name) {
      return true;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Create(const ModuleInfo& info, Options options) {
  std::unique_ptr<Process> process(new Process);
  absl::Status status = process->Instantiate(info, options);
  if (!status.ok()) return status;
  return process;
}

Process::~Process() = default;

void Process::BindImports(System& system, const ModuleInfo& info, const Options& options,
                          Imports& imports) {
  if (options.always_suspend) {
    // Ops, except where the module can't suspend.
    Imports all;
    system.Bind(info, all);
    for (uint32_t i = 0; i < info.import_count; ++i) {
      const core::ImportInfo& import = info.imports[i];
      const absl::string_view module(import.module.data, import.module.size);
      const absl::string_view name(import.name.data, import.name.size);
      const Extern* bound = all.Find(module, name);
      if (bound != nullptr && import.suspend == nullptr) imports.Add(module, name, *bound);
    }
  } else {
    system.Bind(info, imports);
  }
}

void Process::Own(std::unique_ptr<System> system) {
  system_ = std::move(system);
  // What it waits for may be gone.
  system_->impl_->removed = [this] {
    if (state_ == State::kWaiting) Wake();
  };
}

absl::Status Process::Instantiate(const ModuleInfo& info, Options& options) {
  absl::StatusOr<std::unique_ptr<System>> system = System::Create(std::move(options.config));
  if (!system.ok()) return system.status();
  Own(*std::move(system));
  store_ = std::make_unique<StoreHandle>(options.limits);
  Imports imports;
  BindImports(*system_, info, options, imports);
  if (options.imports != nullptr) {  // the latest wins
    absl::Status status = options.imports(*store_, imports);
    if (!status.ok() && system_->exit_code()) {
      // An instance that this one was to be linked with: nothing else could say so.
      return absl::CancelledError(
          absl::StrCat(status.message(), " (exit status ", *system_->exit_code(), ")"));
    }
    if (!status.ok()) return status;
  }
  if (!options.initialize) imports.SetInitialize(false);
  imports.DeferStart();
  absl::StatusOr<DynamicInstance*> instance = store_->Instantiate(info, imports);
  if (!instance.ok()) return instance.status();
  instance_ = *instance;
  next_export_ = "_start";
  return absl::OkStatus();
}

absl::Status Process::Begin(absl::string_view export_name, absl::Span<const Value> arguments) {
  if (state_ == State::kWaiting || state_ == State::kForeign || state_ == State::kPaused) {
    return absl::FailedPreconditionError("a call is under way");
  }
  if (!Exports(instance_->info(), export_name)) {
    return absl::NotFoundError(absl::StrCat(instance_->info().name, ": no export \"", export_name,
                                            "\" that is a function"));
  }
  system_->impl_->exit_code.reset();
  next_export_ = std::string(export_name);
  next_arguments_.assign(arguments.begin(), arguments.end());
  state_ = State::kReady;
  return absl::OkStatus();
}

Process::State Process::Fail(const absl::Status& status) {
  failure_ = std::string(status.message());
  return state_ = State::kTrapped;
}

void Process::Abort(absl::string_view message) {
  step_.Cancel();
  pending_ = {};
  Fail(absl::AbortedError(message));
  Wake();
}

void Process::Wake() {
  if (waker_ != nullptr) waker_();
}

// Makes the next of the calls that are due.
Process::State Process::Next() {
  phase_ = instance_->start_pending() ? Phase::kStart : Phase::kCall;
  absl::StatusOr<DynamicStep> step =
      phase_ == Phase::kStart ? instance_->Start() : instance_->Call(next_export_, next_arguments_);
  if (!step.ok()) return Fail(step.status());
  step_ = *std::move(step);
  pending_ = {};
  return state_ = State::kWaiting;
}

// Whether the module's start function is the program: it has no "_start", and was not asked for
// anything else.
bool Process::OnlyStarts() const {
  const ModuleInfo& info = instance_->info();
  return next_export_ == "_start" && info.start != core::kNoFunction && !Exports(info, "_start");
}

Process::State Process::Ended() {
  if (step_.trapped()) {
    const bool exited = system_->exit_code().has_value() && step_.trap() == Trap::kCancelled;
    return state_ = exited ? State::kExited : State::kTrapped;
  }
  if (phase_ == Phase::kCall || OnlyStarts()) return state_ = State::kFinished;
  return Next();
}

Process::State Process::Run() {
  if (state_ == State::kReady) {
    failure_.clear();
    Next();
  }
  if (state_ == State::kPaused) {
    state_ = State::kWaiting;
    if (step_.paused()) {
      const absl::Status status = step_.Continue();
      if (!status.ok()) return Fail(status);
    }
  }
  while ((state_ == State::kWaiting || state_ == State::kForeign) && Advance()) {
  }
  return state_;
}

bool Process::Advance() {
  if (step_.paused()) {
    state_ = State::kPaused;
    return false;
  }
  if (!step_.suspended()) {
    Ended();
    return true;
  }
  switch (system_->Answer(step_, pending_)) {
    case System::Progress::kAnswered:
      return true;
    case System::Progress::kWaiting:
      state_ = State::kWaiting;
      return false;
    case System::Progress::kExited:
      state_ = State::kExited;
      return false;
    case System::Progress::kForeign:
      state_ = State::kForeign;
      return false;
  }
  return false;
}

int Process::exit_code() const {
  switch (state_) {
    case State::kExited: {
      const uint32_t status = system_->exit_code().value_or(0);
      return status != 0 && status % 256 == 0 ? 255 : static_cast<int>(status);
    }
    case State::kTrapped:
      return 134;
    default:
      return 0;
  }
}

std::string Process::message() const {
  if (!failure_.empty()) return failure_;
  return step_.trapped() ? step_.message() : std::string();
}

}  // namespace fermata::wasi
