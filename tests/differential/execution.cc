#include "tests/differential/execution.h"

#include <zlib.h>

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fermata/core/objects.h"
#include "fermata/snapshot.h"
#include "tests/differential/log.h"

namespace fermata::differential {
namespace {

constexpr uint64_t kFuel = uint64_t{1} << 62;  // no end; pauses do not depend on it
constexpr unsigned kRestoresEach = 2;          // at each site
constexpr uint64_t kRestoreEvery = 2000;

// Overwrites the native stack below the caller's frame: what was left there must not be missed.
__attribute__((noinline)) void OverwriteStack() {
  volatile uint64_t junk[4096];
  for (volatile uint64_t& word : junk) word = 0xa5a5a5a5deadbeef;
}

bool IsReference(char letter) { return std::string("iIfFV").find(letter) == std::string::npos; }

ValType TypeOf(char letter) {
  ValType type = ValType::kAnyRef;
  core::TypeOfLetter(letter, type);
  return type;
}

std::vector<ValType> TypesOf(absl::string_view letters) {
  std::vector<ValType> types;
  for (const char letter : letters) types.push_back(TypeOf(letter));
  return types;
}

// Of an imported global.
Value FirstValue(const Plan::OtherImport& global) {
  Value value{TypeOf(global.type[0])};
  if (!global.null) value.low = kNotNull << 1 | core::kI31Tag;
  return value;
}

std::vector<Value> Values(absl::string_view types, absl::Span<const uint64_t> words) {
  std::vector<Value> values;
  size_t at = 0;
  for (const char letter : types) {
    Value value{TypeOf(letter)};
    if (!IsReference(letter)) value.low = words[at++];
    if (letter == 'V') value.high = words[at++];
    values.push_back(value);
  }
  return values;
}

std::string Text(absl::string_view types, absl::Span<const Value> values) {
  std::vector<uint64_t> words;
  for (size_t i = 0; i < types.size(); ++i) {
    words.push_back(IsReference(types[i]) ? values[i].ref() == 0 : values[i].low);
    if (types[i] == 'V') words.push_back(values[i].high);
  }
  return Words(types, words);
}

class Execution {
 public:
  Execution(const Plan& plan, const ModuleInfo& info, Mode mode, ExecutionCounts& counts)
      : plan_(plan), info_(info), mode_(mode), counts_(counts) {}

  std::string Run() {
    limits_.call_depth = 20000;
    limits_.frame_bytes = 8 << 20;
    limits_.stack_bytes = 1 << 20;
    limits_.heap_stress = mode_ == Mode::kStressed;
    store_ = std::make_unique<StoreHandle>(limits_);
    if (mode_ == Mode::kPaused) PauseAtNextCheck();
    if (!Start()) return std::move(log_);
    Line("instantiate ok");
    State();
    for (const Plan::Call& call : plan_.calls) {
      if (!Call(call)) break;
    }
    return std::move(log_);
  }

 private:
  void Line(absl::string_view text) { absl::StrAppend(&log_, text, "\n"); }
  bool Error(const absl::Status& status) {
    Line(absl::StrCat("error: ", status.message()));
    return false;
  }
  bool suspends_imports() const { return mode_ != Mode::kPlain && mode_ != Mode::kPaused; }

  absl::StatusOr<Imports> Link() {
    Imports imports;
    for (size_t i = 0; i < plan_.imports.size() && !suspends_imports(); ++i) {
      const Plan::Import& import = plan_.imports[i];
      const FunctionType& type = import.type;
      imports.AddAnswering(import.module, import.name,
                           {TypesOf(type.params), TypesOf(type.results)},
                           [this, i](DynamicInstance&, absl::Span<const uint64_t> arguments,
                                     absl::Span<uint64_t> results) {
                             AnswerAtOnce(i, arguments, results);
                             return HostReply::Answered();
                           });
    }
    for (const Plan::OtherImport& other : plan_.others) {
      absl::StatusOr<Extern> made = other.kind == wasm::ExternKind::kTag
                                        ? store_->MakeTag({TypesOf(other.type), {}})
                                        : store_->MakeGlobal(FirstValue(other), false);
      if (!made.ok()) return made.status();
      imports.Add(other.module, other.name, *std::move(made));
    }
    return imports;
  }

