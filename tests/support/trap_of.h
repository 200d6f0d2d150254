// Functions of the core that trap, outside of generated code.
#ifndef FERMATA_TESTS_SUPPORT_TRAP_OF_H_
#define FERMATA_TESTS_SUPPORT_TRAP_OF_H_

#include <vector>

#include "fermata/core/generated.h"
#include "fermata/dynamic.h"

namespace fermata::core {

// Runs `f(instance)` as a guest would run: RaiseTrap comes back as the trap.
template <typename F>
Trap TrapOf(F f) {
  static F* current;
  current = &f;
  static Instance instance{};
  static Store store{};
  static Instance* instances[] = {&instance};
  static std::vector<u8> scratch(4096);
  store.instances = instances;
  store.instance_count = 1;
  instance.store = &store;
  static Context context{};
  context.scratch_begin = scratch.data();
  context.scratch_end = context.scratch_top = scratch.data() + scratch.size();
  Activation activation{};
  const Function function = {reinterpret_cast<AnyFunction>(+[](Instance* i) { (*current)(i); }),
                             &instance, 0, 0};
  const Invoke invoke = [](Instance* i, AnyFunction code, const u64*) -> u64 {
    reinterpret_cast<void (*)(Instance*)>(code)(i);
    return 0;
  };
  return Enter(context, activation, function, invoke, nullptr) == Exit::kTrapped ? activation.trap
                                                                                 : Trap::kNone;
}

}  // namespace fermata::core

#endif  // FERMATA_TESTS_SUPPORT_TRAP_OF_H_
