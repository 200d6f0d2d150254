// The trampoline at level 0: entering, suspending, resuming and trapping with storage that the
// caller owns and nothing of the hosted runtime. The guest is written by hand as generated code
// would be, so that each shape of function and each way out is there whatever the translator
// chooses.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "fermata/core/generated.h"
#include "fermata/core/module_info.h"
#include "fermata/core/spelling.h"

namespace fermata::core {
namespace {

// ---- The guest ----

struct Self : Instance {
  Function import_0;  // (i32) -> i32, an op
};
using T0 = u32 (*)(Instance*, u32);
using T1 = void (*)(Instance*, u64, u64);

enum Site : u32 { kOp, kPairOp, kSplit0, kSplit1, kShared0, kSwap0, kWiden0, kWiden1 };
constexpr u32 kWideWords = 12;  // of 8 bytes

u32 suspend_0(Instance* base, u32 a0) {
  frame_put64(PushOp(base, kOp, 1), 0, slot_of_u32(a0));
  return 0;
}
// An op that answers with two values.
void suspend_pair(Instance* base, u64 a0, u64 a1) {
  u8* frame = PushOp(base, kPairOp, 2);
  frame_put64(frame, 0, a0);
  frame_put64(frame, 8, a1);
}

u32 call_import(Self& self, u32 a) {
  return reinterpret_cast<T0>(self.import_0.code)(self.import_0.instance, a);
}

// split: sum of n levels; op(7) at the bottom, op(n) on the way up at levels divisible by 4
u32 split(Instance* base, u32 l0) {
  Self& self = *static_cast<Self*>(base);
  u32 t, u, site;
  u8* frame;
  check_stack(base, 64);
  if (l0 == 0) return call_import(self, 7);  // its flag reaches the caller by itself
  t = split(base, l0 - 1);
  if (SUSPENDED) goto S0;
  if (l0 % 4 == 0) {
    u = call_import(self, l0);
    if (SUSPENDED) goto S1;
    t += u;
  }
  return t + l0;
S0:
  site = kSplit0;
  goto P;
S1:
  site = kSplit1;
P:
  frame = PushFrame(base, site);
  frame_put32(frame, 0, l0);
  frame_put32(frame, 4, t);
  return 0;
}
u64 split_resume(Instance* base, u32 point, u8* frame, u64 value) {
  Self& self = *static_cast<Self*>(base);
  const u32 l0 = frame_get32(frame, 0);
  u32 t = frame_get32(frame, 4);
  if (point == 0) {
    t = slot_u32(value);
    if (l0 % 4 == 0) {
      const u32 u = call_import(self, l0);
      if (SUSPENDED) {
        frame = RewriteFrame(base, kSplit1);
        frame_put32(frame, 0, l0);
        frame_put32(frame, 4, t);
        return 0;
      }
      t += u;
    }
  } else {
    t += slot_u32(value);
  }
  return slot_of_u32(t + l0);
}

// shared: op(l0), op(l0 + 1) … n times, summed
u32 shared(Instance* base, u32 l0) {
  Self& self = *static_cast<Self*>(base);
  u32 sum = 0, i = 0, t;
  u8* frame;
  if (self.resume_point != 0) {
    frame = self.resume_frame;
    self.resume_point = 0;
    l0 = frame_get32(frame, 0);
    i = frame_get32(frame, 4);
    sum = frame_get32(frame, 8);
    t = slot_u32(self.resume_value);
    goto R0;
  }
L0:
  t = call_import(self, l0 + i);
  if (SUSPENDED) goto S0;
R0:
  sum += t;
  if (++i < l0) goto L0;
  return sum;
S0:
  frame = PushFrame(base, kShared0);
  frame_put32(frame, 0, l0);
  frame_put32(frame, 4, i);
  frame_put32(frame, 8, sum);
  return 0;
}
u64 shared_resume(Instance* base, u32 point, u8* frame, u64 value) {
  base->resume_point = point + 1;
  base->resume_frame = frame;
  base->resume_value = value;
  return slot_of_u32(shared(base, 0));
}

// (a, b) -> (b', a') where (a', b') = pair op(a, b)
void swap(Instance* base, u64 l0, u64 l1) {
  Self& self = *static_cast<Self*>(base);
  suspend_pair(base, l0, l1);
  if (SUSPENDED) PushFrame(base, kSwap0);
}
u64 swap_resume(Instance* base, u32, u8*, u64) {
  u64* results = base->context->results;
  const u64 first = results[0];
  results[0] = results[1];
  results[1] = first;
  return 0;
}

// Suspended with a small frame first, then with a large one; what it was resumed with each time.
u32 widen(Instance* base, u32 l0) {
  Self& self = *static_cast<Self*>(base);
  call_import(self, l0);
  if (SUSPENDED) PushFrame(base, kWiden0);
  return 0;
}
u64 widen_resume(Instance* base, u32 point, u8* frame, u64 value) {
  Self& self = *static_cast<Self*>(base);
  if (point == 0) {
    // A callee that suspends: its frame comes to lie above the one that is written in place.
    shared(base, 1);
    if (SUSPENDED) {
      frame = RewriteFrame(base, kWiden1);
      for (u32 i = 0; i + 1 < kWideWords; ++i) frame_put64(frame, 8 * i, value + i);
    }
    return 0;
  }
  u64 sum = value;
  for (u32 i = 0; i + 1 < kWideWords; ++i) sum += frame_get64(frame, 8 * i);
  return sum;
}

u32 trap_now(Instance* base, u32 a) {
  if (a == 0) RaiseTrap(base, Trap::kUnreachable);
  return i32_div_u(base, 100, a - 1);
}
u32 runaway(Instance* base, u32 a) {
  check_stack(base, 64);
  if (a == ~0u) return 0;
  return force(runaway(base, a + 1)) + 1;  // no loop in disguise
}

u64 invoke_0(Instance* base, AnyFunction function, const u64* a) {
  return slot_of_u32(reinterpret_cast<T0>(function)(base, slot_u32(a[0])));
}
u64 invoke_1(Instance* base, AnyFunction function, const u64* a) {
  reinterpret_cast<T1>(function)(base, a[0], a[1]);
  return 0;
}

const SiteInfo kSites[] = {{nullptr, 0, false},       {nullptr, 0, false},
                           {split_resume, 0, false},  {split_resume, 1, false},
                           {shared_resume, 0, false}, {swap_resume, 0, false},
                           {widen_resume, 0, false},  {widen_resume, 1, false}};
const u16 kWords[] = {4, 6, 4, 4, 5, 2, 2, 2 * kWideWords};

// ---- The embedder ----

// By the number of instances in the store: one alone takes shorter ways.
class Trampoline : public testing::TestWithParam<u32> {
 protected:
  static constexpr u32 kInstances = 2;