  bool Start() {
    absl::StatusOr<Imports> imports = Link();
    if (!imports.ok()) return Error(imports.status());
    absl::StatusOr<DynamicInstance*> instance = store_->Instantiate(info_, *imports);
    if (!instance.ok()) {
      // A trap of what runs at once: the message is all that is left of it.
      const absl::string_view message = instance.status().message();
      for (uint32_t trap = 1; trap <= static_cast<uint32_t>(Trap::kStringOutOfBounds); ++trap) {
        const Trap kind = static_cast<Trap>(trap);
        if (absl::StrContains(message, "trap during") &&
            absl::EndsWith(message, TrapMessage(kind))) {
          Line(absl::StrCat("instantiate traps ", TrapKind(kind)));
          return false;
        }
      }
      return Error(instance.status());
    }
    instance_ = *instance;
    if (!instance_->start_pending()) return true;
    absl::StatusOr<DynamicStep> step = instance_->Start();
    if (!step.ok()) return Error(step.status());
    const absl::Status status = RunOn(*step);
    if (!status.ok()) return Error(status);
    if (step->finished()) return true;
    Line(absl::StrCat("instantiate traps ", TrapKind(step->trap())));
    return false;
  }

  // Returns whether to go on.
  bool Call(const Plan::Call& call) {
    const Plan::Callee& callee = plan_.callees[call.callee];
    std::string told;
    for (const char letter : callee.type.params) {
      if (!IsReference(letter)) told += letter;
    }
    Line(absl::StrCat("call ", call.number, " ", callee.name, Words(told, call.words)));
    ++counts_.calls;
    absl::StatusOr<DynamicStep> step =
        instance_->Call(callee.name, Values(callee.type.params, call.words));
    if (!step.ok()) return Error(step.status());
    const absl::Status status = RunOn(*step);
    if (!status.ok()) return Error(status);
    if (step->trapped()) {
      Line(absl::StrCat("traps ", TrapKind(step->trap())));
      if (step->trap() == Trap::kCallStackExhausted) return false;
    } else {
      Line(absl::StrCat("returns", Text(callee.type.results, step->results())));
    }
    State();
    return true;
  }

  void State() {
    std::string line = "state";
    for (const std::string& name : plan_.memories) {
      const absl::StatusOr<Memory> memory = instance_->FindMemory(name);
      if (!memory.ok()) return (void)Error(memory.status());
      const uint64_t size = memory->size();
      absl::StrAppend(&line, " ", absl::Hex(size), ":",
                      absl::Hex(crc32_z(0, memory->data(), size)));
    }
    for (const Plan::Global& global : plan_.globals) {
      const absl::StatusOr<Global> found = instance_->FindGlobal(global.name);
      if (!found.ok()) return (void)Error(found.status());
      const Value value = found->Get();
      absl::StrAppend(&line, Text(std::string(1, global.type), {value}));
    }
    Line(line);
  }

  // The answer to the call of an import.
  std::vector<uint64_t> Answer(size_t import, absl::Span<const Value> arguments) {
    const FunctionType& type = plan_.imports[import].type;
    Line(absl::StrCat("  import ", import, Text(type.params, arguments)));
    std::vector<uint64_t> words = AnswerWords(type.results, answered_ % kAnswers);
    answered_ += !words.empty();
    return words;
  }

  void AnswerAtOnce(size_t import, absl::Span<const uint64_t> slots, absl::Span<uint64_t> results) {
    const FunctionType& type = plan_.imports[import].type;
    std::vector<Value> arguments;
    size_t at = 0;
    for (const char letter : type.params) {
      Value value{TypeOf(letter), slots[at++]};
      if (letter == 'V') value.high = slots[at++];
      arguments.push_back(value);
    }
    const std::vector<uint64_t> words = Answer(import, arguments);
    at = 0;
    size_t slot = 0;
    for (const char letter : type.results) {
      results[slot++] = IsReference(letter) ? 0 : words[at++];
      if (letter == 'V') results[slot++] = words[at++];
    }
  }

