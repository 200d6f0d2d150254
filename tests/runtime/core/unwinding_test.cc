// Exceptions, tail calls and pauses at level 0: what else but a suspension makes a call not return
// normally. The guest is written by hand, as in tests/runtime/core/trampoline_test.cc.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "fermata/core/generated.h"
#include "fermata/core/module_info.h"

namespace fermata::core {
namespace {

using T0 = u32 (*)(Instance*, u32);

u64 invoke_0(Instance* base, AnyFunction function, const u64* a) {
  return slot_of_u32(reinterpret_cast<T0>(function)(base, slot_u32(a[0])));
}

enum Site : u32 { kOp, kPause, kGuard0, kPlain0, kLeaf0, kLeaf1, kPausing0, kSites };

// What the next call of `leaf` does, and what was called: the tests' own.
enum class Leaf { kReturn, kThrow, kOpThenThrow, kOpThenReturn, kTwoOpsThenThrow, kPauseThenThrow };
Leaf leaf_does;
u32 plain_resumed;   // resumptions of frames that can't catch
u32 guards_resumed;  // resumptions of frames that can
u32 caught_tag;      // what `guard` catches
bool ask_in_handler;

u32 op(Instance* base, u32 a0) {
  frame_put64(PushOp(base, kOp, 1), 0, a0);
  return 0;
}

// ---- leaf: throws the tag 7 with payload (a, a + 1), at once or after it was suspended ----

u32 throw_7(Instance* base, u32 a0) {
  base->context->results[0] = a0;
  base->context->results[1] = a0 + 1;
  Throw(base, 7, 2);
  return 0;
}
u32 leaf(Instance* base, u32 a0) {
  u32 site = kLeaf0;
  switch (leaf_does) {
    case Leaf::kReturn:
      return a0;
    case Leaf::kThrow:
      return throw_7(base, a0);
    case Leaf::kTwoOpsThenThrow:
      site = kLeaf1;
      op(base, a0);
      break;
    case Leaf::kPauseThenThrow:
      PushPause(base, kPause);
      break;
    default:
      op(base, a0);
  }
  frame_put32(PushFrame(base, site), 0, a0);
  return 0;
}
u64 leaf_resume(Instance* base, u32 point, u8* frame, u64) {
  const u32 l0 = frame_get32(frame, 0);
  if (point == 1) {
    op(base, l0 + 1000);
    frame_put32(RewriteFrame(base, kLeaf0), 0, l0);
    return 0;
  }
  if (leaf_does == Leaf::kOpThenReturn) return l0;
  return throw_7(base, l0);
}

// ---- plain: calls its argument's worth of itself, then guard_0; adds one ----

u32 guard(Instance* base, u32 a0);
u32 plain(Instance* base, u32 a0) {
  const u32 t = a0 % 100 == 0 ? leaf(base, a0) : plain(base, a0 - 1);
  if (base->unwind != Unwind::kNone) {
    PushFrame(base, kPlain0);
    return 0;
  }
  return t + 1;
}
u64 plain_resume(Instance*, u32, u8*, u64 value) {
  ++plain_resumed;
  return value + 1;
}

// ---- guard: calls itself (a / 100 levels), then plain; catches `caught_tag` ----

// The handler: the payload's sum, or the answer to an op with it.
u64 handle(Instance* base, bool& suspended) {
  Catch(base);
  const u64 sum = base->context->results[0] + base->context->results[1];
  suspended = ask_in_handler;
  if (suspended) op(base, static_cast<u32>(sum));
  return sum;
}
u32 guard(Instance* base, u32 a0) {
  const u32 t = a0 >= 100 ? guard(base, a0 - 100) : plain(base, a0);
  if (base->unwind == Unwind::kThrow && base->context->tag == caught_tag) {
    bool suspended;
    const u64 sum = handle(base, suspended);
    if (!suspended) return static_cast<u32>(sum);
  }
  if (base->unwind != Unwind::kNone) {
    PushFrame(base, kGuard0);
    return 0;
  }
  return t;
}
u64 guard_resume(Instance* base, u32, u8*, u64 value) {
  ++guards_resumed;
  if (base->unwind == Unwind::kThrow) {
    if (base->context->tag != caught_tag) return 0;
    bool suspended;
    value = handle(base, suspended);
    if (suspended) RewriteFrame(base, kGuard0);
  }
  return value;
}

// ---- pausing: pauses before each of `a` steps ----

u64 pausing_resume(Instance* base, u32, u8* frame, u64) {
  const u32 left = frame_get32(frame, 0) - 1;
  if (left == 0) return 33;
  PushPause(base, kPause);
  frame_put32(RewriteFrame(base, kPausing0), 0, left);
  return 0;
}
u32 pausing(Instance* base, u32 a0) {
  PushPause(base, kPause);
  frame_put32(PushFrame(base, kPausing0), 0, a0);
  return 0;
}

const SiteInfo kSiteInfos[kSites] = {{nullptr, 0, false},       {nullptr, 0, false},
                                     {guard_resume, 0, true},   {plain_resume, 0, false},
                                     {leaf_resume, 0, false},   {leaf_resume, 1, false},
                                     {pausing_resume, 0, false}};
const u16 kSiteWords[kSites] = {4, 2, 4, 6, 4, 4, 4};

// ---- The embedder ----

std::vector<std::vector<u64>> kept_values;
std::vector<Exception> kept;
u32 most_kept;

class Unwinding : public testing::Test {
 protected:
  static constexpr u32 kInstances = 3;

