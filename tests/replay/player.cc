#include "tests/replay/player.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "fermata/js_string.h"
#include "fermata/snapshot.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

namespace fermata::replay {
namespace {

absl::string_view View(const core::Text& text) { return {text.data, text.size}; }

std::string Describe(const TraceEvent& event) {
  const std::string values = absl::StrJoin(
      event.values, ", ",
      [](std::string* out, const TraceValue& v) { absl::StrAppend(out, Describe(v)); });
  switch (event.kind) {
    case TraceEvent::kCall:
      return absl::StrCat("call ", event.name, "(", values, ")");
    case TraceEvent::kTableCall:
      return absl::StrCat("call element ", event.number, "(", values, ")");
    case TraceEvent::kImport:
      return absl::StrCat("import ", event.module, ".", event.name, "(", values, ")");
    case TraceEvent::kReturn:
      return absl::StrCat("return (", values, ") to the guest");
    case TraceEvent::kThrow:
      return absl::StrCat("throw \"", event.text, "\"");
    case TraceEvent::kResult:
      return absl::StrCat("result (", values, ")");
    case TraceEvent::kTrap:
      return absl::StrCat("trap \"", event.text, "\" (", values, ")");
    case TraceEvent::kWrite:
      return "memory write";
    case TraceEvent::kGrow:
      return "memory growth";
    case TraceEvent::kTableGrow:
      return "table growth";
    case TraceEvent::kTableSet:
      return "table write";
    case TraceEvent::kMemoryHash:
      return "final memory";
    case TraceEvent::kFunctionCall:
      return absl::StrCat("call function ", event.number, "(", values, ")");
    case TraceEvent::kGlobalGet:
      return absl::StrCat("read global ", event.name, ": ", values);
  }
  return "?";
}

// "ii:I" -> (i32, i32) -> i64.
absl::StatusOr<Signature> ParseSignature(const std::string& text) {
  Signature signature;
  std::vector<ValType>* list = &signature.params;
  for (char c : text) {
    switch (c) {
      case ':':
        list = &signature.results;
        break;
      case 'i':
        list->push_back(ValType::kI32);
        break;
      case 'I':
        list->push_back(ValType::kI64);
        break;
      case 'f':
        list->push_back(ValType::kF32);
        break;
      case 'F':
        list->push_back(ValType::kF64);
        break;
      case 'x':
        list->push_back(ValType::kExternRef);
        break;
      default:
        return absl::InvalidArgumentError(absl::StrCat("malformed signature \"", text, "\""));
    }
  }
  return signature;
}

Value FromSlot(ValType type, uint64_t slot) { return {type, slot}; }

}  // namespace

// ---- Setting up ----

Player::Player(TraceReader& trace, bool plain, const Limits& limits, uint64_t restore_every)
    : trace_(trace),
      plain_(plain),
      restore_every_(restore_every),
      store_(std::make_unique<StoreHandle>(limits)),
      limits_(limits) {}

absl::Status Player::Difference(const std::string& what) const {
  return absl::FailedPreconditionError(absl::StrCat("event ", trace_.position(), ": ", what));
}

absl::Status Player::BindImport(const ModuleInfo& module, const core::ImportInfo& import,
                                Imports& imports) {
  const TraceHeader& header = trace_.header();
  const std::string from(View(import.module)), name(View(import.name));
  absl::StatusOr<Extern> bound;
  switch (import.kind) {
    case ExternKind::kFunction: {
      if (!plain_) return absl::OkStatus();  // an op
      if (header.js_strings && from == "wasm:js-string") return absl::OkStatus();
      const core::FuncType& type = module.types[module.function_imports[import.index].type];
      Signature signature{{type.params, type.params + type.param_count},
                          {type.results, type.results + type.result_count}};
      if (module.object_types != nullptr) {
        // The host's functions have nullable references to anything; the import's may not.
        imports.AddAnswering(
            from, name, signature,
            [this, from, name, signature](DynamicInstance&, absl::Span<const uint64_t> arguments,
                                          absl::Span<uint64_t> results) {
              const Trap trap = PlainImport(from, name, signature, arguments, results);
              return trap == Trap::kNone ? HostReply::Answered() : HostReply::Trapped(trap);
            });
        return absl::OkStatus();
      }
      bound =
          store_->MakeFunction(name, signature,
                               [this, from, name, signature](absl::Span<const uint64_t> arguments,
                                                             absl::Span<uint64_t> results) {
                                 return PlainImport(from, name, signature, arguments, results);
                               });
      break;
    }
    case ExternKind::kMemory: {
      core::SizeLimitsInfo limits = module.memories[import.index].limits;
      if (header.init_pages != 0) limits.min = header.init_pages;
      bound = store_->MakeMemory(limits, module.memory_policy);
      break;
    }
    case ExternKind::kTable: {
      core::SizeLimitsInfo limits = module.tables[import.index].limits;
      if (header.import_table_size != 0) limits.min = header.import_table_size;
      bound = store_->MakeTable(module.tables[import.index].type, limits);
      break;
    }
    case ExternKind::kGlobal: {
      if (!header.string_constants.empty() && from == header.string_constants) {
        return absl::OkStatus();
      }
      const auto value = std::find_if(
          header.import_globals.begin(), header.import_globals.end(),
          [&](const TraceHeader::Global& g) { return g.module == from && g.name == name; });
      if (value == header.import_globals.end()) {
        return absl::NotFoundError(
            absl::StrCat("the trace has no value of global ", from, ".", name));
      }
      const core::GlobalInfo& global = module.globals[import.index];
      absl::StatusOr<Value> initial = values_.ToGuest(&value->value, global.type);
      if (!initial.ok()) return initial.status();
      bound = store_->MakeGlobal(*initial, global.mut);
      break;
    }
    case ExternKind::kTag: {
      const core::FuncType& type = module.types[module.tags[import.index].type];
      bound = store_->MakeTag({{type.params, type.params + type.param_count}, {}});
      if (!bound.ok()) break;
      if (name == "JSTag") host_tag_ = bound->tag;
      tags_[absl::StrCat(from, ".", name)] = bound->tag;
      break;
    }
  }
  if (!bound.ok()) return bound.status();
  imports.Add(from, name, *bound);
  made_.push_back("");
  return absl::OkStatus();
}

// Recorders watch the imported memory and table, or else the first exported ones.
void Player::FindMemoryAndTable(const ModuleInfo& module) {
  const auto field = [&](uint32_t offset) {
    return reinterpret_cast<const uint8_t*>(instance_->raw()) + offset;
  };
  std::optional<uint32_t> memory, table;
  if (module.memory_count > 0 && module.memories[0].imported) memory = 0;
  if (module.table_count > 0 && module.tables[0].imported) table = 0;
  for (uint32_t i = 0; i < module.export_count; ++i) {
    const core::ExportInfo& e = module.exports[i];
    if (e.kind == ExternKind::kMemory && !memory) memory = e.index;
    if (e.kind == ExternKind::kTable && !table) table = e.index;
  }
  if (!memory && module.memory_count > 0) memory = 0;
  if (memory) {
    core::MemoryField found;
    memcpy(&found, field(module.memories[*memory].offset), sizeof found);
    memory_.emplace(found.memory);
  }
  if (table) {
    core::Table* found;
    memcpy(&found, field(module.tables[*table].offset), sizeof found);
    table_.emplace(store_.get(), found);
  }
}

absl::Status Player::Instantiate(const ModuleInfo& module) {
  const std::string hash =
      llvm::toHex(llvm::ArrayRef(module.hash, sizeof module.hash), /*LowerCase=*/true);
  const std::string& wanted = trace_.header().sha256;
  if (!wanted.empty() && wanted != hash) {
    return absl::FailedPreconditionError(
        absl::StrCat("the trace is of another module: ", wanted, ", not ", hash));
  }
  Imports imports;
  values_.Attach(store_.get(), nullptr);
  for (uint32_t i = 0; i < module.import_count; ++i) {
    absl::Status status = BindImport(module, module.imports[i], imports);
    if (!status.ok()) return status;
  }
  if (trace_.header().js_strings) AddJsStrings(imports);
  if (!trace_.header().string_constants.empty()) {
    absl::Status status =
        AddStringConstants(*store_, module, trace_.header().string_constants, imports);
    if (!status.ok()) return status;
  }
  imports.SetInitialize(false);  // the recorded host has called it, or has not
  absl::StatusOr<DynamicInstance*> instance = store_->Instantiate(module, imports);
  if (!instance.ok()) return instance.status();
  instance_ = *instance;
  values_.Attach(store_.get(), instance_);
  FindMemoryAndTable(module);
  for (uint32_t i = 0; i < module.export_count; ++i) {
    if (module.exports[i].kind != ExternKind::kTag) continue;
    absl::StatusOr<Extern> tag = instance_->Find(View(module.exports[i].name));
    if (tag.ok()) tags_[std::string(View(module.exports[i].name))] = tag->tag;
  }
  if (!instance_->start_pending()) return absl::OkStatus();
  absl::StatusOr<DynamicStep> start = instance_->Start();
  if (!start.ok()) return start.status();
  calls_.push_back({*std::move(start), "start function", true});
  return Settle();
}

absl::Status Player::Play(const ModuleInfo& module) {
  absl::Status status = Instantiate(module);
  while (status.ok() && !ended_) {
    absl::StatusOr<std::optional<TraceEvent>> event = trace_.Next();
    if (!event.ok()) {
      status = event.status();
    } else if (!event->has_value()) {
      break;
    } else if ((*event)->kind == TraceEvent::kReturn || (*event)->kind == TraceEvent::kThrow) {
      status = Answer(**event);
    } else {
      status = HostEvent(**event);
    }
  }
  if (status.ok() && !calls_.empty() && !trace_.header().truncated) {
    status = Difference(absl::StrCat("the trace ends inside ", calls_.back().name));
  }
  if (memory_) stats_.memory_bytes = memory_->size();
  while (!calls_.empty()) calls_.pop_back();  // innermost first
  return status;
}

absl::StatusOr<std::optional<TraceEvent>> Player::NextInside(absl::string_view wanted) {
  absl::StatusOr<std::optional<TraceEvent>> event = trace_.Next();
  if (event.ok() && !event->has_value()) {
    ended_ = true;
    if (!trace_.header().truncated) {
      return Difference(absl::StrCat("the trace ends where ", wanted, " is due"));
    }
  }
  return event;
}

// ---- The host's doings ----

absl::Status Player::HostEvent(const TraceEvent& event) {
  switch (event.kind) {
    case TraceEvent::kCall:
    case TraceEvent::kTableCall:
    case TraceEvent::kFunctionCall:
      return BeginCall(event);
    case TraceEvent::kGlobalGet:
      return CheckGlobal(event);
    case TraceEvent::kWrite:
      return Write(event);
    case TraceEvent::kGrow:
      return memory_ ? memory_->Grow(event.number).status() : Difference("no memory to grow");
    case TraceEvent::kTableGrow:
      return table_ ? table_->Grow(static_cast<uint32_t>(event.number)).status()
                    : Difference("no table to grow");
    case TraceEvent::kTableSet:
      return SetElement(event);
    case TraceEvent::kMemoryHash:
      return CheckMemory(event);
    default:
      return Difference(absl::StrCat("did not expect: ", Describe(event)));
  }
}

absl::Status Player::BeginCall(const TraceEvent& event) {
  absl::StatusOr<Signature> signature;
  core::ref function = 0;
  std::string name = event.name;
  if (event.kind == TraceEvent::kCall) {
    absl::StatusOr<Extern> found = instance_->Find(event.name);
    if (!found.ok()) return found.status();
    signature = found->signature;
  } else if (event.kind == TraceEvent::kFunctionCall) {
    name = absl::StrCat("function ", event.number);
    function = values_.FunctionOf(static_cast<int64_t>(event.number));
    if (function == 0) return Difference(absl::StrCat(name, " was never seen"));
    signature = store_->SignatureOf(function);
  } else {
    name = absl::StrCat("table element ", event.number);
    if (!table_) return Difference("no table to call through");
    absl::StatusOr<Value> element = table_->Get(static_cast<uint32_t>(event.number));
    if (!element.ok()) return element.status();
    function = element->ref();
    signature = store_->SignatureOf(function);
  }
  if (!signature.ok()) return signature.status();
  std::vector<Value> arguments;
  for (size_t i = 0; i < signature->params.size(); ++i) {
    absl::StatusOr<Value> value =
        values_.ToGuest(i < event.values.size() ? &event.values[i] : nullptr, signature->params[i]);
    if (!value.ok()) return value.status();
    arguments.push_back(*value);
  }
  ++stats_.calls;
  stats_.nesting = std::max(stats_.nesting, ++under_way_);
  absl::StatusOr<DynamicStep> step = event.kind == TraceEvent::kCall
                                         ? instance_->Call(event.name, arguments)
                                         : store_->CallRef(function, arguments);
  if (!step.ok()) return step.status();
  calls_.push_back({*std::move(step), std::move(name), false});
  return Settle();
}

absl::StatusOr<Extern> Player::HostFunctionFor(const std::string& name,
                                               const std::string& signature) {
  const auto known = host_functions_.find(name);
  if (known != host_functions_.end()) return known->second;
  absl::StatusOr<Signature> type = ParseSignature(signature);
  if (!type.ok()) return type.status();
  HostFunction code;
  if (plain_) {
    code = [this, name, type = *type](absl::Span<const uint64_t> arguments,
                                      absl::Span<uint64_t> results) {
      return PlainImport("#host", name, type, arguments, results);
    };
  }
  absl::StatusOr<Extern> made = store_->MakeFunction(name, *type, std::move(code));
  if (made.ok()) {
    host_functions_[name] = *made;
    made_.push_back(name);
  }
  return made;
}

absl::Status Player::CheckGlobal(const TraceEvent& event) {
  absl::StatusOr<Global> global = instance_->FindGlobal(event.name);
  if (!global.ok()) return global.status();
  const Value value = global->Get();
  if (values_.Same(value, event.values[0])) return absl::OkStatus();
  return Difference(absl::StrCat("global ", event.name, " is ", values_.Describe(value),
                                 ", expected ", Describe(event.values[0])));
}

absl::Status Player::SetElement(const TraceEvent& event) {
  if (!table_) return Difference("no table to write to");
  absl::StatusOr<Extern> function;
  switch (event.element) {
    case TraceEvent::kNull:
      return table_->Set(static_cast<uint32_t>(event.number), Value{table_->type(), 0});
    case TraceEvent::kExport:
      function = instance_->Find(event.name);
      break;
    case TraceEvent::kHostFunction:
      function = HostFunctionFor(event.name, event.text);
      break;
    default:
      return Difference("a table element is a function of another module");
  }
  if (!function.ok()) return function.status();
  return table_->Set(static_cast<uint32_t>(event.number),
                     Value::FuncRef(function->function.handle));
}

absl::Status Player::Write(const TraceEvent& event) {
  if (!memory_) return Difference("no memory to write to");
  const absl::Span<uint8_t> span = memory_->Span(event.number, event.text.size());
  if (span.data() == nullptr) {
    return Difference(absl::StrCat("the host's write of ", event.text.size(), " bytes at ",
                                   event.number, " is past the memory's ", memory_->size()));
  }
  memcpy(span.data(), event.text.data(), event.text.size());
  return absl::OkStatus();
}

absl::Status Player::CheckMemory(const TraceEvent& event) {
  if (!memory_) return Difference("no memory to compare");
  if (memory_->pages() != event.number) {
    return Difference(
        absl::StrCat("the memory has ", memory_->pages(), " pages, not ", event.number));
  }
  const auto digest = llvm::SHA256::hash(llvm::ArrayRef(memory_->data(), memory_->size()));
  if (llvm::toHex(digest, /*LowerCase=*/true) != event.text) {
    return Difference("the memory's contents differ");
  }
  stats_.hash_checked = true;
  return absl::OkStatus();
}

// ---- The guest's doings ----

absl::Status Player::CheckImport(const TraceEvent& event, absl::string_view module,
                                 absl::string_view name, absl::Span<const Value> arguments) {
  const std::string shown = absl::StrCat(module, ".", name, "(",
                                         absl::StrJoin(arguments, ", ",
                                                       [this](std::string* out, const Value& v) {
                                                         absl::StrAppend(out, values_.Describe(v));
                                                       }),
                                         ")");
  const bool right_import = event.kind == TraceEvent::kImport && event.module == module &&
                            event.name == name && event.values.size() == arguments.size();
  bool same = right_import;
  for (size_t i = 0; same && i < arguments.size(); ++i) {
    same = values_.Same(arguments[i], event.values[i]);
  }
  if (!same) {
    return Difference(absl::StrCat("the guest called ", shown, ", expected ", Describe(event)));
  }
  ++stats_.imports;
  return absl::OkStatus();
}

absl::Status Player::Settle() {
  if (!failure_.ok()) return failure_;
  if (ended_) return absl::OkStatus();
  const DynamicStep& step = calls_.back().step;
  if (!step.suspended()) {
    const Call call = std::move(calls_.back());
    calls_.pop_back();
    return SettleEnd(call);
  }
  ++stats_.suspensions;
  stats_.frame_bytes = std::max(stats_.frame_bytes, step.frame_bytes());
  stats_.depth = std::max(stats_.depth, step.depth());
  absl::StatusOr<std::optional<TraceEvent>> event =
      NextInside(absl::StrCat("import ", step.op_module(), ".", step.op_name()));
  if (!event.ok() || !event->has_value()) return event.status();
  absl::Status status = CheckImport(**event, step.op_module(), step.op_name(), step.op_arguments());
  const uint64_t n = stats_.suspensions;
  if (status.ok() && restore_every_ != 0 && (n <= 100 || n % restore_every_ == 0)) {
    status = Restore();
  }
  return status;
}

absl::Status Player::Restore() {
  std::vector<const DynamicStep*> steps;
  for (const Call& call : calls_) steps.push_back(&call.step);
  absl::StatusOr<std::string> bytes = Save(*store_, steps);
  if (!bytes.ok()) return bytes.status();
  RestoreHost host;
  host.modules = {&instance_->info()};
  host.limits = limits_;
  host.imports.emplace_back();
  if (trace_.header().js_strings) AddJsStrings(host.imports[0]);
  for (Call& call : calls_) call.step = DynamicStep();
  memory_.reset();
  table_.reset();
  store_ = nullptr;
  absl::StatusOr<RestoredStore> restored = fermata::Restore(*bytes, host);
  if (!restored.ok()) return restored.status();
  store_ = std::move(restored->store);
  instance_ = restored->instances[0];
  values_.Restored(std::move(restored->kept));
  values_.Attach(store_.get(), instance_);
  for (size_t i = 0; i < calls_.size(); ++i) calls_[i].step = std::move(restored->steps[i]);
  for (size_t i = 0; i < made_.size(); ++i) {
    if (!made_[i].empty()) host_functions_[made_[i]] = restored->externs[i];
  }
  FindMemoryAndTable(instance_->info());
  ++stats_.restores;
  stats_.snapshot_bytes = std::max<uint64_t>(stats_.snapshot_bytes, bytes->size());
  return absl::OkStatus();
}

absl::Status Player::SettleEnd(const Call& call) {
  const DynamicStep& step = call.step;
  if (call.start) {
    if (step.finished()) return absl::OkStatus();
    return Difference(absl::StrCat("the start function trapped: ", step.message()));
  }
  --under_way_;
  absl::StatusOr<std::optional<TraceEvent>> next =
      NextInside(absl::StrCat("the end of ", call.name));
  if (!next.ok() || !next->has_value()) return next.status();
  const TraceEvent& event = **next;
  if (step.trapped()) {
    if (event.kind == TraceEvent::kTrap && SameThrown(step, event)) return absl::OkStatus();
    return Difference(
        absl::StrCat(call.name, " trapped: ", step.message(), ", expected ", Describe(event)));
  }
  bool same = event.kind == TraceEvent::kResult &&
              (event.values.size() == step.results().size() || event.values.empty());
  for (size_t i = 0; same && i < event.values.size(); ++i) {
    same = values_.Same(step.results()[i], event.values[i]);
  }
  if (same) return absl::OkStatus();
  return Difference(absl::StrCat(call.name, " returned (",
                                 absl::StrJoin(step.results(), ", ",
                                               [this](std::string* out, const Value& v) {
                                                 absl::StrAppend(out, values_.Describe(v));
                                               }),
                                 "), expected ", Describe(event)));
}

// Whether a call ended as the trace says. What the guest threw last is remembered.
bool Player::SameThrown(const DynamicStep& step, const TraceEvent& event) {
  const Thrown* const thrown = step.exception();
  switch (event.thrown) {
    case TraceEvent::kUnknown:
    case TraceEvent::kSameAsBefore:
      return true;
    case TraceEvent::kRealTrap:
      return thrown == nullptr;
    case TraceEvent::kTagged:
    case TraceEvent::kHostValue:
      break;
  }
  if (thrown == nullptr)
    return event.thrown == TraceEvent::kHostValue && step.trap() == Trap::kHost;
  std::optional<uint32_t> tag = host_tag_;
  if (event.thrown == TraceEvent::kTagged) {
    const auto found = tags_.find(event.name);
    if (found == tags_.end()) return true;  // a private one: nobody can look into it
    tag = found->second;
  }
  if (!tag) return true;
  if (*tag != thrown->tag || event.values.size() != thrown->values.size()) return false;
  for (size_t i = 0; i < event.values.size(); ++i) {
    if (!values_.Same(thrown->values[i], event.values[i])) return false;
  }
  return true;
}

// The host throws. What guests can't catch, or could not in version 1, ends the call.
absl::Status Player::ThrowInto(DynamicStep& step, const TraceEvent& event) {
  std::optional<uint32_t> tag;
  if (event.thrown == TraceEvent::kHostValue) tag = host_tag_;
  if (event.thrown == TraceEvent::kTagged) {
    const auto found = tags_.find(event.name);
    if (found == tags_.end()) return Difference(absl::StrCat("no tag ", event.name, " to throw"));
    tag = found->second;
  }
  if (!tag) return step.Throw(event.text);
  absl::StatusOr<Signature> payload = store_->SignatureOfTag(*tag);
  if (!payload.ok()) return payload.status();
  absl::StatusOr<std::vector<Value>> values = Results(event, "a throw", payload->params);
  if (!values.ok()) return values.status();
  return step.Throw(*tag, *values);
}

absl::StatusOr<std::vector<Value>> Player::Results(const TraceEvent& event,
                                                   const std::string& import,
                                                   absl::Span<const ValType> types) {
  std::vector<Value> results;
  for (size_t i = 0; i < types.size(); ++i) {
    absl::StatusOr<Value> value =
        values_.ToGuest(i < event.values.size() ? &event.values[i] : nullptr, types[i]);
    if (!value.ok())
      return absl::UnimplementedError(absl::StrCat(import, ": ", value.status().message()));
    results.push_back(*value);
  }
  return results;
}

absl::Status Player::Answer(const TraceEvent& event) {
  if (calls_.empty() || !calls_.back().step.suspended()) {
    return Difference(absl::StrCat("no import call to answer with: ", Describe(event)));
  }
  DynamicStep& step = calls_.back().step;
  if (event.kind == TraceEvent::kThrow) {
    absl::Status status = ThrowInto(step, event);
    return status.ok() ? Settle() : status;
  }
  const std::string import = absl::StrCat(step.op_module(), ".", step.op_name());
  std::vector<ValType> types;
  if (step.op_module() == "#host") {
    const auto host = host_functions_.find(std::string(step.op_name()));
    if (host == host_functions_.end()) return Difference(absl::StrCat("unknown ", import));
    types = host->second.signature.results;
  } else {
    const ModuleInfo& info = step.op_instance()->info();
    const core::FuncType& type = info.types[info.function_imports[step.op().index].type];
    types.assign(type.results, type.results + type.result_count);
  }
  absl::StatusOr<std::vector<Value>> results = Results(event, import, types);
  if (!results.ok()) return results.status();
  absl::Status status = step.Resume(*results);
  return status.ok() ? Settle() : status;
}

// ---- Plain ----

Trap Player::PlainImport(const std::string& module, const std::string& name,
                         const Signature& signature, absl::Span<const uint64_t> arguments,
                         absl::Span<uint64_t> results) {
  if (!failure_.ok() || ended_) return Trap::kHost;  // unwinding
  bool threw = false;
  failure_ = PlayImport(module, name, signature, arguments, results, threw);
  return threw || ended_ || !failure_.ok() ? Trap::kHost : Trap::kNone;
}

absl::Status Player::PlayImport(const std::string& module, const std::string& name,
                                const Signature& signature, absl::Span<const uint64_t> arguments,
                                absl::Span<uint64_t> results, bool& threw) {
  std::vector<Value> values;
  for (size_t i = 0; i < arguments.size(); ++i) {
    values.push_back(FromSlot(signature.params[i], arguments[i]));
  }
  const std::string import = absl::StrCat(module, ".", name);
  absl::StatusOr<std::optional<TraceEvent>> event = NextInside(absl::StrCat("import ", import));
  if (!event.ok() || !event->has_value()) return event.status();
  absl::Status status = CheckImport(**event, module, name, values);
  while (status.ok()) {
    event = NextInside(absl::StrCat("the end of import ", import));
    if (!event.ok() || !event->has_value()) return event.status();
    if ((*event)->kind == TraceEvent::kThrow) {
      threw = true;
      return absl::OkStatus();
    }
    if ((*event)->kind == TraceEvent::kReturn) {
      absl::StatusOr<std::vector<Value>> answer = Results(**event, import, signature.results);
      if (!answer.ok()) return answer.status();
      for (size_t i = 0; i < results.size(); ++i) results[i] = (*answer)[i].low;
      return absl::OkStatus();
    }
    status = HostEvent(**event);
    if (ended_) break;
  }
  return status;
}

}  // namespace fermata::replay