  void PauseAtNextCheck() {
    interrupts_ = !interrupts_;
    store_->SetFuel(interrupts_ ? kFuel : 0);
    if (interrupts_) store_->interrupter().Interrupt();
  }

  // Goes on with the call until it has returned or trapped.
  absl::Status RunOn(DynamicStep& step) {
    for (uint64_t n = 0; !step.finished() && !step.trapped(); ++n) {
      if (n < 16 || n % 64 == 0) OverwriteStack();
      ++counts_.suspensions;
      if (IsToRestore(step)) {
        const absl::Status status = Restore(step);
        if (!status.ok()) return status;
      }
      absl::Status status;
      if (step.suspended()) {
        const size_t import = FunctionImport(step.op_import());
        const std::vector<uint64_t> words = Answer(import, step.op_arguments());
        status = step.Resume(Values(plan_.imports[import].type.results, words));
      } else if (mode_ == Mode::kPaused) {
        PauseAtNextCheck();
        status = step.Continue();
      } else {
        status = step.Refuel(kFuel);
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Imports are counted over all kinds there, over functions here.
  size_t FunctionImport(uint32_t import) const {
    size_t function = 0;
    for (uint32_t i = 0; i < import; ++i) {
      function += info_.imports[i].kind == ExternKind::kFunction;
    }
    return function;
  }

  bool IsToRestore(DynamicStep& step) {
    if (mode_ != Mode::kSnapshotted && mode_ != Mode::kOpsSnapshotted) return false;
    // By the frame that lies last: the op's own, or that of a pause.
    const core::Activation& activation = *step.raw_activation();
    uint32_t site = 0;
    memcpy(&site, activation.frames + activation.size - sizeof(core::Footer), sizeof site);
    return restores_at_[site]++ < kRestoresEach || counts_.suspensions % kRestoreEvery == 0;
  }

  absl::Status Restore(DynamicStep& step) {
    absl::StatusOr<std::string> bytes = Save(*store_, {&step}, {counts_.restores % 2 == 1});
    if (!bytes.ok()) return bytes.status();
    RestoreHost host;
    host.modules = {&info_};
    host.limits = limits_;
    step = DynamicStep();
    store_ = nullptr;
    absl::StatusOr<RestoredStore> restored = fermata::Restore(*bytes, host);
    if (!restored.ok()) {
      store_ = std::make_unique<StoreHandle>();
      return restored.status();
    }
    store_ = std::move(restored->store);
    instance_ = restored->instances[0];
    step = std::move(restored->steps[0]);
    ++counts_.restores;
    return absl::OkStatus();
  }

  const Plan& plan_;
  const ModuleInfo& info_;
  const Mode mode_;
  ExecutionCounts& counts_;
  Limits limits_;
  std::unique_ptr<StoreHandle> store_;
  DynamicInstance* instance_ = nullptr;
  std::map<uint32_t, unsigned> restores_at_;
  uint64_t answered_ = 0;
  bool interrupts_ = false;
  std::string log_;
};

}  // namespace

const char* Name(Mode mode) {
  constexpr const char* kNames[] = {"plain",       "ops",    "ops-snapshotted", "suspended",
                                    "snapshotted", "paused", "stressed"};
  return kNames[static_cast<size_t>(mode)];
}

const char* Name(Variant variant) {
  constexpr const char* kNames[] = {"plain", "suspending", "pausing"};
  return kNames[static_cast<size_t>(variant)];
}

Variant VariantOf(Mode mode) {
  switch (mode) {
    case Mode::kSuspended:
    case Mode::kSnapshotted:
    case Mode::kStressed:
      return Variant::kSuspending;
    case Mode::kPaused:
      return Variant::kPausing;
    default:
      return Variant::kPlain;
  }
}

std::string Execute(const Plan& plan, const ModuleInfo& info, Mode mode, ExecutionCounts& counts) {
  return Execution(plan, info, mode, counts).Run();
}

}  // namespace fermata::differential