  Unwinding() : scratch_(8192), results_(8), storage_(4096) {
    module_.sites = kSiteInfos;
    module_.site_words = kSiteWords;
    module_.site_count = kSites;
    for (u32 i = 0; i < kInstances; ++i) {
      instances_[i].store = &store_;
      instances_[i].module = &module_;
      instances_[i].index = i;
      list_[i] = &instances_[i];
    }
    store_.instances = list_;
    store_.instance_count = kInstances;
    store_.keep = [](Store* store, u32 tag, const u64* values, u32 payload) -> ref {
      if (kept.size() == most_kept) return 0;
      kept_values.push_back({values, values + payload});
      kept.push_back({tag, payload, kept_values.back().data()});
      store->exceptions = kept.data();
      store->exception_count = static_cast<u32>(kept.size());
      return store->exception_count;
    };
    kept.clear();
    kept_values.clear();
    most_kept = 10;
    leaf_does = Leaf::kReturn;
    plain_resumed = guards_resumed = 0;
    caught_tag = 7;
    ask_in_handler = false;
    context_.scratch_begin = reinterpret_cast<u8*>(scratch_.data());
    context_.scratch_end = reinterpret_cast<u8*>(scratch_.data() + scratch_.size());
    context_.scratch_top = context_.scratch_end;
    context_.results = results_.data();
    context_.results_capacity = static_cast<u32>(results_.size());
    activation_.frames = reinterpret_cast<u8*>(storage_.data());
    activation_.capacity = static_cast<u32>(storage_.size() * 8);
  }

  Exit Run(T0 function, u32 argument) {
    const Function f = {reinterpret_cast<AnyFunction>(function), &instances_[0], 0, 0};
    const u64 slot = argument;
    return Enter(context_, activation_, f, invoke_0, &slot);
  }
  Exit Answer(u64 value) { return Resume(context_, activation_, &value, 1); }
  u64 OpArgument() const {
    return frame_get64(
        activation_.frames + activation_.size - LastFooter(activation_).words * kFrameWord, 0);
  }
  void ExpectReturned(u64 value) {
    EXPECT_EQ(activation_.value, value);
    EXPECT_EQ(activation_.size, 0u);
    EXPECT_EQ(activation_.depth, 0u);
    ExpectClean();
  }
  void ExpectUncaught() {
    EXPECT_EQ(activation_.trap, Trap::kUncaughtException);
    EXPECT_EQ(activation_.size, 0u);
    EXPECT_EQ(activation_.depth, 0u);
    ExpectClean();
  }
  void ExpectClean() {
    EXPECT_EQ(context_.scratch_top, context_.scratch_end);
    EXPECT_EQ(context_.pushed, 0u);
    EXPECT_EQ(context_.entry, nullptr);
    EXPECT_EQ(context_.activation, nullptr);
    for (const Instance& instance : instances_) EXPECT_EQ(instance.unwind, Unwind::kNone);
  }

