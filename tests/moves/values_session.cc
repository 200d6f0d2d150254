// values.wat, and the host that answers it.
#include <cinttypes>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "moves_paused.h"
#include "moves_values.h"
#include "tests/moves/session.h"

namespace fermata::moves {
namespace {

std::string Print(const Value& v) {
  char text[64];
  const int digits = v.type == ValType::kI64 || v.type == ValType::kF64 ? 16 : 8;
  if (v.type == ValType::kV128) {
    std::snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, v.high, v.low);
  } else {
    std::snprintf(text, sizeof text, "%0*" PRIx64, digits, v.low);
  }
  return absl::StrCat(core::NameOf(v.type), ":", text);
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

class ValuesSession : public Session {
 public:
  explicit ValuesSession(bool paused)
      : info_(paused ? guest::PausedModuleInfo() : guest::ValuesModuleInfo()), paused_(paused) {
    limits_.memory_pages = 64;
    limits_.table_elements = 1000;
    limits_.frame_bytes = 1 << 20;
    limits_.call_depth = 10000;
    if (paused) limits_.fuel = 1;
  }

  absl::Status Begin() override {
    store_ = std::make_unique<StoreHandle>(limits_);
    absl::StatusOr<DynamicInstance*> instance = store_->Instantiate(info_, {});
    if (!instance.ok()) return instance.status();
    absl::StatusOr<DynamicStep> step =
        (*instance)->Call("run", {Value::I32(6), Value::ExternRef(0xfedcba98)});
    if (!step.ok()) return step.status();
    step_ = *std::move(step);
    return absl::OkStatus();
  }

  absl::Status Restore(absl::string_view bytes) override {
    RestoreHost host;
    host.modules = {&info_};
    host.limits = limits_;
    host.most_bytes = 1 << 24;
    host.most_instances = 8;
    absl::StatusOr<RestoredStore> restored = fermata::Restore(bytes, host);
    if (!restored.ok()) return restored.status();
    if (restored->steps.size() != 1) return absl::InvalidArgumentError("not one call");
    store_ = std::move(restored->store);
    step_ = std::move(restored->steps[0]);
    return absl::OkStatus();
  }

  bool held() const override { return step_.suspended() || step_.paused(); }

  absl::Status Advance() override {
    absl::Status status;
    // The same at each suspension: what is left of it is not in snapshots.
    if (paused_) store_->SetFuel(1);
    if (step_.paused()) {
      output_ += "paused\n";
      status = step_.Continue();
    } else {
      std::vector<Value> answers = AnswersTo(step_.op_arguments());
      absl::StrAppend(&output_, step_.op_name(), Print(step_.op_arguments()), " ->", Print(answers),
                      "\n");
      status = step_.Resume(answers);
    }
    if (step_.finished()) absl::StrAppend(&output_, "finished", Print(step_.results()), "\n");
    if (step_.trapped()) absl::StrAppend(&output_, "trapped: ", step_.message(), "\n");
    return status;
  }

  absl::StatusOr<std::string> Save(const SaveOptions& options) override {
    return fermata::Save(*store_, {&step_}, options);
  }
  bool always_yields() const override { return true; }
  StoreHandle& store() override { return *store_; }
  DynamicStep& step() override { return step_; }

 private:
  // The results of "all" are in another order than its parameters, as no two machines should agree
  // on them by accident.
  static std::vector<Value> AnswersTo(const std::vector<Value>& arguments) {
    std::vector<Value> answers;
    if (arguments.size() == 8) {
      for (int i : {6, 0, 3, 1, 5, 4, 7, 2}) answers.push_back(Answer(arguments[i]));
    } else {
      for (const Value& v : arguments) answers.push_back(Answer(v));
    }
    return answers;
  }

  const ModuleInfo& info_;
  const bool paused_;
  Limits limits_;
  std::unique_ptr<StoreHandle> store_;
  DynamicStep step_;
};

}  // namespace

std::unique_ptr<Session> MakeValuesSession(bool paused) {
  return std::make_unique<ValuesSession>(paused);
}

}  // namespace fermata::moves
