// Objects of a guest, and the collector beneath: calls that are held, paths through the host,
// snapshots, exhaustion. Each test also runs with all objects moved at every allocation.
#include "fermata/core/objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fermata/dynamic.h"
#include "fermata/objects.h"
#include "fermata/snapshot.h"
#include "objects_guest.h"

namespace {

using fermata::AnyRef;
using fermata::DynamicInstance;
using fermata::DynamicStep;
using fermata::ExternRef;
using fermata::Limits;
using fermata::Match;
using fermata::Step;
using fermata::StoreHandle;
using fermata::Trap;
using fermata::Value;
using heap::guests::Objects;
using testing::HasSubstr;

// 1 + 2 + … + n.
int32_t Sum(int32_t n) { return n * (n + 1) / 2; }

class GuestObjects : public testing::TestWithParam<uint32_t> {
 protected:
  static Limits LimitsOf(uint64_t heap_bytes = 64u << 20) {
    Limits limits;
    limits.heap_bytes = heap_bytes;
    limits.heap_stress = GetParam();
    return limits;
  }
  std::unique_ptr<Objects> Make(const Limits& limits = LimitsOf()) {
    auto made = Objects::Create(limits);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }
  // Answers ops until the call has ended.
  template <class R>
  static void Run(Step<R, Objects>& step) {
    while (step.suspended()) {
      step.Answer(Match{[](const Objects::host_pause&) {},
                        [](const Objects::host_show&) { return 1; },
                        [](const Objects::host_again&) { return 0; }});
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Stress, GuestObjects, testing::Values(0u, 1u, 100u), [](const auto& info) {
  return info.param == 0 ? "Usual" : info.param == 1 ? "EveryAllocation" : "Often";
});

TEST_P(GuestObjects, AreMadeAndCollected) {
  auto guest = Make();
  auto list = guest->make(100);
  ASSERT_TRUE(list.finished()) << list.message();
  auto sum = guest->sum(list.value());
  EXPECT_EQ(sum.value(), Sum(100));
  // 100 times the heap.
  auto litter = guest->litter(GetParam() == 1 ? 1000 : 64000, 100000);
  ASSERT_TRUE(litter.finished()) << litter.message();
  EXPECT_EQ(litter.value(), 100000);
  EXPECT_EQ(guest->sum(list.value()).value(), Sum(100));
}

TEST_P(GuestObjects, OfHeldCallsAreMovedWithThem) {
  auto guest = Make();
  auto held = guest->held(50);
  auto shown = guest->shown(60);
  ASSERT_TRUE(held.suspended());
  ASSERT_TRUE(shown.suspended());
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  // The op's reference is read again: it can be given back to the guest.
  const auto* show = shown.op_if<Objects::host_show>();
  ASSERT_NE(show, nullptr);
  EXPECT_EQ(guest->take(show->a0).value(), Sum(60));
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  EXPECT_EQ(guest->take(shown.op_if<Objects::host_show>()->a0).value(), Sum(60));
  Run(held);
  Run(shown);
  EXPECT_EQ(held.value(), 2 * Sum(50));
  EXPECT_EQ(shown.value(), Sum(60) + 1);
}

TEST_P(GuestObjects, ResultsStayRight) {
  auto guest = Make();
  auto given = guest->give(30);
  ASSERT_TRUE(given.finished());
  const AnyRef first = given.value();
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  EXPECT_EQ(guest->take(given.value()).value(), Sum(30));
  EXPECT_TRUE(first);
  EXPECT_EQ(guest->take(AnyRef{}).value(), 0);
}

TEST_P(GuestObjects, ReferencesOfHostsAndNumbers) {
  auto guest = Make();
  const ExternRef mine{5 << 2 | fermata::core::kHostTag};
  const AnyRef any = guest->any(mine).value();
  EXPECT_EQ(any.handle, mine.handle);
  EXPECT_EQ(guest->take(any).value(), -1);  // not a list
  EXPECT_EQ(guest->extern_2(any).value(), mine);
  const AnyRef number = guest->i31(-7).value();
  EXPECT_EQ(number.handle & 1, fermata::core::kI31Tag);
  EXPECT_EQ(guest->take(number).value(), -1);
}

TEST_P(GuestObjects, InGlobalsTablesAndSegments) {
  auto guest = Make();
  ASSERT_TRUE(guest->keep(40).finished());
  EXPECT_EQ(guest->from_segment().value(), 11);
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  EXPECT_EQ(guest->kept_sum().value(), Sum(40));
  EXPECT_EQ(guest->constant().value(), 15);
  EXPECT_EQ(guest->from_segment().value(), 11);
}

TEST_P(GuestObjects, OfEveryKindOfField) {
  auto guest = Make();
  auto square = guest->square(12);
  auto wide = guest->wide(100);
  auto array = guest->array(20);
  ASSERT_TRUE(square.suspended());
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  Run(square);
  Run(wide);
  Run(array);
  EXPECT_EQ(square.value(), 12 - 3 + 12);
  EXPECT_EQ(wide.value(), 0x123456789);
  int32_t sum = 0;
  for (int32_t n = 0; n < 20; ++n) sum += Sum(n);
  EXPECT_EQ(array.value(), sum);
}

TEST_P(GuestObjects, InExceptions) {
  auto guest = Make();
  auto thrown = guest->thrown(20);
  ASSERT_TRUE(thrown.suspended());
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  Run(thrown);
  ASSERT_TRUE(thrown.finished()) << thrown.message();
  EXPECT_EQ(thrown.value(), Sum(20) + 100);

  auto uncaught = guest->uncaught(10);
  ASSERT_TRUE(uncaught.trapped());
  EXPECT_EQ(uncaught.trap(), Trap::kUncaughtException);
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  const fermata::Thrown* exception = uncaught.dynamic().exception();
  ASSERT_NE(exception, nullptr);
  EXPECT_EQ(guest->take(AnyRef{exception->values[0].ref()}).value(), Sum(10));
}

TEST_P(GuestObjects, ExceptionsThatNobodyRefersToAreFreed) {
  Limits limits = LimitsOf(1u << 20);
  limits.exceptions = 100000;
  auto guest = Make(limits);
  const int32_t n = GetParam() == 1 ? 2000 : 300000;
  auto many = guest->many_exceptions(n);
  ASSERT_TRUE(many.finished()) << many.message();
  EXPECT_EQ(many.value(), n);
}

// An import calls the guest again: nothing is moved then, the heap grows.
TEST_P(GuestObjects, OfCallsWithinCalls) {
  StoreHandle store(LimitsOf());
  fermata::Imports imports;
  Objects* guest = nullptr;
  auto again =
      store.MakeFunction("again", {{fermata::ValType::kI32}, {fermata::ValType::kI32}},
                         [&](absl::Span<const uint64_t> arguments, absl::Span<uint64_t> results) {
                           auto list = guest->make(static_cast<int32_t>(arguments[0]));
                           if (!list.finished() || !guest->litter(100, 10000).finished())
                             return Trap::kHost;
                           results[0] = static_cast<uint32_t>(guest->sum(list.value()).value());
                           return Trap::kNone;
                         });
  ASSERT_TRUE(again.ok()) << again.status();
  imports.Add("host", "again", *again);
  auto made = Objects::Create(store, std::move(imports));
  ASSERT_TRUE(made.ok()) << made.status();
  guest = made->get();
  for (int32_t n = 1; n < 100; n += 20) {
    auto nested = guest->nested(n);
    ASSERT_TRUE(nested.finished()) << nested.message();
    EXPECT_EQ(nested.value(), 2 * Sum(n));
  }
}

TEST_P(GuestObjects, ExhaustionIsATrap) {
  auto guest = Make(LimitsOf(1u << 20));
  auto held = guest->held(100);
  ASSERT_TRUE(held.suspended());
  for (const int32_t size : {2 << 20, 0x7fffffff, -1}) {
    auto litter = guest->litter(1, size);
    ASSERT_TRUE(litter.trapped()) << size;
    EXPECT_EQ(litter.trap(), Trap::kHeapExhausted);
    EXPECT_EQ(litter.message(), "heap exhausted");
  }
  if (GetParam() != 1) {
    EXPECT_EQ(guest->make(1000000).trap(), Trap::kHeapExhausted);
  }
  EXPECT_TRUE(guest->litter(100, 100000).finished());
  Run(held);
  EXPECT_EQ(held.value(), 2 * Sum(100));
}

TEST_P(GuestObjects, AreSavedAndRestored) {
  auto guest = Make();
  ASSERT_TRUE(guest->keep(10).finished());
  auto held = guest->held(50);
  auto thrown = guest->thrown(20);
  const DynamicStep* steps[] = {&held.dynamic(), &thrown.dynamic()};
  const absl::StatusOr<std::string> bytes = fermata::Save(*guest->store(), steps);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  // The same store has the same bytes.
  EXPECT_EQ(*fermata::Save(*guest->store(), steps), *bytes);

  fermata::RestoreHost host;
  host.modules = {&heap::guests::ObjectsModuleInfo()};
  host.limits = LimitsOf();
  for (int round = 0; round < 2; ++round) {
    auto restored = fermata::Restore(*bytes, host);
    ASSERT_TRUE(restored.ok()) << restored.status();
    auto other = Objects::Of_(*restored->instances[0]);
    ASSERT_TRUE(other->litter(1000, 50000).finished());
    EXPECT_EQ(other->kept_sum().value(), Sum(10));
    Step<int32_t, Objects> first(std::move(restored->steps[0]));
    Step<int32_t, Objects> again(std::move(restored->steps[1]));
    Run(first);
    EXPECT_EQ(first.value(), 2 * Sum(50));
    Run(again);
    EXPECT_EQ(again.value(), Sum(20) + 100);
  }

  auto forked = fermata::Fork(*guest->store(), steps);
  ASSERT_TRUE(forked.ok()) << forked.status();
  Step<int32_t, Objects> fork(std::move(forked->steps[0]));
  Run(held);
  Run(thrown);
  Run(fork);
  EXPECT_EQ(held.value(), 2 * Sum(50));
  EXPECT_EQ(fork.value(), 2 * Sum(50));
}

// ---- Hosts ----

// The index of the type that a list, a square, an array of references or of bytes has in the module.
constexpr uint32_t kList = 0, kSquare = 2, kRefs = 3, kBytes = 4;

TEST_P(GuestObjects, HostsMakeReadAndWriteThem) {
  auto guest = Make();
  fermata::Objects objects(*guest->store());
  const DynamicInstance& of = *guest->instance();
  const auto end = objects.MakeStruct(of, kList, {{Value::I32(4), Value::AnyRef(0)}});
  ASSERT_TRUE(end.ok()) << end.status();
  const auto list = objects.MakeStruct(of, kList, {{Value::I32(5), *end}});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(objects.KindOf(*list), fermata::ObjectKind::kStruct);
  EXPECT_TRUE(objects.Is(*list, of, kList));
  EXPECT_FALSE(objects.Is(*list, of, kBytes));
  EXPECT_EQ(objects.Get(*list, 0)->i32(), 5u);
  EXPECT_EQ(objects.Get(*list, 1)->ref(), end->ref());
  EXPECT_TRUE(objects.Set(*end, 1, Value::AnyRef(0)).ok());
  fermata::Kept kept = objects.Keep(*list);
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  EXPECT_EQ(guest->take(AnyRef{kept.value().ref()}).value(), 9);
  EXPECT_EQ(objects.Get(kept.value(), 0)->i32(), 5u);

  const auto square = objects.MakeStruct(
      of, kSquare, {{Value::F64(2.5), Value::I64(1ull << 40), Value::I32(0x1ff)}});
  ASSERT_TRUE(square.ok()) << square.status();
  EXPECT_EQ(objects.Get(*square, 0)->f64(), 2.5);
  EXPECT_EQ(objects.Get(*square, 1)->i64(), 1ull << 40);
  EXPECT_EQ(objects.Get(*square, 2)->i32(), 0xffu);
}

TEST_P(GuestObjects, HostsMakeArrays) {
  auto guest = Make();
  fermata::Objects objects(*guest->store());
  const DynamicInstance& of = *guest->instance();
  const std::vector<uint8_t> text = {'h', 'e', 'l', 'l', 'o'};
  const auto bytes = objects.MakeArray(of, kBytes, text);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*objects.Length(*bytes), 5u);
  EXPECT_EQ(objects.Get(*bytes, 1)->i32(), uint32_t{'e'});
  EXPECT_TRUE(objects.Set(*bytes, 0, Value::I32('j')).ok());
  const auto span = objects.Bytes(*bytes);
  ASSERT_TRUE(span.ok());
  EXPECT_EQ(std::string(span->begin(), span->end()), "jello");
  const auto refs = objects.MakeArray(of, kRefs, 3, fermata::Objects::I31(-5));
  ASSERT_TRUE(refs.ok()) << refs.status();
  EXPECT_TRUE(objects.Set(*refs, 2, *bytes).ok());
  fermata::Kept kept = objects.Keep(*refs);
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  const Value inner = *objects.Get(kept.value(), 2);
  EXPECT_EQ(*objects.Length(inner), 5u);
  EXPECT_EQ(fermata::Objects::NumberOfI31(*objects.Get(kept.value(), 0)), -5);
  const uint64_t used = objects.used_bytes();
  kept.Drop();
  EXPECT_TRUE(objects.Collect().ok());
  EXPECT_LT(objects.used_bytes(), used);
}

TEST_P(GuestObjects, CustomDescriptors) {
  constexpr uint32_t kThing = 7, kKind = 8;
  auto guest = Make();
  fermata::Objects objects(*guest->store());
  DynamicInstance& of = *guest->instance();
  const auto call = [&](const char* name, std::vector<Value> arguments) {
    auto step = of.Call(name, arguments);
    EXPECT_TRUE(step.ok() && step->finished()) << name;
    return step.ok() && step->finished() ? step->results()[0] : Value();
  };
  fermata::Kept thing = objects.Keep(call("thing", {Value::I32(5), Value::I32(77)}));
  EXPECT_EQ(call("number", {thing.value()}).i32(), 77u);
  EXPECT_EQ(objects.Get(thing.value(), 0)->i32(), 5u);
  EXPECT_FALSE(objects.Get(thing.value(), 1).ok());
  ASSERT_TRUE(objects.Descriptor(thing.value()).ok());
  fermata::Kept kind = objects.Keep(*objects.Descriptor(thing.value()));
  EXPECT_EQ(objects.Get(kind.value(), 0)->i32(), 77u);
  EXPECT_FALSE(objects.Descriptor(kind.value()).ok());
  // By the host: the descriptor last.
  const auto made = objects.MakeStruct(of, kThing, {{Value::I32(6), kind.value()}});
  ASSERT_TRUE(made.ok()) << made.status();
  fermata::Kept other = objects.Keep(*made);
  const Value list = *objects.MakeStruct(of, kList, {{Value::I32(4), Value::AnyRef(0)}});
  EXPECT_FALSE(objects.MakeStruct(of, kThing, {{Value::I32(6), list}}).ok());
  EXPECT_FALSE(objects.MakeStruct(of, kThing, {{Value::I32(6), Value::AnyRef(0)}}).ok());
  EXPECT_FALSE(objects.MakeStruct(of, kThing, {{Value::I32(6)}}).ok());
  EXPECT_TRUE(objects.MakeStruct(of, kKind, {{Value::I32(1)}}).ok());
  ASSERT_TRUE(guest->litter(2000, 50000).finished());
  EXPECT_EQ(call("has", {other.value(), kind.value()}).i32(), 1u);
  EXPECT_EQ(call("has", {thing.value(), kind.value()}).i32(), 1u);
  const fermata::Kept same = objects.Keep(*objects.MakeStruct(of, kKind, {{Value::I32(77)}}));
  EXPECT_EQ(call("has", {thing.value(), same.value()}).i32(), 0u);
  EXPECT_EQ(call("has", {kind.value(), kind.value()}).i32(), 0u);
  EXPECT_EQ(call("has", {Value::AnyRef(0), kind.value()}).i32(), 1u);
}

TEST_P(GuestObjects, HostsAreToldOfWhatGuestsDrop) {
  auto guest = Make();
  fermata::Objects objects(*guest->store());
  const DynamicInstance& of = *guest->instance();
  const auto host = [](uint32_t number) {
    return fermata::Objects::AsAny(fermata::Objects::Host(number));
  };
  EXPECT_FALSE(objects.Watch(host(5)).ok());
  std::vector<uint32_t> dropped;
  objects.OnDropped([&](uint32_t number) { dropped.push_back(number); });
  fermata::Kept refs = objects.Keep(*objects.MakeArray(of, kRefs, 2, host(5)));
  for (uint32_t number : {5, 6, 7}) EXPECT_TRUE(objects.Watch(host(number)).ok());
  EXPECT_FALSE(objects.Watch(fermata::Objects::I31(1)).ok());
  EXPECT_TRUE(objects.Set(refs.value(), 1, host(7)).ok());
  EXPECT_TRUE(objects.Collect().ok());
  EXPECT_THAT(dropped, testing::ElementsAre(6));
  EXPECT_TRUE(objects.Set(refs.value(), 0, host(8)).ok());
  ASSERT_TRUE(guest->litter(100, 50000).finished());
  EXPECT_TRUE(objects.Collect().ok());
  EXPECT_THAT(dropped, testing::ElementsAre(6, 5));
  refs.Drop();
  EXPECT_TRUE(objects.Collect().ok());
  EXPECT_TRUE(objects.Collect().ok());
  EXPECT_THAT(dropped, testing::ElementsAre(6, 5, 7));
}

TEST_P(GuestObjects, HostsThrowWhatGuestsCatch) {
  auto guest = Make();
  fermata::Objects objects(*guest->store());
  DynamicInstance* const instance = guest->instance();
  const uint32_t tag = instance->Find("oops")->tag;
  const auto list = [&] {
    return *objects.MakeStruct(*instance, kList, {{Value::I32(4), Value::AnyRef(0)}});
  };
  auto step = instance->Call("guarded", {Value::I32(1)});
  ASSERT_TRUE(step.ok() && step->suspended());
  EXPECT_FALSE(step->Throw(tag, {Value::I32(1)}).ok());
  EXPECT_FALSE(step->Throw(tag + 100, {}).ok());
  EXPECT_FALSE(step->Throw(tag, {Value::AnyRef(12), Value::I32(1)}).ok());
  ASSERT_TRUE(step->Throw(tag, {list(), Value::I32(30)}).ok());
  ASSERT_TRUE(step->finished()) << step->message();
  EXPECT_EQ(step->results()[0].i32(), 34u);
  EXPECT_FALSE(step->Throw(tag, {list(), Value::I32(30)}).ok());
  // Nobody catches it.
  auto other = instance->Call("held", {Value::I32(10)});
  ASSERT_TRUE(other.ok() && other->suspended());
  ASSERT_TRUE(other->Throw(tag, {list(), Value::I32(5)}).ok());
  ASSERT_TRUE(other->trapped());
  EXPECT_EQ(other->trap(), Trap::kUncaughtException);
  ASSERT_NE(other->exception(), nullptr);
  EXPECT_EQ(other->exception()->tag, tag);
  EXPECT_EQ(other->exception()->values[1].i32(), 5u);
  EXPECT_EQ(objects.Get(other->exception()->values[0], 0)->i32(), 4u);
}

TEST_P(GuestObjects, WhatHostsGetWrong) {
  auto guest = Make(LimitsOf(1u << 20));
  fermata::Objects objects(*guest->store());
  const DynamicInstance& of = *guest->instance();
  const Value list = *objects.MakeStruct(of, kList, {{Value::I32(4), Value::AnyRef(0)}});
  const Value bytes = *objects.MakeArray(of, kBytes, 4, Value::I32(0));
  const auto code = [](const auto& result) { return result.status().code(); };
  EXPECT_EQ(code(objects.MakeStruct(of, kBytes, {})), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(objects.MakeStruct(of, 1000, {})), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(objects.MakeStruct(of, kList, {})), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(objects.MakeStruct(of, kList, {{Value::I64(4), Value::AnyRef(0)}})),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(objects.MakeStruct(of, kList, {{Value::I32(4), bytes}})),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(objects.MakeArray(of, kBytes, 0x7fffffff, Value::I32(0))),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code(objects.Get(list, 2)), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(code(objects.Get(bytes, 4)), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(code(objects.Get(Value::AnyRef(0), 0)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(objects.Get(fermata::Objects::I31(1), 0)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(objects.Get(Value::AnyRef(0x7ffffff0), 0)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(objects.Set(list, 0, Value::I32(1)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(objects.Set(list, 1, bytes).code(), absl::StatusCode::kInvalidArgument);
  // Arguments of the wrong type are refused before they get to the guest.
  EXPECT_EQ(guest->sum(AnyRef{bytes.ref()}).trap(), Trap::kHost);
  EXPECT_EQ(guest->take(AnyRef{0x7ffffff0}).trap(), Trap::kHost);
  EXPECT_EQ(guest->take(AnyRef{bytes.ref()}).value(), -1);
}

TEST_P(GuestObjects, KeptReferencesOutliveTheirStore) {
  auto guest = Make();
  fermata::Kept kept =
      fermata::Objects(*guest->store()).Keep(Value::AnyRef(guest->make(3).value().handle));
  EXPECT_TRUE(kept);
  guest = nullptr;
  EXPECT_FALSE(kept);
}

}  // namespace
