// Guests whose imports the host answers one by one: values.wat, and two that are linked with each
// other and with what the host has made (tests/fuzz/mix.wat, linked.wat).
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "moves_linked.h"
#include "moves_mix.h"
#include "moves_paused.h"
#include "moves_values.h"
#include "tests/moves/session.h"

namespace fermata::moves {
namespace {

std::string Print(const Value& v) {
  const absl::Hex low16(v.low, absl::kZeroPad16);
  std::string text = absl::StrCat(core::NameOf(v.type), ":");
  if (v.type == ValType::kV128) {
    absl::StrAppend(&text, absl::Hex(v.high, absl::kZeroPad16), low16);
  } else if (core::FrameBytes(v.type) == 8) {
    absl::StrAppend(&text, low16);
  } else {
    absl::StrAppend(&text, absl::Hex(v.low, absl::kZeroPad8));
  }
  return text;
}
std::string Print(absl::Span<const Value> values) {
  std::string text;
  for (const Value& v : values) absl::StrAppend(&text, " ", Print(v));
  return text;
}

// Another value of the type. NaNs and references come back as they are.
Value Answer(const Value& v) {
  switch (v.type) {
    case ValType::kI32:
      return Value::I32(v.i32() * 5 + 1);
    case ValType::kI64:
      return Value::I64(v.i64() * 0x100000001b3 + 1);
    case ValType::kF32:
      return v.f32() != v.f32() ? v : Value::F32(v.f32() * 2 + 0.5f);
    case ValType::kF64:
      return v.f64() != v.f64() ? v : Value::F64(v.f64() * 2 + 0.25);
    case ValType::kV128:
      return Value::V128(v.high, v.low + 1);
    default:
      return v;
  }
}

std::vector<Value> AnswersTo(const std::vector<Value>& arguments) {
  std::vector<Value> answers;
  for (const Value& v : arguments) answers.push_back(Answer(v));
  // Those of "all" are in an order of their own.
  if (answers.size() == 8) {
    const std::vector<Value> a = answers;
    answers = {a[6], a[0], a[3], a[1], a[5], a[4], a[7], a[2]};
  }
  return answers;
}

// Calls that take turns.
class AnsweredSession : public Session {
 public:
  explicit AnsweredSession(uint64_t fuel) : fuel_(fuel) {
    limits_.memory_pages = 64;
    limits_.table_elements = 1000;
    limits_.frame_bytes = 1 << 20;
    limits_.call_depth = 10000;
    limits_.fuel = fuel;
  }

  absl::Status Begin() override {
    store_ = std::make_unique<StoreHandle>(limits_);
    return Call();
  }

  absl::Status Restore(absl::string_view bytes) override {
    RestoreHost host = Host();
    host.limits = limits_;
    host.most_bytes = 1 << 24;
    host.most_instances = 8;
    absl::StatusOr<RestoredStore> restored = fermata::Restore(bytes, host);
    if (!restored.ok()) return restored.status();
    store_ = std::move(restored->store);
    held_ = std::move(restored->steps);
    return absl::OkStatus();
  }

  bool held() const override { return !held_.empty(); }

  absl::Status Advance() override {
    DynamicStep step = std::move(held_.front());
    held_.erase(held_.begin());
    // The same at each suspension: what is left of it is not in snapshots.
    if (fuel_ != 0) store_->SetFuel(fuel_);
    absl::Status status;
    if (step.paused()) {
      output_ += "paused\n";
      status = step.Continue();
    } else {
      const std::vector<Value> answers = AnswersTo(step.op_arguments());
      absl::StrAppend(&output_, step.op_name(), Print(step.op_arguments()), " ->", Print(answers),
                      "\n");
      status = step.Resume(answers);
    }
    if (status.ok()) Keep(std::move(step));
    return status;
  }

  absl::StatusOr<std::string> Save(const SaveOptions& options) override {
    std::vector<const DynamicStep*> steps;
    for (const DynamicStep& step : held_) steps.push_back(&step);
    return fermata::Save(*store_, steps, options);
  }
  bool always_yields() const override { return true; }
  StoreHandle& store() override { return *store_; }
  absl::Span<const DynamicStep> steps() override { return held_; }

 protected:
  // Instantiates and calls.
  virtual absl::Status Call() = 0;
  virtual RestoreHost Host() const = 0;

