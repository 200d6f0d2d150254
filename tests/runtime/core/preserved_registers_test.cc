// A trap leaves a guest's functions without running their ends, where they would have restored the
// registers that calls preserve. Whoever called the guest finds his values in them all the same.
#include <gtest/gtest.h>

#include "fermata/core/generated.h"
#include "fermata/dynamic.h"
#include "tests/support/hand_module.h"

namespace fermata {
namespace {

// More of each kind than there are registers that calls preserve: 10 for floats on Windows, 8 on
// AArch64.
constexpr int kCount = 12;
volatile double floats[kCount] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
volatile uint64_t integers[kCount] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120};

// Calls `between` while it holds all of them times `factor`; how many are still what they were.
template <class Between>
__attribute__((noinline)) int Holding(int factor, Between between) {
  const double f = factor;
  const uint64_t n = static_cast<uint64_t>(factor);
  const double f0 = floats[0] * f, f1 = floats[1] * f, f2 = floats[2] * f, f3 = floats[3] * f,
               f4 = floats[4] * f, f5 = floats[5] * f, f6 = floats[6] * f, f7 = floats[7] * f,
               f8 = floats[8] * f, f9 = floats[9] * f, f10 = floats[10] * f, f11 = floats[11] * f;
  const uint64_t n0 = integers[0] * n, n1 = integers[1] * n, n2 = integers[2] * n,
                 n3 = integers[3] * n, n4 = integers[4] * n, n5 = integers[5] * n,
                 n6 = integers[6] * n, n7 = integers[7] * n, n8 = integers[8] * n,
                 n9 = integers[9] * n, n10 = integers[10] * n, n11 = integers[11] * n;
  between();
  const double now_f[kCount] = {f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11};
  const uint64_t now_n[kCount] = {n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11};
  int same = 0;
  for (int i = 0; i < kCount; ++i) {
    same += now_f[i] == floats[i] * f;
    same += now_n[i] == integers[i] * n;
  }
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
