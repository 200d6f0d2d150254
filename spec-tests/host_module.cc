#include "spec-tests/host_module.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace fermata::spec {
namespace {

class Maker {
 public:
  Maker(StoreHandle& store, bool suspending, core::MemoryPolicy policy,
        std::vector<std::string>& order)
      : store_(store), suspending_(suspending), policy_(policy), order_(order) {}

  void Function(const std::string& name, std::vector<ValType> params) {
    HostFunction code;
    if (!suspending_) {
      code = [](absl::Span<const uint64_t>, absl::Span<uint64_t>) { return Trap::kNone; };
    }
    Add(name, store_.MakeFunction(name, {std::move(params), {}}, std::move(code)));
  }
  void Global(const std::string& name, Value value) { Add(name, store_.MakeGlobal(value, false)); }
  void Table(const std::string& name, bool is64) {
    Add(name, store_.MakeTable(ValType::kFuncRef, Limits(10, 20, is64, false)));
  }
  void Memory(const std::string& name, bool shared) {
    Add(name, store_.MakeMemory(Limits(1, 2, false, shared), policy_));
  }

  absl::StatusOr<std::map<std::string, Extern>> Finish() {
    if (!status_.ok()) return status_;
    return std::move(exports_);
  }

 private:
  static core::SizeLimitsInfo Limits(uint64_t min, uint64_t max, bool is64, bool shared) {
    core::SizeLimitsInfo limits{};
    limits.min = min;
    limits.max = max;
    limits.has_max = true;
    limits.is64 = is64;
    limits.shared = shared;
    limits.page_log2 = 16;
    return limits;
  }
  void Add(const std::string& name, absl::StatusOr<Extern> made) {
    if (made.ok()) {
      exports_.emplace(name, *std::move(made));
      order_.push_back(name);
    } else if (!absl::IsUnimplemented(made.status())) {
      status_.Update(absl::Status(made.status().code(),
                                  absl::StrCat("spectest.", name, ": ", made.status().message())));
    }
  }

  StoreHandle& store_;
  const bool suspending_;
  const core::MemoryPolicy policy_;
  std::vector<std::string>& order_;
  std::map<std::string, Extern> exports_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::map<std::string, Extern>> MakeSpectest(StoreHandle& store, bool suspending,
                                                           core::MemoryPolicy policy,
                                                           std::vector<std::string>& order) {
  Maker make(store, suspending, policy, order);
  make.Function("print", {});
  make.Function("print_i32", {ValType::kI32});
  make.Function("print_i64", {ValType::kI64});
  make.Function("print_f32", {ValType::kF32});
  make.Function("print_f64", {ValType::kF64});
  make.Function("print_i32_f32", {ValType::kI32, ValType::kF32});
  make.Function("print_f64_f64", {ValType::kF64, ValType::kF64});
  make.Global("global_i32", Value::I32(666));
  make.Global("global_i64", Value::I64(666));
  make.Global("global_f32", Value::F32(666.6f));
  make.Global("global_f64", Value::F64(666.6));
  make.Table("table", false);
  make.Table("table64", true);
  make.Memory("memory", false);
  make.Memory("shared_memory", true);
  return make.Finish();
}

}  // namespace fermata::spec
