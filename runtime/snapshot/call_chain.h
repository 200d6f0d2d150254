// Whether the frames of a call can be what calls leave behind: each that of a function which the
// frame beneath may have called at its site (core::ModuleInfo::site_callees).
//
// For people's sake, not for safety: a chain that never was reads and writes nothing that another
// could not. The results that a frame finds are zero where its callee returned fewer, and calls
// through references check types again.
#ifndef FERMATA_RUNTIME_SNAPSHOT_CALL_CHAIN_H_
#define FERMATA_RUNTIME_SNAPSHOT_CALL_CHAIN_H_

#include <cstdint>
#include <optional>

#include "fermata/core/abi.h"
#include "runtime/host/state.h"

namespace fermata::internal {

class CallChain {
 public:
  explicit CallChain(const StoreState& store) : store_(store) {}

  // Adds a frame, the last one of the call first: whether it may have called the one before. Its
  // instance and site exist.
  bool Add(const core::Footer& frame);
  // Whether a call of the function that the handle names may have begun with the frame added last.
  bool BeganAs(core::ref function) const;

 private:
  // Whose frame it is.
  struct Callee {
    uint32_t instance;
    uint32_t function;  // of that instance's module; kNoFunction: a pause
    bool op;
  };
  const core::Instance& At(uint32_t instance) const { return *store_.instances[instance]; }
  bool IsHosts(const Callee& callee) const { return store_.dynamic[callee.instance] == nullptr; }
  bool MayHaveCalled(uint32_t caller, uint32_t site_callee, const Callee& callee) const;
  bool IsFunction(uint32_t caller, uint32_t function, const Callee& callee) const;
  bool IsImport(uint32_t caller, uint32_t function, const Callee& callee) const;
  bool HasType(uint32_t caller, uint32_t type, const Callee& callee) const;
  bool TailCalls() const;

  const StoreState& store_;
  std::optional<Callee> last_;  // added
};

}  // namespace fermata::internal

#endif  // FERMATA_RUNTIME_SNAPSHOT_CALL_CHAIN_H_
