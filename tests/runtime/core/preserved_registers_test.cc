// A trap leaves a guest's functions without running their ends, where they would have restored the
// registers that calls preserve. Whoever called the guest finds his values in them all the same.
#include <gtest/gtest.h>

#include "fermata/core/generated.h"
#include "fermata/dynamic.h"
#include "tests/support/hand_module.h"

namespace fermata {
namespace {

// More of each kind than there are registers that calls preserve: 10 for floats on Windows, 10 for
// integers on AArch64.
#define FERMATA_EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
constexpr int kCount = 12;
volatile double floats[kCount] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
volatile uint64_t integers[kCount] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};
volatile int rounds = 1;

// Calls `between` while it holds all of them times `factor`; how many are still what they were. They
// change in a loop, so that the compiler has them in registers.
template <class Between>
__attribute__((noinline)) int Holding(int factor, Between between) {
  const double f = factor;
  const uint64_t n = static_cast<uint64_t>(factor);
#define FERMATA_LOAD(i)        \
  double f##i = floats[i] * f; \
  uint64_t n##i = integers[i] * n;
  FERMATA_EACH(FERMATA_LOAD)
  for (int round = rounds; round > 0; --round) {
    between();
#define FERMATA_CHANGE(i)                 \
  f##i -= static_cast<double>(round - 1); \
  n##i -= static_cast<uint64_t>(round - 1);
    FERMATA_EACH(FERMATA_CHANGE)
  }
  int same = 0;
#define FERMATA_COMPARE(i)       \
  same += f##i == floats[i] * f; \
  same += n##i == integers[i] * n;
  FERMATA_EACH(FERMATA_COMPARE)
  return same;
}

// Whether the guest traps by a call of the runtime, by a fault, or not at all.
enum class End { kReturn, kTrap, kFault };
volatile End end_of_guest;

void Guest(core::Instance* base) {
  Holding(3, [base] {
    if (end_of_guest == End::kTrap) core::RaiseTrap(base, Trap::kUnreachable);
    if (end_of_guest == End::kFault) {
      const uint8_t* memory = static_cast<HandInstance*>(base)->memories[0].memory->data;
      (void)*const_cast<const volatile uint8_t*>(memory + (1 << 20));
    }
  });
}

TEST(PreservedRegisters, SurviveTraps) {
  HandModule module;
  module.Function("guest", module.Type(":"), Guest);
  module.Memory("memory", {1, 1, true, false, false});
  StoreHandle store;
  absl::StatusOr<DynamicInstance*> instance = store.Instantiate(module.Info(), {});
  ASSERT_TRUE(instance.ok()) << instance.status();
  for (const auto& [end, trap] :
       {std::pair(End::kReturn, Trap::kNone), std::pair(End::kTrap, Trap::kUnreachable),
        std::pair(End::kFault, Trap::kMemoryOutOfBounds)}) {
    SCOPED_TRACE(TrapMessage(trap));
    if (end == End::kFault && kUsualPolicy != core::MemoryPolicy::kReserved) continue;
    end_of_guest = end;
    absl::StatusOr<DynamicStep> step = absl::UnknownError("");
    EXPECT_EQ(Holding(7, [&] { step = (*instance)->Call("guest", {}); }), 2 * kCount);
    ASSERT_TRUE(step.ok()) << step.status();
    EXPECT_EQ(step->trap(), trap);
  }
}

}  // namespace
}  // namespace fermata
