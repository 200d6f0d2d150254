#include "spec-tests/host_module.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace fermata::spec {
namespace {

class Maker {
 public:
  Maker(StoreHandle& store, const HostModuleOptions& options, std::vector<std::string>& order)
      : store_(store), options_(options), order_(order) {}

  void Function(const std::string& name, std::vector<ValType> params) {
    if (!Wanted(name)) return;
    HostFunction code;
    if (!options_.suspending) {
      code = [](absl::Span<const uint64_t>, absl::Span<uint64_t>) { return Trap::kNone; };
    }
    Add(name, store_.MakeFunction(name, {std::move(params), {}}, std::move(code)));
  }
  void Global(const std::string& name, Value value) {
    if (Wanted(name)) Add(name, store_.MakeGlobal(value, false));
  }
  void Table(const std::string& name, bool is64) {
    if (!Wanted(name)) return;
    Add(name, store_.MakeTable(ValType::kFuncRef, Limits(10, 20, is64, false)));
  }
  void Memory(const std::string& name, bool shared) {
    if (!Wanted(name)) return;
    Add(name, store_.MakeMemory(Limits(1, 2, false, shared), options_.memory));
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
  bool Wanted(const std::string& name) const { return options_.wanted.contains(name); }
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
  const HostModuleOptions& options_;
  std::vector<std::string>& order_;
  std::map<std::string, Extern> exports_;
  absl::Status status_;
};

}  // namespace

std::set<std::string> ImportsFromSpectest(const std::map<std::string, const ModuleInfo*>& modules) {
  std::set<std::string> names;
  for (const auto& [file, info] : modules) {
    for (uint32_t i = 0; i < info->import_count; ++i) {
      const core::Text &module = info->imports[i].module, &name = info->imports[i].name;
      if (absl::string_view(module.data, module.size) == "spectest") {
        names.emplace(name.data, name.size);
      }
    }
  }
  return names;
}

absl::StatusOr<std::map<std::string, Extern>> MakeSpectest(StoreHandle& store,
                                                           const HostModuleOptions& options,
                                                           std::vector<std::string>& order) {
  Maker make(store, options, order);
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
