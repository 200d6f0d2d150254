// The freestanding profile, compiled for this machine: generated classes and fermata/embedded.h.
// (Linked with the profile's core alone, not with the hosted runtime.)
#include "fermata/embedded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "embedded_device.h"
#include "embedded_nested.h"
#include "embedded_rationed.h"
#include "embedded_tight.h"
#include "embedded_tree.h"
#include "embedded_worker.h"

namespace fermata::embedded {

std::vector<Trap>& HookedTraps() {
  static std::vector<Trap> traps;
  return traps;
}
void OnTrap(Trap trap) { HookedTraps().push_back(trap); }

namespace {

using parts::Device;
using parts::Nested;
using parts::Rationed;
using parts::Tight;
using parts::Tree;
using parts::Worker;

// An address `bytes` away from the stack pointer: upward if positive.
const void* StackAt(intptr_t bytes) {
  return reinterpret_cast<const void*>(reinterpret_cast<intptr_t>(__builtin_frame_address(0)) +
                                       bytes);
}

// Imports that are plain calls: members, of any class.
struct Log {
  int flushes = 0;
  double last = 0;
  Device* device = nullptr;  // called back
  int32_t log_note(int32_t value, double with) {
    last = with;
    if (device == nullptr) return value * 2;
    const auto nested = device->twice(value);
    return nested.finished() ? static_cast<int32_t>(nested.value()) : -1;
  }
  void log_flush() { ++flushes; }
};

static_assert(std::is_trivially_default_constructible_v<Device>, "a static one is all zeros");
static_assert(sizeof(core::Machine) + sizeof(core::Instance) <= 2 * 256, "pointers of 8 bytes");

class Embedded : public testing::Test {
 protected:
  void SetUp() override {
    HookedTraps().clear();
    memset(static_cast<void*>(&device_), 0, sizeof device_);
    ASSERT_TRUE(device_.Start(log_).finished());
  }
  // Answers each read with ten times the pin.
  template <class Step>
  int Reads(Step& step) {
    int reads = 0;
    for (; step.suspended(); ++reads) {
      if (!step.template Is<Device::port_read>()) break;
      const int32_t pin = step.template Get<Device::port_read>().pin;
      EXPECT_TRUE(step.template Resume<Device::port_read>(pin * 10));
    }
    return reads;
  }
  template <class Outcome>
  void ExpectTrap(const Outcome& outcome, Trap trap) {
    EXPECT_TRUE(outcome.trapped());
    EXPECT_EQ(outcome.trap(), trap) << TrapMessage(outcome.trap());
    ASSERT_FALSE(HookedTraps().empty());
    EXPECT_EQ(HookedTraps().back(), trap);
  }

