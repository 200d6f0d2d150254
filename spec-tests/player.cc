#include "spec-tests/player.h"

#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "fermata/snapshot.h"
#include "spec-tests/host_module.h"
#include "spec-tests/values.h"

namespace fermata::spec {
namespace {

absl::string_view View(const core::Text& text) { return {text.data, text.size}; }

// Overwrites the native stack below the caller's frame.
__attribute__((noinline)) void OverwriteStack() {
  volatile uint64_t junk[8192];
  for (volatile uint64_t& word : junk) word = 0xa5a5a5a5deadbeef;
}

constexpr unsigned kRestoresEach = 2;
constexpr uint64_t kRestoreEvery = 5000;

constexpr uint64_t kFuel = uint64_t{1} << 62;  // no end; pauses do not depend on it

constexpr char kNoInstance[] = "there is no instance: see what is said of its module";

bool IsLinkError(absl::string_view message) {
  return absl::StrContains(message, "unknown import") ||
         absl::StrContains(message, "incompatible import type");
}

// "null function reference", "null reference": "null reference". A cast that compares descriptors
// fails as others do.
std::string WithoutKind(absl::string_view text) {
  absl::ConsumePrefix(&text, "descriptor ");
  if (absl::StartsWith(text, "null ") && absl::StrContains(text, " reference")) {
    return "null reference";
  }
  return std::string(text);
}

CommandResult Failed(const Command& command, std::string detail) {
  return {command.line, command.type, Verdict::kFailed, std::move(detail)};
}
CommandResult Blocked(const Command& command, std::string detail) {
  return {command.line, command.type, Verdict::kBlocked, std::move(detail)};
}
CommandResult Passed(const Command& command) {
  return {command.line, command.type, Verdict::kPassed, ""};
}

// The command's own instance of the map's value under a name that may be missing.
template <class Map>
typename Map::mapped_type Lookup(const Map& map, const std::string& key) {
  const auto it = map.find(key);
  return it == map.end() ? typename Map::mapped_type{} : it->second;
}

Limits LimitsOf(const PlayOptions& options) {
  Limits limits;
  limits.heap_stress = options.stressed ? 1 : 0;
  return limits;
}

}  // namespace

bool SameTrapText(absl::string_view expected, absl::string_view found) {
  const std::string a = WithoutKind(expected), b = WithoutKind(found);
  return !b.empty() && (absl::StartsWith(a, b) || absl::StartsWith(b, a));
}

Player::Player(const PlayOptions& options, Report report)
    : options_(options),
      report_(std::move(report)),
      store_(std::make_unique<StoreHandle>(LimitsOf(options))) {
  latest_.broken = "the script has no instance yet";
  if (options.paused) PauseAtNextCheck();
  auto spectest = MakeSpectest(
      *store_, {options.suspended, options.memory, ImportsFromSpectest(options.modules)},
      spectest_names_);
  spectest_status_ = spectest.status();
  if (spectest.ok()) spectest_ = *std::move(spectest);
}

Player::~Player() {
  for (auto& [name, thread] : threads_) {
    if (thread.thread.joinable()) thread.thread.join();
  }
}

void Player::Play(const std::vector<Command>& commands) {
  for (const Command& command : commands) PlayOne(command);
  // Threads that nobody waited for.
  for (auto& [name, thread] : threads_) {
    if (thread.thread.joinable()) thread.thread.join();
  }
}

void Player::PlayOne(const Command& command) {
  if (command.text || !IsNegative(command.type)) report_(Check(command));
}

CommandResult Player::Check(const Command& command) {
  if (command.text) return {command.line, command.type, Verdict::kNotApplicable, "text format"};
  switch (command.type) {
    case CommandType::kModule: {
      const CommandResult outcome = CheckInstance(command, command.filename, latest_);
      if (!command.name.empty()) named_[command.name] = latest_;
      return outcome;
    }
    case CommandType::kModuleDefinition: {
      definitions_[""] = command.filename;
      if (!command.name.empty()) definitions_[command.name] = command.filename;
      if (const std::string why = Lookup(options_.blocked, command.filename); !why.empty()) {
        return Blocked(command, why);
      }
      if (const std::string why = Lookup(options_.broken, command.filename); !why.empty()) {
        return Failed(command, why);
      }
      return Passed(command);
    }
    case CommandType::kModuleInstance: {
      const CommandResult outcome =
          CheckInstance(command, Lookup(definitions_, command.module), latest_);
      if (!command.instance.empty()) named_[command.instance] = latest_;
      return outcome;
    }
    case CommandType::kRegister:
      return Register(command);
    case CommandType::kAssertUninstantiable:
    case CommandType::kAssertUnlinkable:
      return CheckRefusedInstance(command);
    case CommandType::kThread:
      return StartThread(command);
    case CommandType::kWait:
      return Wait(command);
    default:
      return CheckAction(command);
  }
}

const Player::Unit& Player::Find(const std::string& name) const {
  static const Unit* const none = [] {
    auto* unit = new Unit;
    unit->broken = "no instance has this name";
    return unit;
  }();
  if (name.empty()) return latest_;
  const auto it = named_.find(name);
  return it == named_.end() ? *none : it->second;
}

CommandResult Player::CheckInstance(const Command& command, const std::string& filename,
                                    Unit& unit) {
  const Result result = Instantiate(filename, unit);
  switch (result.kind) {
    case Result::Kind::kReturned:
      return Passed(command);
    case Result::Kind::kBlocked:
      return Blocked(command, result.message);
    default:
      return Failed(
          command, absl::StrCat("expected an instance of ", filename, "; found: ", result.message));
  }
}

CommandResult Player::CheckRefusedInstance(const Command& command) {
  Unit unit;
  const Result result = Instantiate(command.filename, unit);
  if (result.kind == Result::Kind::kBlocked) return Blocked(command, result.message);
  const bool link = command.type == CommandType::kAssertUnlinkable;
  const auto wanted = link ? Result::Kind::kUnlinkable : Result::Kind::kTrapped;
  if (result.kind == wanted && (link ? absl::StrContains(result.message, command.message)
                                     : SameTrapText(command.message, result.message))) {
    return Passed(command);
  }
  return Failed(
      command,
      absl::StrCat("expected ", link ? "no link: " : "a trap: ", command.message, "; found: ",
                   result.kind == Result::Kind::kReturned ? "an instance" : result.message));
}

CommandResult Player::Register(const Command& command) {
  const Unit& unit = Find(command.name);
  registered_[command.as] = unit;
  if (!unit.blocked.empty()) return Blocked(command, unit.blocked);
  if (!unit.broken.empty()) return Failed(command, unit.broken);
  return Passed(command);
}

Player::Result Player::Instantiate(const std::string& filename, Unit& unit) {
  unit = Unit();
  Result result;
  unit.blocked = Lookup(options_.blocked, filename);
  if (!unit.blocked.empty()) {
    result.kind = Result::Kind::kBlocked;
    result.message = unit.blocked;
    return result;
  }
  const auto fail = [&](Result::Kind kind, std::string message) {
    result.kind = kind;
    result.message = std::move(message);
    unit.broken = kNoInstance;
    return result;
  };
  const ModuleInfo* info = Lookup(options_.modules, filename);
  if (info == nullptr) {
    const std::string why = Lookup(options_.broken, filename);
    return fail(Result::Kind::kError, why.empty() ? "the module is not there" : why);
  }
  Imports imports;
  result = Link(*info, imports);
  if (result.kind == Result::Kind::kBlocked) unit.blocked = result.message;
  if (result.kind != Result::Kind::kReturned) {
    unit.broken = kNoInstance;
    return result;
  }
  absl::StatusOr<DynamicInstance*> instance = store_->Instantiate(*info, imports);
  if (!instance.ok()) {
    absl::string_view message = instance.status().message();
    if (absl::IsUnimplemented(instance.status())) {
      unit.blocked = std::string(message);
      result.kind = Result::Kind::kBlocked;
      result.message = unit.blocked;
      return result;
    }
    if (IsLinkError(message)) return fail(Result::Kind::kUnlinkable, std::string(message));
    absl::ConsumePrefix(&message, absl::StrCat(info->name, ": "));
    if (!absl::ConsumePrefix(&message, "trap during initialization: ") &&
        !absl::ConsumePrefix(&message, "trap during the start function: ")) {
      return fail(Result::Kind::kError, std::string(message));
    }
    return fail(Result::Kind::kTrapped, std::string(message));
  }
  unit.instance = *instance;
  if (!unit.instance->start_pending()) return result;
  result = Drive(unit.instance->Start());
  if (result.kind != Result::Kind::kReturned) unit.broken = kNoInstance;
  return result;
}

// Binds what the module imports.
Player::Result Player::Link(const ModuleInfo& info, Imports& imports) {
  Result result;
  for (uint32_t i = 0; i < info.import_count; ++i) {
    const core::ImportInfo& import = info.imports[i];
    absl::StatusOr<Extern> found = FindImport(import);
    if (found.ok()) {
      imports.Add(View(import.module), View(import.name), *std::move(found));
      continue;
    }
    result.message = std::string(found.status().message());
    // A blocked module may well be the one that has what is missing: look on for those.
    if (absl::IsUnimplemented(found.status())) {
      result.kind = Result::Kind::kBlocked;
      return result;
    }
    result.kind = Result::Kind::kUnlinkable;
  }
  return result;
}

absl::StatusOr<Extern> Player::FindImport(const core::ImportInfo& import) {
  const std::string module(View(import.module)), name(View(import.name));
  const auto unknown = [&] {
    return absl::NotFoundError(absl::StrCat("unknown import: ", module, ".", name));
  };
  const auto unit = registered_.find(module);
  if (unit == registered_.end()) {
    if (module != "spectest") return unknown();
    if (!spectest_status_.ok()) return spectest_status_;
    const auto it = spectest_.find(name);
    if (it == spectest_.end()) return unknown();
    return it->second;
  }
  if (!unit->second.blocked.empty()) return absl::UnimplementedError(unit->second.blocked);
  if (unit->second.foreign != nullptr) {
    const auto it = unit->second.foreign->find(name);
    if (it == unit->second.foreign->end()) return unknown();
    return it->second;
  }
  if (unit->second.instance == nullptr) return unknown();
  absl::StatusOr<Extern> found = unit->second.instance->Find(name);
  if (absl::IsNotFound(found.status())) return unknown();
  return found;
}

CommandResult Player::CheckAction(const Command& command) {
  const Result result = Act(command.action);
  if (result.kind == Result::Kind::kBlocked) return Blocked(command, result.message);
  const bool trapped = result.kind == Result::Kind::kTrapped;
  std::string expected;
  bool passed = false;
  switch (command.type) {
    case CommandType::kAction:
      passed = result.kind == Result::Kind::kReturned;
      expected = "a return";
      break;
    case CommandType::kAssertReturn:
      passed = result.kind == Result::Kind::kReturned && Matches(command.expected, result.values);
      expected = Describe(command.expected);
      break;
    case CommandType::kAssertException:
      passed = trapped && result.trap == Trap::kUncaughtException;
      expected = "an uncaught exception";
      break;
    default:  // assert_trap, assert_exhaustion, assert_suspension
      passed = trapped && SameTrapText(command.message, result.message);
      expected = absl::StrCat("trap: ", command.message);
  }
  if (passed) return Passed(command);
  std::string found = Describe(result.values);
  if (result.kind != Result::Kind::kReturned) {
    found = absl::StrCat(trapped ? "trap: " : "error: ", result.message);
  }
  return Failed(command,
                absl::StrCat("\"", command.action.field, "\" ", Describe(command.action.arguments),
                             ": expected ", expected, "; found ", found));
}

Player::Result Player::Act(const Action& action) {
  Result result;
  const Unit& unit = Find(action.module);
  if (!unit.blocked.empty()) {
    result.kind = Result::Kind::kBlocked;
    result.message = unit.blocked;
    return result;
  }
  result.kind = Result::Kind::kError;
  if (!unit.broken.empty()) {
    result.message = unit.broken;
    return result;
  }
  if (unit.instance == nullptr) {
    result.message = "an instance of another thread";
    return result;
  }
  if (action.get) {
    absl::StatusOr<Global> global = unit.instance->FindGlobal(action.field);
    result.message = std::string(global.status().message());
    if (!global.ok()) return result;
    result.kind = Result::Kind::kReturned;
    result.values.push_back(global->Get());
    return result;
  }
  std::vector<Value> arguments;
  for (const Pattern& pattern : action.arguments) {
    absl::StatusOr<Value> value = ToValue(pattern);
    result.message = std::string(value.status().message());
    if (absl::IsUnimplemented(value.status())) result.kind = Result::Kind::kBlocked;
    if (!value.ok()) return result;
    arguments.push_back(*value);
  }
  ++stats_.calls;
  return Drive(unit.instance->Call(action.field, arguments));
}

Player::Result Player::Drive(absl::StatusOr<DynamicStep> step) {
  Result result;
  absl::Status status = step.status();
  if (status.ok()) status = RunOn(*step);
  if (!status.ok()) {
    result.kind = Result::Kind::kError;
    result.message = std::string(status.message());
  } else if (step->trapped()) {
    result.kind = Result::Kind::kTrapped;
    result.trap = step->trap();
    result.message = step->message();
  } else {
    result.values.assign(step->results().begin(), step->results().end());
  }
  return result;
}

void Player::PauseAtNextCheck() {
  interrupts_ = !interrupts_;
  store_->SetFuel(interrupts_ ? kFuel : 0);
  if (interrupts_) store_->interrupter().Interrupt();
}

// Answers each suspension until the call has returned or trapped.
absl::Status Player::RunOn(DynamicStep& step) {
  for (uint64_t n = 0; !step.finished() && !step.trapped(); ++n) {
    if (n < 16 || n % 64 == 0) OverwriteStack();
    const bool pause = step.paused();
    if (options_.paused && pause && step.interrupted() != interrupts_) {
      return absl::InternalError("paused for another reason than the one given");
    }
    if (!pause) {
      if (!step.suspended()) return absl::InternalError("a step in no state");
      if (!options_.suspended || !absl::StartsWith(step.op_name(), "print")) {
        return absl::InternalError(
            absl::StrCat("suspended on ", step.op_module(), ".", step.op_name()));
      }
    }
    ++(pause ? stats_.pauses : stats_.suspensions);
    absl::Status status = IsToRestore(step) ? Restore(step) : absl::OkStatus();
    if (!status.ok()) return status;
    if (options_.paused) PauseAtNextCheck();
    status = !pause ? step.Resume({}) : options_.paused ? step.Continue() : step.Refuel(kFuel);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

bool Player::IsToRestore(DynamicStep& step) {
  if (!options_.snapshotted || !threads_.empty()) return false;
  // The frame below the op is where the guest goes on.
  const core::Activation& activation = *step.raw_activation();
  const auto footer_at = [&](uint32_t end) {
    uint64_t bits;
    memcpy(&bits, activation.frames + end - sizeof bits, sizeof bits);
    bits = core::little(bits);
    return core::Footer{static_cast<uint32_t>(bits), static_cast<uint16_t>(bits >> 32),
                        static_cast<uint16_t>(bits >> 48)};
  };
  core::Footer footer = footer_at(activation.size);
  if (footer.words * core::kFrameWord < activation.size)
    footer = footer_at(activation.size - footer.words * core::kFrameWord);
  const ModuleInfo* module = store_->raw()->instances[footer.instance]->module;
  const bool first = suspensions_at_[{module, footer.site}]++ < kRestoresEach;
  return first || (stats_.pauses + stats_.suspensions) % kRestoreEvery == 0;
}

absl::Status Player::Restore(DynamicStep& step) {
  absl::StatusOr<std::string> bytes = Save(*store_, {&step});
  if (!bytes.ok()) return bytes.status();
  const std::vector<DynamicInstance*> before = store_->instances();
  RestoreHost host;
  host.modules.reserve(before.size());
  for (DynamicInstance* instance : before) host.modules.push_back(&instance->info());
  host.most_instances = 0xffff;
  host.imports.emplace_back();
  for (const auto& [module, unit] : registered_) {
    if (unit.foreign == nullptr) continue;
    for (const auto& [name, value] : *unit.foreign) host.imports[0].Add(module, name, value);
  }
  const bool checks = step.suspended();
  const std::vector<Value> arguments = step.op_arguments();
  step = DynamicStep();
  store_ = nullptr;
  absl::StatusOr<RestoredStore> restored = fermata::Restore(*bytes, host);
  if (!restored.ok()) {
    store_ = std::make_unique<StoreHandle>(LimitsOf(options_));
    latest_ = Unit();
    latest_.broken = kNoInstance;
    named_.clear();
    registered_.clear();
    spectest_status_ = restored.status();
    return restored.status();
  }
  store_ = std::move(restored->store);
  step = std::move(restored->steps[0]);
  ++stats_.restores;
  const auto move = [&](Unit& unit) {
    for (size_t i = 0; i < before.size(); ++i) {
      if (unit.instance == before[i]) {
        unit.instance = restored->instances[i];
        return;
      }
    }
  };
  move(latest_);
  for (auto& [name, unit] : named_) move(unit);
  for (auto& [name, unit] : registered_) move(unit);
  for (size_t i = 0; i < spectest_names_.size(); ++i) {
    spectest_[spectest_names_[i]] = restored->externs[i];
  }
  if (checks && step.op_arguments().size() != arguments.size()) {
    return absl::InternalError("restored with another op");
  }
  return absl::OkStatus();
}

CommandResult Player::StartThread(const Command& command) {
  auto player = std::make_unique<Player>(options_, report_);
  if (!command.shared_module.empty()) {
    const Unit& shared = Find(command.shared_module);
    Unit unit;
    unit.blocked = shared.blocked;
    unit.broken = shared.broken;
    unit.foreign = shared.foreign;  // a thread's thread
    if (shared.instance != nullptr) {
      // Looked up here: the other thread must not look into this one's store.
      auto exports = std::make_shared<std::map<std::string, Extern>>();
      const ModuleInfo& info = shared.instance->info();
      for (uint32_t i = 0; i < info.export_count; ++i) {
        absl::StatusOr<Extern> found = shared.instance->Find(View(info.exports[i].name));
        if (found.ok()) exports->emplace(View(info.exports[i].name), *std::move(found));
      }
      unit.foreign = std::move(exports);
    }
    player->named_[command.shared_module] = unit;
  }
  Thread& thread = threads_[command.name];
  if (thread.thread.joinable()) thread.thread.join();
  thread.player = std::move(player);
  thread.thread =
      std::thread([p = thread.player.get(), &commands = command.commands] { p->Play(commands); });
  return Passed(command);
}

CommandResult Player::Wait(const Command& command) {
  const auto it = threads_.find(command.thread);
  if (it == threads_.end()) return Failed(command, "no thread has this name");
  if (it->second.thread.joinable()) it->second.thread.join();
  const PlayStats stats = it->second.player->stats();
  stats_.calls += stats.calls;
  stats_.suspensions += stats.suspensions;
  stats_.pauses += stats.pauses;
  stats_.restores += stats.restores;
  return Passed(command);
}

}  // namespace fermata::spec