  absl::Status Call(DynamicInstance& instance, absl::string_view name,
                    absl::Span<const Value> arguments) {
    absl::StatusOr<DynamicStep> step = instance.Call(name, arguments);
    if (!step.ok()) return step.status();
    Keep(*std::move(step));
    return absl::OkStatus();
  }

  std::unique_ptr<StoreHandle> store_;

 private:
  void Keep(DynamicStep step) {
    if (step.finished()) absl::StrAppend(&output_, "finished", Print(step.results()), "\n");
    if (step.trapped()) absl::StrAppend(&output_, "trapped: ", step.message(), "\n");
    if (step.suspended() || step.paused()) held_.push_back(std::move(step));
  }

  const uint64_t fuel_;
  Limits limits_;
  std::vector<DynamicStep> held_;  // the one that is next is the first
};

class ValuesSession : public AnsweredSession {
 public:
  explicit ValuesSession(bool paused)
      : AnsweredSession(paused ? 1 : 0),
        info_(paused ? guest::PausedModuleInfo() : guest::ValuesModuleInfo()) {}

 private:
  absl::Status Call() override {
    absl::StatusOr<DynamicInstance*> instance = store_->Instantiate(info_, {});
    if (!instance.ok()) return instance.status();
    return AnsweredSession::Call(**instance, "run", {Value::I32(6), Value::ExternRef(0xfedcba98)});
  }
  RestoreHost Host() const override {
    RestoreHost host;
    host.modules = {&info_};
    return host;
  }

  const ModuleInfo& info_;
};

class LinkedSession : public AnsweredSession {
 public:
  LinkedSession() : AnsweredSession(0) {}

 private:
  absl::Status Call() override {
    absl::StatusOr<DynamicInstance*> mix = store_->Instantiate(guest::MixModuleInfo(), {});
    if (!mix.ok()) return mix.status();
    absl::StatusOr<DynamicInstance*> linked = Link(**mix);
    if (!linked.ok()) return linked.status();
    for (const absl::Status& called :
         {AnsweredSession::Call(**mix, "mix", {Value::I32(5), Value::ExternRef(7)}),
          AnsweredSession::Call(**mix, "deep", {Value::I32(100)}),
          AnsweredSession::Call(**linked, "go", {Value::I32(3)})}) {
      if (!called.ok()) return called;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<DynamicInstance*> Link(DynamicInstance& mix) {
    core::SizeLimitsInfo limits{};
    limits.min = 1;
    limits.max = 4;
    limits.has_max = true;
    const ModuleInfo& info = guest::LinkedModuleInfo();
    const Signature unary{{ValType::kI32}, {ValType::kI32}};
    std::pair<const char*, absl::StatusOr<Extern>> made[] = {
        {"global", store_->MakeGlobal(Value::I64(9), true)},
        {"memory", store_->MakeMemory(limits, info.memory_policy)},
        {"table", store_->MakeTable(ValType::kExternRef, limits)},
        {"ask", store_->MakeFunction("ask", unary, nullptr)},
        {"add",
         store_->MakeFunction("add", {{ValType::kI32, ValType::kI32}, {ValType::kI32}}, Add)},
        {"tag", store_->MakeTag({{ValType::kI32}, {}})},
        {"vector", store_->MakeGlobal(Value::V128(0x0123456789abcdef, 1), true)},
        {"function", store_->MakeGlobal(Value::FuncRef(1), false)}};
    Imports imports;
    imports.AddInstance("mix", &mix);
    for (auto& [name, what] : made) {
      if (!what.ok()) return what.status();
      imports.Add("host", name, *std::move(what));
    }
    return store_->Instantiate(info, imports);
  }

  static Trap Add(absl::Span<const uint64_t> a, absl::Span<uint64_t> r) {
    if (a.size() < 2 || r.empty()) return Trap::kHost;  // a forged type
    r[0] = static_cast<uint32_t>(a[0] + a[1]);
    return Trap::kNone;
  }

  RestoreHost Host() const override {
    RestoreHost host;
    host.modules = {&guest::MixModuleInfo(), &guest::LinkedModuleInfo()};
    host.functions["add"] = Add;
    return host;
  }
};

}  // namespace

std::unique_ptr<Session> MakeValuesSession(bool paused) {
  return std::make_unique<ValuesSession>(paused);
}
std::unique_ptr<Session> MakeLinkedSession() { return std::make_unique<LinkedSession>(); }

}  // namespace fermata::moves