  static Device device_;
  Log log_;
};
Device Embedded::device_;

TEST_F(Embedded, FinishesWithoutSuspending) {
  auto step = device_.sum(0);
  EXPECT_TRUE(step.finished());
  EXPECT_EQ(step.value(), 0);
  EXPECT_EQ(device_.half(3).value(), 1.5f);
  EXPECT_EQ(device_.twice(int64_t{1} << 40).value(), int64_t{1} << 41);
}

TEST_F(Embedded, SuspendsAndResumes) {
  auto step = device_.sum(5);
  EXPECT_TRUE(step.suspended());
  EXPECT_FALSE(step.finished() || step.trapped() || step.paused());
  EXPECT_EQ(step.frame_bytes(), Device::sum_need::kFrameBytes);
  EXPECT_EQ(Reads(step), 5);
  ASSERT_TRUE(step.finished());
  EXPECT_EQ(step.value(), 100);
  EXPECT_EQ(step.frame_bytes(), 0u);
}

TEST_F(Embedded, FramesHoldValuesOfAllTypes) {
  auto step = device_.deep(1000, 2.5);
  EXPECT_TRUE(step.Is<Device::port_wait>());
  EXPECT_TRUE(step.Resume<Device::port_wait>());
  ASSERT_TRUE(step.Is<Device::port_scale>());
  EXPECT_FALSE(step.Is<Device::port_mix>());
  const auto scale = step.Get<Device::port_scale>();
  EXPECT_EQ(scale.a0, 1000);
  EXPECT_EQ(scale.a1, 2.5);
  EXPECT_TRUE(step.Resume<Device::port_scale>(0.125));
  ASSERT_TRUE(step.Is<Device::port_mix>());
  const auto mix = step.Get<Device::port_mix>();
  EXPECT_EQ(mix.a0, 2.5f);
  EXPECT_EQ(mix.a1, 1000);
  EXPECT_LE(step.frame_bytes(), Device::deep_need::kFrameBytes);
  EXPECT_EQ(step.frame_bytes(), Device::kFrameBytes - 4u);  // the deepest that there is
  EXPECT_TRUE(step.Resume<Device::port_mix>(int64_t{1} << 40));
  ASSERT_TRUE(step.finished());
  EXPECT_EQ(step.value(), 0.125 + ((int64_t{1} << 40) + 2) + 2.5);
}

TEST_F(Embedded, MisuseChangesNothing) {
  auto step = device_.sum(1);
  EXPECT_FALSE(step.Resume<Device::port_wait>());
  EXPECT_FALSE(step.Resume<Device::port_scale>(1.0));
  EXPECT_FALSE(step.Continue());
  EXPECT_EQ(Reads(step), 1);
  EXPECT_FALSE(step.Resume<Device::port_read>(1));
  EXPECT_TRUE(step.finished());
  EXPECT_DEATH((void)device_.byte(int32_t{1} << 20).value(), "");
}

TEST_F(Embedded, HoldsOneCall) {
  auto first = device_.sum(2);
  ExpectTrap(device_.sum(3), Trap::kCallStackExhausted);
  EXPECT_EQ(device_.twice(4).value(), 8);  // it can't suspend
  ExpectTrap(device_.divide(1, 0), Trap::kIntegerDivideByZero);
  EXPECT_EQ(Reads(first), 2);
  EXPECT_EQ(first.value(), 10);
}

TEST_F(Embedded, StepsMoveAndCancel) {
  auto step = device_.sum(2);
  auto moved = std::move(step);
  EXPECT_TRUE(step.trapped());
  EXPECT_EQ(step.trap(), Trap::kCancelled);
  moved.Cancel();
  EXPECT_EQ(moved.trap(), Trap::kCancelled);
  { auto dropped = device_.sum(2); }
  step = device_.sum(1);
  step.Throw();
  EXPECT_EQ(step.trap(), Trap::kHost);
  step = device_.sum(1);
  EXPECT_EQ(Reads(step), 1);
  EXPECT_TRUE(step.finished());
}

TEST_F(Embedded, TablesNobodyChanges) {
  auto step = device_.apply(1, 6, 7);
  EXPECT_EQ(step.value(), 13);
  step = device_.apply(2, 6, 7);
  EXPECT_EQ(step.value(), 42);
  step = device_.apply(3, 6, 7);
  EXPECT_EQ(step.frame_bytes(), Device::apply_need::kFrameBytes);
  EXPECT_EQ(Reads(step), 1);
  EXPECT_EQ(step.value(), 73);
  auto square = device_.apply_square(4, 9);
  EXPECT_EQ(square.value(), 81);
  square = device_.apply_square(6, 9);  // the import itself
  EXPECT_EQ(Reads(square), 1);
  EXPECT_EQ(square.value(), 90);
  EXPECT_EQ(device_.apply_long(5).value(), 120);
  ExpectTrap(device_.apply(0, 1, 1), Trap::kUninitializedElement);
  ExpectTrap(device_.apply(4, 1, 1), Trap::kIndirectCallTypeMismatch);
  ExpectTrap(device_.apply_long(1), Trap::kIndirectCallTypeMismatch);
  ExpectTrap(device_.apply(7, 1, 1), Trap::kUndefinedElement);
  ExpectTrap(device_.apply(-1, 1, 1), Trap::kUndefinedElement);
}

TEST_F(Embedded, TablesThatChange) {
  EXPECT_EQ(device_.apply_changing(0, 6, 7).value(), 13);
  ExpectTrap(device_.apply_changing(1, 6, 7), Trap::kUninitializedElement);
  EXPECT_TRUE(device_.change(1).finished());
  EXPECT_EQ(device_.apply_changing(1, 6, 7).value(), 42);
  ExpectTrap(device_.change(2), Trap::kTableOutOfBounds);
  EXPECT_EQ(device_.grow_table(0).value(), 2);
  EXPECT_EQ(device_.grow_table(1).value(), -1);
}

TEST_F(Embedded, PlainCallsReachTheHost) {
  EXPECT_EQ(device_.note(21).value(), 43);
  EXPECT_EQ(log_.flushes, 1);
  EXPECT_EQ(log_.last, 1.5);
  log_.device = &device_;  // which calls the guest again
  auto held = device_.sum(1);
  EXPECT_EQ(device_.note(20).value(), 42);
  EXPECT_EQ(Reads(held), 1);
  EXPECT_TRUE(held.finished());
}

TEST_F(Embedded, MemoryEndsWhereTheBuildSays) {
  static_assert(Device::kMemoryBytes == 2048);
  EXPECT_EQ(device_.memory().size(), 2048u);
  EXPECT_EQ(memcmp(device_.memory().data() + 16, "data in flash", 13), 0);
  EXPECT_EQ(device_.byte(16).value(), 'd');
  EXPECT_EQ(device_.byte(2047).value(), 0);
  ExpectTrap(device_.byte(2048), Trap::kMemoryOutOfBounds);
  ExpectTrap(device_.byte(-1), Trap::kMemoryOutOfBounds);
  EXPECT_TRUE(device_.put(2040, 0x01020304).finished());
  uint32_t word = 0;
  EXPECT_TRUE(device_.memory().Read(2044, word));
  EXPECT_EQ(word, 0x01020304u);
  EXPECT_FALSE(device_.memory().Read(2045, word));
  EXPECT_FALSE(device_.memory().Write(0xffffffff, word));
  EXPECT_TRUE(device_.memory().Span(2048, 0));
  EXPECT_FALSE(device_.memory().Span(2047, 2));
  ExpectTrap(device_.put(2041, 1), Trap::kMemoryOutOfBounds);
  EXPECT_TRUE(device_.late(2043).finished());
  EXPECT_EQ(device_.byte(2047).value(), 'r');
  ExpectTrap(device_.late(2044), Trap::kMemoryOutOfBounds);
  EXPECT_EQ(device_.grow(0).value(), 1);
  EXPECT_EQ(device_.grow(1).value(), -1);
}

TEST_F(Embedded, AccessesMayBeAnywhere) {
  for (uint32_t at = 64; at < 64 + 9; ++at) {
    for (uint32_t i = 0; i < 64; ++i) device_.memory().data()[64 + i] = static_cast<uint8_t>(3 * i);
    const auto byte = [&](uint32_t i) { return uint32_t{device_.memory().data()[at + i]}; };
    const uint32_t word = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
    const uint64_t high = byte(4) | byte(5) << 8 | byte(6) << 16 | byte(7) << 24;
    EXPECT_EQ(device_.word(at).value(), static_cast<int32_t>(word)) << at;
    EXPECT_EQ(device_.word_behind(at - 40).value(), static_cast<int32_t>(word)) << at;
    EXPECT_EQ(device_.wide(at).value(), static_cast<int64_t>(word | high << 32)) << at;
    EXPECT_EQ(device_.short_2(at).value(), static_cast<int16_t>(word)) << at;
    EXPECT_TRUE(device_.put_wide(at - 8, 0x0102030405060708).finished());
    EXPECT_EQ(device_.wide(at).value(), 0x0102030405060708) << at;
    EXPECT_TRUE(device_.put_short(at, 0xfffe).finished());
    EXPECT_EQ(device_.wide(at).value(), 0x010203040506fffe) << at;
  }
  for (int32_t at = 2036; at < 2060; ++at) {
    EXPECT_EQ(device_.word(at).trapped(), at > 2044) << at;
    EXPECT_EQ(device_.word_behind(at - 40).trapped(), at > 2044) << at;
    EXPECT_EQ(device_.wide(at).trapped(), at > 2040) << at;
    EXPECT_EQ(device_.short_2(at).trapped(), at > 2046) << at;
    EXPECT_EQ(device_.put_wide(at - 8, 1).trapped(), at > 2040) << at;
    EXPECT_EQ(device_.put_short(at, 1).trapped(), at > 2046) << at;
  }
  for (const int32_t at : {-1, -2, -3, -4, -8, -40, -44}) {
    EXPECT_TRUE(device_.word(at).trapped()) << at;
    EXPECT_TRUE(device_.word_behind(at).trapped()) << at;  // no sum wraps
    EXPECT_TRUE(device_.wide(at).trapped()) << at;
    EXPECT_TRUE(device_.put_wide(at, 1).trapped()) << at;
  }
}

TEST_F(Embedded, TrapsAfterAResumption) {
  auto step = device_.trap_after_read();
  EXPECT_EQ(Reads(step), 1);
  ExpectTrap(step, Trap::kUnreachable);
  EXPECT_EQ(step.frame_bytes(), 0u);
  auto again = device_.sum(1);
  EXPECT_EQ(Reads(again), 1);
  EXPECT_TRUE(again.finished());
}

TEST_F(Embedded, ExceptionsGoThroughFrames) {
  auto step = device_.catch_2(0);
  EXPECT_EQ(Reads(step), 1);
  ASSERT_TRUE(step.finished());
  EXPECT_EQ(step.value(), 42);
  auto uncaught = device_.throw_2(0);
  EXPECT_EQ(Reads(uncaught), 1);
  ExpectTrap(uncaught, Trap::kUncaughtException);
  auto none = device_.throw_2(1);
  EXPECT_EQ(Reads(none), 1);
  EXPECT_EQ(none.value(), 1);
}

TEST_F(Embedded, StartsAnew) {
  EXPECT_TRUE(device_.put(96, 5).finished());
  EXPECT_TRUE(device_.change(0).finished());
  auto held = device_.sum(2);
  held.Cancel();
  ASSERT_TRUE(device_.Start(log_).finished());
  EXPECT_EQ(device_.byte(100).value(), 0);
  EXPECT_EQ(device_.apply_changing(0, 6, 7).value(), 13);
  EXPECT_EQ(device_.note(1).value(), 3);  // its count is 0 again
}

TEST_F(Embedded, AStepOfAnEarlierLifeIsCancelled) {
  auto old = device_.sum(2);
  ASSERT_TRUE(device_.Start(log_).finished());
  EXPECT_TRUE(old.trapped());
  EXPECT_EQ(old.trap(), Trap::kCancelled);
  EXPECT_FALSE(old.suspended());
  auto step = device_.sum(2);
  EXPECT_FALSE(old.Resume<Device::port_read>(1));
  old.Cancel();  // not what is held now
  EXPECT_EQ(Reads(step), 2);
  EXPECT_EQ(step.value(), 10);
}

TEST(EmbeddedStart, CallsBeforeItTrap) {
  static Device device;
  const auto outcome = device.twice(1);
  EXPECT_EQ(outcome.trap(), Trap::kHost);
  auto step = device.sum(1);
  EXPECT_EQ(step.trap(), Trap::kHost);
}

TEST(EmbeddedStack, CallsThatNeedMoreThanThereIsTrap) {
  static Device device;
  Log log;
  ASSERT_TRUE(device.Start(log, StackAt(-65536)).finished());
  EXPECT_EQ(device.twice(1).value(), 2);
  ASSERT_TRUE(device.Start(log, StackAt(65536)).trapped());
}

// Resumes the step where there is less of the native stack left.
template <class Step>
__attribute__((noinline)) bool ResumeDeeper(Step& step, size_t bytes) {
  volatile char room[4096];
  for (size_t i = 0; i < sizeof room; ++i) room[i] = static_cast<char>(bytes);
  const bool resumed = bytes > sizeof room ? ResumeDeeper(step, bytes - sizeof room)
                                           : step.template Resume<Device::port_read>(1);
  room[0] = 0;  // no tail call
  return resumed;
}

TEST(EmbeddedStack, ResumingTakesAsMuch) {
  static Device device;
  Log log;
  ASSERT_TRUE(device.Start(log, StackAt(-32768)).finished());
  auto step = device.sum(1);
  EXPECT_TRUE(ResumeDeeper(step, 16384));
  EXPECT_EQ(step.value(), 1);
  step = device.sum(1);
  EXPECT_TRUE(ResumeDeeper(step, 65536));
  EXPECT_EQ(step.trap(), Trap::kCallStackExhausted);
  step = device.sum(1);  // nothing is held any more
  EXPECT_TRUE(step.suspended());
}

// ---- Frames ----

// What embedded_nested.wat does, with answers that depend on all that came before.
struct NestedModel {
  int64_t Read(int64_t a, int64_t b) {
    ++suspensions;
    return a + 2 * b % 1000;
  }
  int64_t Leaf(int64_t a, int32_t n) {
    int64_t t = 0;
    for (; n != 0; --n, ++suspensions) t += Read(a, t);
    return t + a;
  }
  int64_t Middle(int64_t a, double b, int32_t n) {
    int64_t t = 0;
    for (; n != 0; --n, ++suspensions) t += Leaf(a, n) + static_cast<int64_t>(b);
    return t;
  }
  int64_t Top(int32_t n) {
    int64_t t = 0;
    for (const int32_t k = n; n != 0; --n, ++suspensions) t += Middle(n, k, k);
    return t;
  }
  int suspensions = 0;
};

// The room that the translator finds is enough, and all of it is used.
TEST(EmbeddedFrames, TheDeepestCallFitsExactly) {
  static Nested nested;
  static_assert(Nested::kFrameBytes == Nested::top_need::kFrameBytes);
  ASSERT_TRUE(nested.Start().finished());
  NestedModel model;
  const int64_t expected = model.Top(6);
  int suspensions = 0;
  uint32_t most = 0;
  auto step = nested.top(6);
  for (; step.suspended(); ++suspensions) {
    most = std::max(most, step.frame_bytes());
    if (step.Is<Nested::p_read>()) {
      const auto [a, b] = step.Get<Nested::p_read>();
      EXPECT_TRUE(step.Resume<Nested::p_read>(a + 2 * b % 1000));
    } else {
      EXPECT_TRUE(step.Resume<Nested::p_nop>());
    }
  }
  ASSERT_TRUE(step.finished()) << TrapMessage(step.trap());
  EXPECT_EQ(step.value(), expected);
  EXPECT_EQ(suspensions, model.suspensions);
  EXPECT_EQ(most, Nested::kFrameBytes);
}

TEST(EmbeddedFrames, EightBytesLessAreTooFew) {
  static Tight tight;
  ASSERT_TRUE(tight.Start().finished());
  auto step = tight.top(2);
  while (step.Is<Tight::p_nop>()) EXPECT_TRUE(step.Resume<Tight::p_nop>());
  EXPECT_EQ(step.trap(), Trap::kCallStackExhausted);
  EXPECT_EQ(step.frame_bytes(), 0u);
  step = tight.top(2);
  EXPECT_TRUE(step.suspended());
}

// ---- Pauses ----

TEST(EmbeddedPauses, AnInterruptPausesACallThatComputes) {
  static Worker worker;
  ASSERT_TRUE(worker.Start().finished());
  auto whole = worker.run(1000);
  ASSERT_TRUE(whole.finished());
  worker.Interrupt();
  auto step = worker.run(1000);
  int pauses = 0;
  while (step.paused()) {
    EXPECT_TRUE(step.interrupted());
    EXPECT_LE(step.frame_bytes(), Worker::run_need::kFrameBytes);
    EXPECT_FALSE(step.suspended());
    if (++pauses < 100) worker.Interrupt();
    EXPECT_TRUE(step.Continue());
  }
  EXPECT_EQ(pauses, 100);
  EXPECT_EQ(step.value(), whole.value());
}

TEST(EmbeddedPauses, FuelIsCounted) {
  static Rationed worker;
  ASSERT_TRUE(worker.Start().finished());
  const auto whole = worker.run(1000);
  ASSERT_TRUE(whole.finished());  // there is plenty
  worker.SetFuel(100);
  auto step = worker.run(1000);
  int pauses = 0;
  for (; step.paused(); ++pauses) {
    EXPECT_TRUE(step.out_of_fuel());
    EXPECT_EQ(worker.fuel(), 0);
    worker.SetFuel(100);
    EXPECT_TRUE(step.Continue());
  }
  EXPECT_GE(pauses, 9);
  EXPECT_LE(pauses, 10);
  EXPECT_EQ(step.value(), whole.value());
}

// ---- Recursion ----

TEST(EmbeddedRecursion, StartMaySuspend) {
  static Tree tree;
  auto start = tree.Start(StackAt(-65536));
  ASSERT_TRUE(start.Is<Tree::port_read>());
  EXPECT_EQ(start.Get<Tree::port_read>().a0, -1);
  EXPECT_TRUE(start.Resume<Tree::port_read>(7));
  ASSERT_TRUE(start.finished());
  auto step = tree.visit(10);
  ASSERT_TRUE(step.Is<Tree::port_read>());
  EXPECT_EQ(step.Get<Tree::port_read>().a0, 7);
  EXPECT_TRUE(step.Resume<Tree::port_read>(100));
  EXPECT_EQ(step.value(), 110);
  // Suspends at every depth at which the frames have room, and at no other.
  int32_t depth = 0;
  for (; depth < 1000; ++depth) {
    step = tree.visit(depth);
    if (!step.suspended()) break;
    EXPECT_LE(step.frame_bytes(), 512u);
    EXPECT_TRUE(step.Resume<Tree::port_read>(1));
    EXPECT_EQ(step.value(), depth + 1);
  }
  EXPECT_EQ(depth, (512 - 16) / 8);  // the op takes 16 bytes, each call 8
  EXPECT_EQ(step.trap(), Trap::kCallStackExhausted);
  auto even = tree.even(100000);  // tail calls
  EXPECT_EQ(even.frame_bytes(), Tree::even_need::kFrameBytes);
  EXPECT_TRUE(even.Resume<Tree::port_read>(3));
  EXPECT_EQ(even.value(), 3);
}

TEST(EmbeddedRecursion, TheNativeStackIsChecked) {
  static Tree tree;
  auto start = tree.Start(StackAt(-65536));
  EXPECT_TRUE(start.Resume<Tree::port_read>(7));
  EXPECT_EQ(tree.plain(20).value(), 20);
  const auto endless = tree.plain(1 << 30);
  EXPECT_EQ(endless.trap(), Trap::kCallStackExhausted);
  EXPECT_EQ(tree.plain(20).value(), 20);
}

}  // namespace
}  // namespace fermata::embedded