  std::vector<u64> scratch_, results_, storage_;
  Context context_{};
  Activation activation_{};
  Store store_{};
  ModuleInfo module_{};
  Instance instances_[kInstances]{};
  Instance* list_[kInstances];
};

// ---- Exceptions ----

TEST_F(Unwinding, ExceptionsAreCaughtOnTheNativeStack) {
  leaf_does = Leaf::kReturn;
  ASSERT_EQ(Run(guard, 5), Exit::kReturned);
  ExpectReturned(0 + 6);
  leaf_does = Leaf::kThrow;
  ASSERT_EQ(Run(guard, 5), Exit::kReturned);
  ExpectReturned(0 + 1);  // the payload of leaf(0)
  ASSERT_EQ(Run(guard, 205), Exit::kReturned);
  ExpectReturned(0 + 1);
  EXPECT_EQ(guards_resumed + plain_resumed, 0u);
}

TEST_F(Unwinding, FramesThatCannotCatchAreDroppedTheOthersAsked) {
  leaf_does = Leaf::kOpThenThrow;
  ASSERT_EQ(Run(guard, 203), Exit::kSuspended);
  EXPECT_EQ(activation_.depth, 3u + 4 + 1 + 1);  // guards, plains, leaf, op
  ASSERT_EQ(Answer(0), Exit::kReturned);
  ExpectReturned(1);
  EXPECT_EQ(plain_resumed, 0u);
  EXPECT_EQ(guards_resumed, 3u);  // the innermost caught it, the others went on
}

TEST_F(Unwinding, HandlersThatAreNotForTheTagPassTheExceptionOn) {
  caught_tag = 8;
  leaf_does = Leaf::kOpThenThrow;
  ASSERT_EQ(Run(guard, 203), Exit::kSuspended);
  ASSERT_EQ(Answer(0), Exit::kTrapped);
  ExpectUncaught();
  EXPECT_EQ(guards_resumed, 3u);
  EXPECT_EQ(plain_resumed, 0u);
  // And on the native stack.
  leaf_does = Leaf::kThrow;
  ASSERT_EQ(Run(guard, 203), Exit::kTrapped);
  ExpectUncaught();
  EXPECT_EQ(guards_resumed, 3u);
}

TEST_F(Unwinding, ASecondSuspensionChangesNothing) {
  leaf_does = Leaf::kTwoOpsThenThrow;
  ASSERT_EQ(Run(guard, 2), Exit::kSuspended);
  ASSERT_EQ(Answer(0), Exit::kSuspended);
  EXPECT_EQ(OpArgument(), 1000u);
  EXPECT_EQ(activation_.depth, 1u + 3 + 1 + 1);
  ASSERT_EQ(Answer(0), Exit::kReturned);
  ExpectReturned(1);
}

TEST_F(Unwinding, HandlersMaySuspend) {
  ask_in_handler = true;
  for (const Leaf does : {Leaf::kThrow, Leaf::kOpThenThrow}) {
    leaf_does = does;
    Exit exit = Run(guard, 203);
    if (does == Leaf::kOpThenThrow) {
      ASSERT_EQ(exit, Exit::kSuspended);
      exit = Answer(0);
    }
    ASSERT_EQ(exit, Exit::kSuspended);
    EXPECT_EQ(OpArgument(), 1u);
    EXPECT_EQ(activation_.depth, 3u + 1);  // the guards and the op
    EXPECT_EQ(activation_.size, (3 * 2 + 2) * 8u);
    ExpectClean();
    ASSERT_EQ(Answer(55), Exit::kReturned);
    ExpectReturned(55);
  }
}

TEST_F(Unwinding, UncaughtExceptionsAreKeptForTheHost) {
  leaf_does = Leaf::kThrow;
  ASSERT_EQ(Run(plain, 2), Exit::kTrapped);
  ExpectUncaught();
  EXPECT_EQ(activation_.trapped.exception, 1u);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].tag, 7u);
  EXPECT_EQ(kept_values[0], (std::vector<u64>{0, 1}));
  leaf_does = Leaf::kOpThenThrow;
  ASSERT_EQ(Run(plain, 101), Exit::kSuspended);
  ASSERT_EQ(Answer(0), Exit::kTrapped);
  ExpectUncaught();
  EXPECT_EQ(activation_.trapped.exception, 2u);
  EXPECT_EQ(kept_values[1], (std::vector<u64>{100, 101}));
  // No room, or nobody who keeps them.
  most_kept = 2;
  leaf_does = Leaf::kThrow;
  ASSERT_EQ(Run(plain, 2), Exit::kTrapped);
  ExpectUncaught();
  EXPECT_EQ(activation_.value, 0u);
  store_.keep = nullptr;
  ASSERT_EQ(Run(plain, 2), Exit::kTrapped);
  ExpectUncaught();
  EXPECT_EQ(activation_.value, 0u);
}