  Trampoline() : scratch_(8192), results_(8) {
    module_.sites = kSites;
    module_.site_words = kWords;
    module_.site_count = sizeof kSites / sizeof *kSites;
    for (u32 i = 0; i < kInstances; ++i) {
      Instance& instance = instances_[i];
      instance.store = &store_;
      instance.module = &module_;
      instance.index = i;
      instances_[i].import_0 = {reinterpret_cast<AnyFunction>(suspend_0), &instance, 0, 0};
      list_[i] = &instance;
    }
    store_.instances = list_;
    store_.instance_count = GetParam();
    SetUpContext(context_, scratch_);
  }

  void SetUpContext(Context& context, std::vector<u64>& scratch) {
    context.scratch_begin = reinterpret_cast<u8*>(scratch.data());
    context.scratch_end = reinterpret_cast<u8*>(scratch.data() + scratch.size());
    context.scratch_top = context.scratch_end;
    context.results = results_.data();
    context.results_capacity = static_cast<u32>(results_.size());
  }

  // A call in progress with `bytes` of storage that cannot grow.
  struct Call {
    explicit Call(u32 bytes) : storage(bytes / 8) {
      activation.frames = reinterpret_cast<u8*>(storage.data());
      activation.capacity = bytes;
    }
    std::vector<u64> storage;
    Activation activation{};
  };

  Exit EnterUnary(Activation& activation, T0 function, u32 argument, u32 instance = 0) {
    const Function f = {reinterpret_cast<AnyFunction>(function), &instances_[instance], 0, 0};
    const u64 slot = slot_of_u32(argument);
    return Enter(context_, activation, f, invoke_0, &slot);
  }
  Exit Answer(Activation& activation, u64 value) { return Resume(context_, activation, &value, 1); }

