// The stacks and the turns of calls that interleave.
#include "fermata/activations.h"

#include <string.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "fermata/core/frame.h"

namespace fermata {
namespace activation_internal {
namespace {

constexpr uint64_t kAlignment = 16;
// At the low end of each region: what nobody writes who keeps to it.
constexpr uint64_t kGuard[] = {0x6b636174735f6466u, 0x646e655f65687421u};

absl::string_view NameOf(const core::Text& text) { return {text.data, text.size}; }

uint64_t RoundUp(uint64_t value, uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

Stacks::Stacks(DynamicInstance& instance, const ActivationOptions& options)
    : instance_(instance), options_(options) {
  const ModuleInfo& info = instance.info();
  if (info.memory_count == 0) return;
  core::MemoryField field;
  memcpy(&field, reinterpret_cast<const uint8_t*>(instance.raw()) + info.memories[0].offset,
         sizeof field);
  memory_ = field.memory;
  is64_ = info.memories[0].limits.is64;
}

absl::StatusOr<std::shared_ptr<Stacks>> Stacks::Create(DynamicInstance& instance,
                                                       const ActivationOptions& options) {
  std::shared_ptr<Stacks> stacks(new Stacks(instance, options));
  if (options.stack == ActivationOptions::kNone) return stacks;
  if (stacks->memory_ == nullptr) {
    return absl::NotFoundError("the guest has no memory, and so no stack");
  }
  if (options.stack == ActivationOptions::kSeparate && options.stack_bytes < 1024) {
    return absl::InvalidArgumentError("stack_bytes is below 1024");
  }
  const absl::StatusOr<uint32_t> global = stacks->FindPointer();
  if (!global.ok()) return global.status();
  stacks->pointer_ = stacks->Storage(*global);
  return stacks;
}

// The index of the stack pointer among the globals.
absl::StatusOr<uint32_t> Stacks::FindPointer() const {
  constexpr absl::string_view kName = "__stack_pointer";
  const ModuleInfo& info = instance_.info();
  std::optional<uint32_t> found = options_.stack_pointer;
  for (uint32_t i = 0; i < info.export_count && !found; ++i) {
    const core::ExportInfo& e = info.exports[i];
    if (e.kind == ExternKind::kGlobal && NameOf(e.name) == kName) found = e.index;
  }
  for (uint32_t i = 0; i < info.import_count && !found; ++i) {
    const core::ImportInfo& import = info.imports[i];
    if (import.kind == ExternKind::kGlobal && NameOf(import.name) == kName) found = import.index;
  }
  if (found) {
    const absl::Status status = CheckPointer(*found);
    if (!status.ok()) return status;
    return *found;
  }
  for (uint32_t i = 0; i < info.global_count; ++i) {
    if (info.globals[i].imported) continue;
    if (CheckPointer(i).ok()) return i;
    break;
  }
  return absl::NotFoundError(
      "no global of the guest looks like its stack pointer: name it in stack_pointer, or export it "
      "as __stack_pointer; guests that have none need ActivationOptions::kNone");
}

absl::Status Stacks::CheckPointer(uint32_t global) const {
  const ModuleInfo& info = instance_.info();
  const auto error = [&](const char* what) {
    return absl::InvalidArgumentError(
        absl::StrCat("global ", global, " is not the stack pointer: ", what));
  };
  if (global >= info.global_count) return error("there is no such global");
  const core::GlobalInfo& g = info.globals[global];
  if (!g.mut) return error("it is not mutable");
  if (g.type != (is64_ ? ValType::kI64 : ValType::kI32))
    return error("its type is not that of an address");
  const uint64_t value = Address(Storage(global));
  if (value == 0 || value % kAlignment != 0 || value > memory_->bytes) {
    return error("its value can't be the end of a stack");
  }
  return absl::OkStatus();
}

void* Stacks::Storage(uint32_t global) const {
  const core::GlobalInfo& info = instance_.info().globals[global];
  uint8_t* field = reinterpret_cast<uint8_t*>(instance_.raw()) + info.offset;
  if (!info.imported) return field;
  void* storage;
  memcpy(&storage, field, sizeof storage);
  return storage;
}

uint64_t Stacks::Address(const void* storage) const {
  if (is64_) return *static_cast<const uint64_t*>(storage);
  return *static_cast<const uint32_t*>(storage);
}
uint64_t Stacks::Get() const { return Address(pointer_); }
void Stacks::Set(uint64_t value) {
  if (is64_) {
    *static_cast<uint64_t*>(pointer_) = value;
  } else {
    *static_cast<uint32_t*>(pointer_) = static_cast<uint32_t>(value);
  }
}

absl::StatusOr<Stack> Stacks::Acquire() {
  Stack stack;
  if (options_.max_stacks != 0 && in_use_ >= options_.max_stacks) {
    return absl::ResourceExhaustedError(
        absl::StrCat("there are ", in_use_, " calls in progress, as many as max_stacks allows"));
  }
  if (options_.stack == ActivationOptions::kSeparate) {
    if (free_.empty()) {
      const absl::StatusOr<uint64_t> region = MakeRegion();
      if (!region.ok()) return region.status();
      free_.push_back(*region);
    }
    stack.low = free_.back();
    free_.pop_back();
    stack.high = stack.low + RoundUp(options_.stack_bytes, kAlignment);
    stack.pointer = stack.high;
    memcpy(At(stack.low), kGuard, sizeof kGuard);
  } else if (pointer_ != nullptr) {
    stack.pointer = Get();
  }
  stack.held = true;
  ++in_use_;
  return stack;
}

void Stacks::Release(Stack& stack) {
  if (!stack.held) return;
  if (stack.low != 0) free_.push_back(stack.low);
  stack = Stack();
  --in_use_;
}

Stack Stacks::Current() const {
  Stack stack;
  if (pointer_ != nullptr) stack.pointer = Get();
  return stack;
}

absl::StatusOr<uint64_t> Stacks::MakeRegion() {
  const uint64_t bytes = RoundUp(options_.stack_bytes, kAlignment);
  if (options_.allocate_stack != nullptr || !options_.stack_allocator.empty()) {
    absl::StatusOr<uint64_t> region =
        options_.allocate_stack != nullptr ? options_.allocate_stack(bytes) : CallAllocator(bytes);
    if (!region.ok()) return region.status();
    if (*region == 0 || *region % kAlignment != 0 || *region > memory_->bytes ||
        bytes > memory_->bytes - *region) {
      return absl::InvalidArgumentError(absl::StrCat("there is no room for a stack at ", *region,
                                                     ", which was allocated for it"));
    }
    ++made_;
    return region;
  }
  if (fresh_end_ - fresh_ < bytes) {
    const absl::Status grown = Grow();
    if (!grown.ok()) return grown;
  }
  ++made_;
  fresh_ += bytes;
  return fresh_ - bytes;
}

absl::StatusOr<uint64_t> Stacks::CallAllocator(uint64_t bytes) {
  const uint64_t size = bytes + kAlignment - 1;  // malloc's alignment may be less
  const Value argument = is64_ ? Value::I64(size) : Value::I32(static_cast<uint32_t>(size));
  absl::StatusOr<DynamicStep> step = instance_.Call(options_.stack_allocator, {&argument, 1});
  if (!step.ok()) return step.status();
  if (!step->finished() || step->results().size() != 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the guest's ", options_.stack_allocator, " did not return an address: ", step->message()));
  }
  const uint64_t address = is64_ ? step->results()[0].i64() : step->results()[0].i32();
  if (address == 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the guest's ", options_.stack_allocator, " has no room for another stack"));
  }
  return RoundUp(address, kAlignment);
}

// Has memory for at least one region more; for a few at a time if they are small.
absl::Status Stacks::Grow() {
  const uint64_t bytes = RoundUp(options_.stack_bytes, kAlignment);
  const uint64_t page = uint64_t{1} << memory_->page_log2;
  constexpr uint64_t kAtLeast = 64 * 1024;
  const uint64_t pages = (std::max(bytes, kAtLeast) + page - 1) / page;
  const absl::StatusOr<uint64_t> before = Memory(memory_).Grow(pages);
  if (!before.ok()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the guest's memory has no room for another stack: ", before.status().message()));
  }
  // What is left of the last time is continued if nobody else has grown meanwhile.
  if (fresh_end_ != *before * page) fresh_ = *before * page;
  fresh_end_ = (*before + pages) * page;
  return absl::OkStatus();
}

absl::Status Stacks::Enter(Stack& stack, uint64_t& outer) {
  if (pointer_ != nullptr) {
    outer = Get();
    if (stack.low == 0 && running_ != 0 && stack.pointer != outer) {
      return absl::FailedPreconditionError(
          "the call shares its stack with one that is running: it can't run before that one waits");
    }
    Set(stack.pointer);
  }
  ++running_;
  return absl::OkStatus();
}

bool Stacks::Leave(Stack& stack, uint64_t outer) {
  --running_;
  if (pointer_ == nullptr) return true;
  stack.pointer = Get();
  Set(outer);
  return stack.low == 0 ||
         (stack.pointer >= stack.low && memcmp(At(stack.low), kGuard, sizeof kGuard) == 0);
}

absl::StatusOr<std::shared_ptr<Gate::Entry>> Gate::Enter() {
  const bool free = inside_ == 0 && queue_.empty();
  if (rule_ == Reentry::kForbid && !free) {
    return absl::FailedPreconditionError(
        "a call of the export is in progress, and it must not be called again before that has "
        "ended");
  }
  auto entry = std::make_shared<Entry>();
  if (rule_ == Reentry::kQueue && !free) {
    queue_.push_back(entry);
  } else {
    entry->turn = true;
    ++inside_;
  }
  return entry;
}

void Gate::Leave(const std::shared_ptr<Entry>& entry) {
  if (!entry->turn) {
    queue_.erase(std::find(queue_.begin(), queue_.end(), entry));
    return;
  }
  --inside_;
  PassOn();
}

// A call that ends while it is begun here gives its turn to this loop, not to another one within.
void Gate::PassOn() {
  if (passing_) return;
  passing_ = true;
  while (inside_ == 0 && !queue_.empty()) {
    const std::shared_ptr<Entry> next = std::move(queue_.front());
    queue_.pop_front();
    next->turn = true;
    ++inside_;
    const std::function<void()> on_turn = std::move(next->on_turn);
    if (on_turn) on_turn();
  }
  passing_ = false;
}

}  // namespace activation_internal

absl::StatusOr<DynamicActivations::Export_> DynamicActivations::Make(
    absl::string_view name, std::shared_ptr<activation_internal::Gate> gate) {
  const absl::StatusOr<Extern> found = instance_.Find(name);
  if (!found.ok()) return found.status();
  if (found->kind != ExternKind::kFunction) {
    return absl::InvalidArgumentError(absl::StrCat("the export ", name, " is not a function"));
  }
  return Export_(stacks_, std::move(gate),
                 [instance = &instance_, name = std::string(name)](
                     DynamicStep& step, const std::vector<Value>& arguments) -> absl::Status {
                   absl::StatusOr<DynamicStep> made = instance->Call(name, arguments);
                   if (!made.ok()) return made.status();
                   step = *std::move(made);
                   return absl::OkStatus();
                 });
}

}  // namespace fermata