// Keeps the exception that `leaf` throws, and throws it again by its reference. Arguments from 1000
// on stand for references of the test's choice.
u32 throw_again(Instance* base, u32 a0) {
  ref exception = a0 - 1000;
  if (a0 < 1000) {
    leaf(base, a0);
    exception = KeepException(base);
    Catch(base);
    base->context->results[0] = base->context->results[1] = 99;  // others use it meanwhile
  }
  ThrowRef(base, exception);
  return 0;
}
u32 catch_again(Instance* base, u32 a0) {
  throw_again(base, a0);
  if (base->unwind != Unwind::kThrow || base->context->tag != 7) return 0;
  bool suspended;
  return static_cast<u32>(handle(base, suspended));
}

TEST_F(Unwinding, ExceptionsAreThrownAgainByReference) {
  leaf_does = Leaf::kThrow;
  ASSERT_EQ(Run(catch_again, 20), Exit::kReturned);
  ExpectReturned(20 + 21);
  ASSERT_EQ(Run(catch_again, 1001), Exit::kReturned);  // the first that was kept
  ExpectReturned(20 + 21);
  for (const u32 reference : {1000u, 1002u}) {  // null, and one that names nothing
    ASSERT_EQ(Run(catch_again, reference), Exit::kTrapped);
    EXPECT_EQ(activation_.trap, Trap::kNullExceptionReference);
    ExpectClean();
  }
  most_kept = 1;
  ASSERT_EQ(Run(catch_again, 20), Exit::kTrapped);
  EXPECT_EQ(activation_.trap, Trap::kExceptionsExhausted);
  ExpectClean();
}

// ---- Pauses ----

TEST_F(Unwinding, PausesRunOnWithoutAnAnswer) {
  ASSERT_EQ(Run(pausing, 3), Exit::kOutOfFuel);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(activation_.depth, 2u);
    EXPECT_EQ(activation_.size, (2 + 1) * 8u);
    EXPECT_EQ(LastFooter(activation_).site, kPause);
    ExpectClean();
    ASSERT_EQ(Resume(context_, activation_, nullptr, 0), Exit::kOutOfFuel);
  }
  ASSERT_EQ(Resume(context_, activation_, nullptr, 0), Exit::kReturned);
  ExpectReturned(33);
}

TEST_F(Unwinding, PausesAndExceptionsMix) {
  leaf_does = Leaf::kPauseThenThrow;
  ASSERT_EQ(Run(guard, 103), Exit::kOutOfFuel);
  EXPECT_EQ(activation_.depth, 2u + 4 + 1 + 1);
  ASSERT_EQ(Resume(context_, activation_, nullptr, 0), Exit::kReturned);
  ExpectReturned(1);
}

