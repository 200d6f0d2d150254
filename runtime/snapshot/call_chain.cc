#include "runtime/snapshot/call_chain.h"

#include <algorithm>
#include <cstring>

#include "runtime/host/types.h"

namespace fermata::internal {
namespace {

// The entry of ModuleInfo::functions for a function; null: it can't be named from outside.
const core::FunctionInfo* FindFunction(const ModuleInfo& module, uint32_t function) {
  const core::FunctionInfo* end = module.functions + module.function_count;
  const core::FunctionInfo* found = std::lower_bound(
      module.functions, end, function,
      [](const core::FunctionInfo& info, uint32_t index) { return info.index < index; });
  return found != end && found->index == function ? found : nullptr;
}

template <class T>
T Field(const core::Instance& instance, uint32_t offset) {
  T value;
  std::memcpy(&value, reinterpret_cast<const uint8_t*>(&instance) + offset, sizeof value);
  return value;
}

}  // namespace

bool CallChain::Add(const core::Footer& frame) {
  const ModuleInfo& module = *At(frame.instance).module;
  const bool op = module.sites[frame.site].resume == nullptr;
  const Callee callee{frame.instance, module.site_details[frame.site].function, op};
  const bool possible = !last_ || module.site_callees == nullptr ||
                        MayHaveCalled(frame.instance, module.site_callees[frame.site], *last_);
  last_ = callee;
  return possible;
}

bool CallChain::MayHaveCalled(uint32_t caller, uint32_t site_callee, const Callee& callee) const {
  const bool pause = callee.op && callee.function == core::kNoFunction;
  if (site_callee == core::kPauses) return pause && callee.instance == caller;
  if (pause) return false;
  if (site_callee == core::kCollects) return false;  // it is resumed before anybody can see it
  if (site_callee == core::kCallsAny) return true;
  const uint32_t index = (site_callee - core::kCallsFunction) / 2;
  return site_callee % 2 == 0 ? IsFunction(caller, index, callee) : HasType(caller, index, callee);
}

bool CallChain::IsFunction(uint32_t caller, uint32_t function, const Callee& callee) const {
  if (function < At(caller).module->function_import_count) {
    return IsImport(caller, function, callee);
  }
  return !callee.op && callee.instance == caller && callee.function == function;
}

bool CallChain::IsImport(uint32_t caller, uint32_t function, const Callee& callee) const {
  const ModuleInfo& module = *At(caller).module;
  const auto bound = Field<core::Function>(At(caller), module.function_imports[function].offset);
  const core::AnyFunction suspend = [&]() -> core::AnyFunction {
    for (uint32_t i = 0; i < module.import_count; ++i) {
      const core::ImportInfo& import = module.imports[i];
      if (import.kind == ExternKind::kFunction && import.index == function) return import.suspend;
    }
    return nullptr;
  }();
  // Another guest's function may end in a tail call: to whatever it likes.
  const bool linked = std::find(store_.instances.begin(), store_.instances.end(), bound.instance) !=
                      store_.instances.end();
  if (linked && (bound.instance != &At(caller) || bound.code != suspend)) return true;
  return callee.op &&
         (IsHosts(callee) || (callee.instance == caller && callee.function == function));
}

bool CallChain::HasType(uint32_t caller, uint32_t type, const Callee& callee) const {
  if (IsHosts(callee)) return true;
  const core::Instance& instance = At(callee.instance);
  if (const core::FunctionInfo* info = FindFunction(*instance.module, callee.function)) {
    const auto k = static_cast<uint32_t>(info - instance.module->functions);
    const uint32_t offset = At(caller).module->types_offset + type * sizeof(uint32_t);
    if (IsSubtype(store_.functions[instance.function_base + k - 1].type,
                  Field<uint32_t>(At(caller), offset))) {
      return true;
    }
  }
  return TailCalls();
}

// Some function that calls through tables and references can reach makes tail calls.
bool CallChain::TailCalls() const {
  for (const core::Instance* instance : store_.instances) {
    const ModuleInfo& module = *instance->module;
    for (uint32_t k = 0; k < module.function_count; ++k) {
      if (module.functions[k].tail != nullptr) return true;
    }
  }
  return false;
}

bool CallChain::BeganAs(core::ref function) const {
  for (uint32_t i = 0; i < store_.instances.size(); ++i) {
    const core::Instance& instance = At(i);
    const ModuleInfo& module = *instance.module;
    if (function < instance.function_base ||
        function - instance.function_base >= module.function_count) {
      continue;
    }
    const core::FunctionInfo& info = module.functions[function - instance.function_base];
    if (info.code == nullptr) return IsImport(i, info.index, *last_);
    if (info.tail != nullptr || module.site_callees == nullptr) return true;
    return !last_->op && last_->instance == i && last_->function == info.index;
  }
  return true;  // the host's own
}

}  // namespace fermata::internal