  static u64 OpArgument(const Activation& activation) {
    const Footer footer = LastFooter(activation);
    return frame_get64(activation.frames + activation.size - footer.words * kFrameWord, 0);
  }
  void ExpectClean() {
    EXPECT_EQ(context_.scratch_top, context_.scratch_end);
    EXPECT_EQ(context_.pushed, 0u);
    EXPECT_EQ(context_.entry, nullptr);
    EXPECT_EQ(context_.activation, nullptr);
    for (const Self& instance : instances_) {
      EXPECT_EQ(instance.unwind, Unwind::kNone);
      EXPECT_EQ(instance.resume_point, 0u);
    }
  }

  std::vector<u64> scratch_;
  std::vector<u64> results_;
  Context context_{};
  Store store_{};
  ModuleInfo module_{};
  Self instances_[kInstances]{};
  Instance* list_[kInstances];
};

class LinkedTrampoline : public Trampoline {};
INSTANTIATE_TEST_SUITE_P(Alone, Trampoline, testing::Values(1));
INSTANTIATE_TEST_SUITE_P(Linked, Trampoline, testing::Values(2));
INSTANTIATE_TEST_SUITE_P(Linked, LinkedTrampoline, testing::Values(2));

TEST_P(Trampoline, FramesLieFromTheOutermostToTheOp) {
  Call call(4096);
  ASSERT_EQ(EnterUnary(call.activation, split, 3), Exit::kSuspended);
  ExpectClean();
  EXPECT_EQ(call.activation.depth, 4u);
  ASSERT_EQ(call.activation.size, (3 * 2 + 2) * 8u);
  for (u32 i = 0; i < 3; ++i) {
    EXPECT_EQ(frame_get32(call.activation.frames + 16 * i, 0), 3 - i);
    Activation until{};
    until.frames = call.activation.frames;
    until.size = 16 * (i + 1);
    const Footer footer = LastFooter(until);
    EXPECT_EQ(footer.site, kSplit0);
    EXPECT_EQ(footer.words, 4u);
    EXPECT_EQ(footer.instance, 0u);
  }
  EXPECT_EQ(LastFooter(call.activation).site, kOp);
  EXPECT_EQ(OpArgument(call.activation), 7u);
  ASSERT_EQ(Answer(call.activation, 10), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 16u);
  EXPECT_EQ(call.activation.size, 0u);
  EXPECT_EQ(call.activation.depth, 0u);
  ExpectClean();
}

TEST_P(Trampoline, ResumedFramesAreRewrittenInPlace) {
  Call call(4096);
  ASSERT_EQ(EnterUnary(call.activation, split, 9), Exit::kSuspended);
  EXPECT_EQ(call.activation.depth, 10u);
  ASSERT_EQ(Answer(call.activation, 100), Exit::kSuspended);  // levels 1 to 3 returned
  EXPECT_EQ(OpArgument(call.activation), 4u);
  EXPECT_EQ(call.activation.depth, 7u);  // 9 to 4, and the op
  ASSERT_EQ(Answer(call.activation, 1000), Exit::kSuspended);
  EXPECT_EQ(OpArgument(call.activation), 8u);
  EXPECT_EQ(call.activation.depth, 3u);
  ASSERT_EQ(Answer(call.activation, 10000), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 100u + 1000 + 10000 + 45);
  ExpectClean();
}

TEST_P(Trampoline, SharedBodiesPushAgainWhatTheyWereResumedFrom) {
  Call call(256);
  ASSERT_EQ(EnterUnary(call.activation, shared, 50), Exit::kSuspended);
  const u32 size = call.activation.size;
  for (u32 i = 0; i < 49; ++i) {
    EXPECT_EQ(OpArgument(call.activation), 50u + i);
    ASSERT_EQ(Answer(call.activation, i), Exit::kSuspended);
    EXPECT_EQ(call.activation.size, size);
    EXPECT_EQ(call.activation.depth, 2u);
  }
  ASSERT_EQ(Answer(call.activation, 49), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 49u * 50 / 2);
}

TEST_P(Trampoline, AFrameMayGrowUnderItsCallees) {
  Call call(4096);
  ASSERT_EQ(EnterUnary(call.activation, widen, 3), Exit::kSuspended);
  EXPECT_EQ(call.activation.size, (1 + 2) * 8u);
  ASSERT_EQ(Answer(call.activation, 1000), Exit::kSuspended);
  EXPECT_EQ(call.activation.size, (kWideWords + 2) * 8u + 20);  // its own, shared's, the op
  EXPECT_EQ(call.activation.depth, 3u);
  ASSERT_EQ(Answer(call.activation, 5), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 5u + 11 * 1000 + 55);
}

TEST_P(Trampoline, SeveralResultsGoThroughTheContext) {
  Call call(256);
  const Function f = {reinterpret_cast<AnyFunction>(swap), &instances_[0], 0, 0};
  const u64 arguments[] = {1, 2};
  ASSERT_EQ(Enter(context_, call.activation, f, invoke_1, arguments), Exit::kSuspended);
  const u64 answer[] = {30, ~u64{0}};
  ASSERT_EQ(Resume(context_, call.activation, answer, 2), Exit::kReturned);
  EXPECT_EQ(context_.results[0], ~u64{0});
  EXPECT_EQ(context_.results[1], 30u);
}

TEST_P(LinkedTrampoline, OneFlagForAllInstances) {
  // Instance 0's import is a function of instance 1 that suspends.
  instances_[0].import_0 = {reinterpret_cast<AnyFunction>(split), &instances_[1], 0, 0};
  Call call(4096);
  ASSERT_EQ(EnterUnary(call.activation, shared, 2), Exit::kSuspended);
  EXPECT_EQ(call.activation.depth, 4u);  // shared, split(2), split(1), op: split(0) has none
  EXPECT_EQ(LastFooter(call.activation).instance, 1u);
  ASSERT_EQ(Answer(call.activation, 10), Exit::kSuspended);  // split(3) next
  EXPECT_EQ(call.activation.depth, 5u);
  ASSERT_EQ(Answer(call.activation, 20), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 10u + 3 + 20 + 6);
  ExpectClean();
}

TEST_P(Trampoline, TrapsDiscardTheActivation) {
  Call call(4096);
  ASSERT_EQ(EnterUnary(call.activation, trap_now, 0), Exit::kTrapped);
  EXPECT_EQ(call.activation.trap, Trap::kUnreachable);
  ASSERT_EQ(EnterUnary(call.activation, trap_now, 1), Exit::kTrapped);
  EXPECT_EQ(call.activation.trap, Trap::kIntegerDivideByZero);
  ASSERT_EQ(EnterUnary(call.activation, trap_now, 5), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 25u);
  EXPECT_EQ(call.activation.trap, Trap::kNone);
  // In a resumed frame: the frames of its callers go too.
  Call deep(4096);
  ASSERT_EQ(EnterUnary(deep.activation, split, 9), Exit::kSuspended);
  instances_[0].import_0.code = reinterpret_cast<AnyFunction>(
      +[](Instance* base, u32) -> u32 { RaiseTrap(base, Trap::kHost); });
  ASSERT_EQ(Answer(deep.activation, 1), Exit::kTrapped);
  EXPECT_EQ(deep.activation.trap, Trap::kHost);
  EXPECT_EQ(deep.activation.size, 0u);
  EXPECT_EQ(deep.activation.depth, 0u);
  ExpectClean();
}

TEST_P(Trampoline, ExhaustionIsATrapAndLeavesNothingBehind) {
  // Storage that can't grow.
  Call small(64);
  ASSERT_EQ(EnterUnary(small.activation, split, 3), Exit::kSuspended);
  small.activation.size = small.activation.depth = 0;
  ASSERT_EQ(EnterUnary(small.activation, split, 4), Exit::kTrapped);
  EXPECT_EQ(small.activation.trap, Trap::kCallStackExhausted);
  ExpectClean();
  // Too little room to resume in: the largest frame has to fit.
  ASSERT_EQ(EnterUnary(small.activation, widen, 1), Exit::kSuspended);
  ASSERT_EQ(Answer(small.activation, 1), Exit::kTrapped);
  EXPECT_EQ(small.activation.trap, Trap::kCallStackExhausted);

  Call call(1 << 16);
  store_.limits.call_depth = 10;
  ASSERT_EQ(EnterUnary(call.activation, split, 9), Exit::kSuspended);
  call.activation.size = call.activation.depth = 0;
  ASSERT_EQ(EnterUnary(call.activation, split, 10), Exit::kTrapped);
  EXPECT_EQ(call.activation.trap, Trap::kCallStackExhausted);
  store_.limits = {};
  store_.limits.frame_bytes = 160;
  ASSERT_EQ(EnterUnary(call.activation, split, 10), Exit::kTrapped);
  store_.limits = {};
  // The scratch area holds what one suspension pushes.
  scratch_.resize(64);
  scratch_.shrink_to_fit();
  SetUpContext(context_, scratch_);
  ASSERT_EQ(EnterUnary(call.activation, split, 30), Exit::kSuspended);
  call.activation.size = call.activation.depth = 0;
  ASSERT_EQ(EnterUnary(call.activation, split, 32), Exit::kTrapped);
  EXPECT_EQ(call.activation.trap, Trap::kCallStackExhausted);
  ExpectClean();
}

TEST_P(Trampoline, TheNativeStackEndsAtTheLimit) {
  Call call(64);
  context_.stack_limit = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - 200 * 1024;
  ASSERT_EQ(EnterUnary(call.activation, runaway, 0), Exit::kTrapped);
  EXPECT_EQ(call.activation.trap, Trap::kCallStackExhausted);
  // Entered below it, no guest code runs.
  context_.stack_limit = ~uintptr_t{0};
  ASSERT_EQ(EnterUnary(call.activation, trap_now, 5), Exit::kTrapped);
  EXPECT_EQ(call.activation.trap, Trap::kCallStackExhausted);
  ExpectClean();
}

TEST_P(Trampoline, StorageGrowsWithTheCallback) {
  Activation activation{};
  static std::vector<u64> storage;
  storage.clear();
  activation.grow = [](Activation* a, u32 capacity) {
    storage.resize(capacity / 8);
    a->frames = reinterpret_cast<u8*>(storage.data());
    a->capacity = capacity;
    return true;
  };
  ASSERT_EQ(EnterUnary(activation, split, 1000), Exit::kSuspended);
  EXPECT_EQ(activation.size, 1001u * 16);
  u32 ops = 1;
  while (true) {
    const Exit exit = Answer(activation, 1);
    if (exit == Exit::kReturned) break;
    ASSERT_EQ(exit, Exit::kSuspended);
    ++ops;
  }
  EXPECT_EQ(ops, 251u);
  EXPECT_EQ(activation.value, 1000u * 1001 / 2 + ops);
}

// An immediate import that calls back into the guest: what becomes of the inner call.
struct Inner {
  T0 function;
  u32 argument;
  Exit exit;
  Activation activation;
  u64 storage[64];
};
Inner* inner;

u32 call_back(Instance* base, u32 a0) {
  inner->activation = {};
  inner->activation.frames = reinterpret_cast<u8*>(inner->storage);
  inner->activation.capacity = sizeof inner->storage;
  const Function f = {reinterpret_cast<AnyFunction>(inner->function), base, 0, 0};
  const u64 slot = slot_of_u32(inner->argument);
  const Activation* outer = base->context->activation;
  inner->exit = Enter(*base->context, inner->activation, f, invoke_0, &slot);
  EXPECT_EQ(base->context->activation, outer);
  return a0 + 1;
}

TEST_P(Trampoline, NestedEntriesEndOnTheirOwn) {
  Inner storage{};
  inner = &storage;
  Call call(4096);
  instances_[0].import_0.code = reinterpret_cast<AnyFunction>(call_back);

  // It returns; it traps; the outer call runs on either way.
  inner->function = trap_now;
  inner->argument = 3;
  ASSERT_EQ(EnterUnary(call.activation, shared, 2), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 3u + 4);
  EXPECT_EQ(inner->exit, Exit::kReturned);
  EXPECT_EQ(inner->activation.value, 50u);
  inner->argument = 0;
  ASSERT_EQ(EnterUnary(call.activation, shared, 2), Exit::kReturned);
  EXPECT_EQ(inner->exit, Exit::kTrapped);
  EXPECT_EQ(call.activation.value, 3u + 4);

  // It suspends: the outer call does not.
  inner->function = [](Instance* base, u32 a0) -> u32 { return suspend_0(base, a0); };
  inner->argument = 77;
  ASSERT_EQ(EnterUnary(call.activation, shared, 2), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 3u + 4);
  ASSERT_EQ(inner->exit, Exit::kSuspended);
  EXPECT_EQ(OpArgument(inner->activation), 77u);
  ASSERT_EQ(Answer(inner->activation, 9), Exit::kReturned);
  EXPECT_EQ(inner->activation.value, 9u);
  ExpectClean();
}

TEST_P(Trampoline, ActivationsAreDataAndHaveNoThread) {
  Call call(4096);
  ASSERT_EQ(EnterUnary(call.activation, split, 9), Exit::kSuspended);
  // A copy of the bytes is a second call in the same state.
  Call copy(4096);
  memcpy(copy.activation.frames, call.activation.frames, call.activation.size);
  copy.activation.size = call.activation.size;
  copy.activation.depth = call.activation.depth;
  copy.activation.store = call.activation.store;
  std::thread([&] {
    std::vector<u64> scratch(8192);
    Context context{};
    SetUpContext(context, scratch);
    u64 answer = 1;
    while (Resume(context, copy.activation, &answer, 1) == Exit::kSuspended) answer *= 10;
  }).join();
  EXPECT_EQ(copy.activation.value, 111u + 45);
  ASSERT_EQ(Answer(call.activation, 2), Exit::kSuspended);
  ASSERT_EQ(Answer(call.activation, 2), Exit::kSuspended);
  ASSERT_EQ(Answer(call.activation, 2), Exit::kReturned);
  EXPECT_EQ(call.activation.value, 6u + 45);
}

TEST_P(Trampoline, InitializationReportsItsTraps) {
  module_.initialize = [](Instance*) {};
  Activation activation{};
  EXPECT_EQ(Initialize(context_, activation, instances_[0]), Exit::kReturned);
  module_.initialize = [](Instance* base) { RaiseTrap(base, Trap::kTableOutOfBounds); };
  EXPECT_EQ(Initialize(context_, activation, instances_[0]), Exit::kTrapped);
  EXPECT_EQ(activation.trap, Trap::kTableOutOfBounds);
}

TEST(Traps, HaveTheSuitesTexts) {
  EXPECT_STREQ(TrapMessage(Trap::kUnreachable), "unreachable");
  EXPECT_STREQ(TrapMessage(Trap::kMemoryOutOfBounds), "out of bounds memory access");
  EXPECT_STREQ(TrapMessage(Trap::kTableOutOfBounds), "out of bounds table access");
  EXPECT_STREQ(TrapMessage(Trap::kIntegerDivideByZero), "integer divide by zero");
  EXPECT_STREQ(TrapMessage(Trap::kIntegerOverflow), "integer overflow");
  EXPECT_STREQ(TrapMessage(Trap::kInvalidConversionToInteger), "invalid conversion to integer");
  EXPECT_STREQ(TrapMessage(Trap::kUndefinedElement), "undefined element");
  EXPECT_STREQ(TrapMessage(Trap::kUninitializedElement), "uninitialized element");
  EXPECT_STREQ(TrapMessage(Trap::kIndirectCallTypeMismatch), "indirect call type mismatch");
  EXPECT_STREQ(TrapMessage(Trap::kCallStackExhausted), "call stack exhausted");
  EXPECT_STREQ(TrapMessage(Trap::kNullReference), "null reference");
  EXPECT_STREQ(TrapMessage(Trap::kNullFunctionReference), "null function reference");
  EXPECT_STREQ(TrapMessage(Trap::kNullExceptionReference), "null exception reference");
  EXPECT_STREQ(TrapMessage(Trap::kUncaughtException), "uncaught exception");
  EXPECT_STREQ(TrapMessage(Trap::kUnalignedAtomic), "unaligned atomic");
  EXPECT_STREQ(TrapMessage(Trap::kUnsharedWait), "expected shared memory");
  EXPECT_STREQ(TrapMessage(static_cast<Trap>(9999)), "unknown trap");
}

}  // namespace
}  // namespace fermata::core