// ---- Tail calls ----

// bounce: as many tail calls as its argument says, then leaf(100); its body and its wrapper.
FunctionInfo bouncers[2];
Function bounce_value(Instance* instance) { return {bouncers[0].code, instance, 0, 1}; }
u32 bounce_body(Instance* base, u32 a0) {
  if (a0 == 0) return leaf(base, 100);
  base->context->results[0] = a0 - 1;
  // To and fro between two instances.
  TailCall(base, bounce_value(base->store->instances[a0 % 2]), invoke_0);
  return 0;
}
u32 bounce(Instance* base, u32 a0) {
  const u32 value = bounce_body(base, a0);
  if (base->unwind == Unwind::kTailCall) return slot_u32(RunTailCalls(base));
  return value;
}
u32 add_one(Instance*, u32 a0) { return a0 + 1; }

class TailCalls : public Unwinding {
 protected:
  TailCalls() {
    bouncers[0] = {reinterpret_cast<AnyFunction>(bounce),     0, 0, true, true,
                   reinterpret_cast<AnyFunction>(bounce_body)};
    module_.functions = bouncers;
    module_.function_count = 1;
    for (Instance& instance : instances_) instance.function_base = 1;
  }
};

TEST_F(TailCalls, TakeTheStackOfOneCall) {
  context_.stack_limit = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - 64 * 1024;
  ASSERT_EQ(Run(bounce, 1000000), Exit::kReturned);
  ExpectReturned(100);
}

TEST_F(TailCalls, MayThrowAndSuspend) {
  leaf_does = Leaf::kThrow;
  ASSERT_EQ(Run(bounce, 10), Exit::kTrapped);
  ExpectUncaught();
  leaf_does = Leaf::kOpThenReturn;
  ASSERT_EQ(Run(bounce, 10), Exit::kSuspended);
  EXPECT_EQ(activation_.depth, 2u);  // leaf and the op: who made a tail call is gone
  EXPECT_EQ(OpArgument(), 100u);
  ASSERT_EQ(Answer(0), Exit::kReturned);
  ExpectReturned(100);
}

TEST_F(TailCalls, OfResumedFramesAreMadeByTheTrampoline) {
  // Its frame answers with a tail call instead of returning.
  static SiteInfo sites[kSites];
  memcpy(sites, kSiteInfos, sizeof sites);
  sites[kLeaf0].resume = [](Instance* base, u32, u8* frame, u64 value) -> u64 {
    base->context->results[0] = value;
    if (frame_get32(frame, 0) == 0) {
      TailCall(base, {reinterpret_cast<AnyFunction>(add_one), base, 0, 0}, invoke_0);
    } else {
      TailCall(base, bounce_value(base), invoke_0);
    }
    return 0;
  };
  module_.sites = sites;
  leaf_does = Leaf::kOpThenReturn;
  ASSERT_EQ(Run(plain, 2), Exit::kSuspended);
  ASSERT_EQ(Answer(40), Exit::kReturned);
  ExpectReturned(41 + 3);
  EXPECT_EQ(plain_resumed, 3u);
  // To a function that suspends in its place, again and again; then to one that throws.
  ASSERT_EQ(Run(guard, 100 + 0), Exit::kSuspended);
  ASSERT_EQ(Answer(1), Exit::kReturned);
  ExpectReturned(2 + 1);
  ASSERT_EQ(Run(plain, 101), Exit::kSuspended);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Answer(5), Exit::kSuspended);
    EXPECT_EQ(OpArgument(), 100u);
    EXPECT_EQ(activation_.depth, 2u + 1 + 1);  // plains, leaf, op
    ExpectClean();
  }
  leaf_does = Leaf::kThrow;
  ASSERT_EQ(Answer(5), Exit::kTrapped);
  ExpectUncaught();
}

}  // namespace
}  // namespace fermata::core
