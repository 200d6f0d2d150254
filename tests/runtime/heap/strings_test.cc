// Strings in the heap, and the builtins of wasm:js-string, called by a guest. Each test also runs
// with all objects moved at every allocation.
#include "runtime/heap/strings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fermata/js_string.h"
#include "fermata/objects.h"
#include "fermata/snapshot.h"
#include "strings_guest.h"

namespace {

using fermata::AddJsStrings;
using fermata::AddStringConstants;
using fermata::DynamicInstance;
using fermata::DynamicStep;
using fermata::Imports;
using fermata::Limits;
using fermata::ObjectKind;
using fermata::Objects;
using fermata::StoreHandle;
using fermata::Trap;
using fermata::Value;
using heap::guests::StringsModuleInfo;

uint32_t HashOf(uint32_t letters) {
  uint32_t hash = 0;
  for (uint32_t i = 0; i < letters; ++i) hash = hash * 31 + 65 + i % 500;
  return hash;
}

class JsStrings : public testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override { Make(16u << 20); }

  void Make(uint64_t heap_bytes) {
    Limits limits;
    limits.heap_bytes = heap_bytes;
    limits.heap_stress = GetParam();
    store_ = std::make_unique<StoreHandle>(limits);
    Imports imports;
    AddJsStrings(imports);
    ASSERT_TRUE(AddStringConstants(*store_, StringsModuleInfo(), "'", imports).ok());
    auto made = store_->Instantiate(StringsModuleInfo(), imports);
    ASSERT_TRUE(made.ok()) << made.status();
    instance_ = *made;
  }

  DynamicStep Call(const char* name, std::vector<Value> arguments = {}) {
    auto step = instance_->Call(name, arguments);
    EXPECT_TRUE(step.ok()) << step.status();
    return step.ok() ? *std::move(step) : DynamicStep();
  }
  Value Result(const char* name, std::vector<Value> arguments = {}) {
    const DynamicStep step = Call(name, std::move(arguments));
    EXPECT_TRUE(step.finished()) << name << ": " << step.message();
    return step.finished() ? step.results()[0] : Value();
  }
  Trap TrapOf(const char* name, std::vector<Value> arguments = {}) {
    const DynamicStep step = Call(name, std::move(arguments));
    EXPECT_TRUE(step.trapped()) << name;
    return step.trap();
  }
  uint32_t Number(const char* name, std::vector<Value> arguments = {}) {
    return Result(name, std::move(arguments)).i32();
  }
  std::u16string Units(Value string) {
    auto units = objects().UnitsOf(string);
    EXPECT_TRUE(units.ok()) << units.status();
    return units.ok() ? *units : u"";
  }
  Value Make(std::u16string_view units) {
    auto made = objects().MakeString(units);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : Value();
  }
  Objects objects() { return Objects(*store_); }

  static Value I32(uint32_t v) { return Value::I32(v); }
  const Value null_ = Value::ExternRef(0);
  std::unique_ptr<StoreHandle> store_;
  DynamicInstance* instance_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Stress, JsStrings, testing::Values(0u, 1u, 100u), [](const auto& info) {
  return info.param == 0 ? "Usual" : info.param == 1 ? "EveryAllocation" : "Often";
});

TEST_P(JsStrings, Constants) {
  EXPECT_EQ(Units(Result("hello")), u"h\u00e9llo \u2713");
  EXPECT_EQ(Units(Result("empty")), u"");
  EXPECT_EQ(objects().Utf8Of(Result("hello")).value_or(""), "h\xc3\xa9llo \xe2\x9c\x93");
}

TEST_P(JsStrings, CodesAndCodePoints) {
  EXPECT_EQ(Units(Result("from_code", {I32(0x263a)})), u"\u263a");
  EXPECT_EQ(Units(Result("from_code", {I32(0x10041)})), u"A");
  EXPECT_EQ(Units(Result("from_point", {I32(0x1f600)})), u"\U0001f600");
  EXPECT_EQ(Units(Result("from_point", {I32(0xd800)})), std::u16string(1, 0xd800));
  EXPECT_EQ(TrapOf("from_point", {I32(0x110000)}), Trap::kStringOutOfBounds);
  EXPECT_EQ(Number("point_at", {Make(u"a\U0001f600"), I32(1)}), 0x1f600u);
  EXPECT_EQ(Number("point_at", {Make(u"a\U0001f600"), I32(2)}), 0xde00u);
  EXPECT_EQ(Number("code_at", {Make(u"a\U0001f600"), I32(1)}), 0xd83du);
  const std::u16string lone = {0xd800, 'x'};
  EXPECT_EQ(Number("point_at", {Make(lone), I32(0)}), 0xd800u);
  EXPECT_EQ(TrapOf("code_at", {Make(u"abc"), I32(3)}), Trap::kStringOutOfBounds);
  EXPECT_EQ(TrapOf("point_at", {Make(u""), I32(0)}), Trap::kStringOutOfBounds);
}

TEST_P(JsStrings, ConcatenationsAndParts) {
  const std::u16string left(40, u'a'), right = u"\u2713\u2713\u2713";
  EXPECT_EQ(Units(Result("concat", {Make(u"ab"), Make(u"c\u2713")})), u"abc\u2713");
  EXPECT_EQ(Units(Result("concat", {Make(left), Make(right)})), left + right);
  EXPECT_EQ(Units(Result("concat", {Make(left), Make(u"")})), left);
  EXPECT_EQ(Units(Result("concat", {Make(u""), Make(right)})), right);
  // Of a rope.
  fermata::Kept rope = objects().Keep(Result("concat", {Make(left), Make(right)}));
  EXPECT_EQ(Number("length", {rope.value()}), 43u);
  EXPECT_EQ(Units(Result("substring", {rope.value(), I32(38), I32(41)})), u"aa\u2713");
  EXPECT_EQ(Units(Result("substring", {rope.value(), I32(0), I32(2)})), u"aa");
  EXPECT_EQ(Units(Result("substring", {rope.value(), I32(42), I32(0xffffffff)})), u"\u2713");
  EXPECT_EQ(Units(Result("substring", {rope.value(), I32(44), I32(50)})), u"");
  EXPECT_EQ(Units(Result("substring", {rope.value(), I32(3), I32(2)})), u"");
  EXPECT_EQ(Units(rope.value()), left + right);
}

TEST_P(JsStrings, Comparisons) {
  const auto equals = [&](std::u16string_view a, std::u16string_view b) {
    fermata::Kept first = objects().Keep(Make(a));
    const Value second = Make(b);
    return Number("equals", {first.value(), second});
  };
  EXPECT_EQ(equals(u"abc", u"abc"), 1u);
  EXPECT_EQ(equals(u"abc", u"abd"), 0u);
  EXPECT_EQ(equals(u"abc", u"ab"), 0u);
  EXPECT_EQ(equals(u"\u2713", u"\u2713"), 1u);
  EXPECT_EQ(Number("equals", {null_, null_}), 1u);
  EXPECT_EQ(Number("equals", {null_, Make(u"")}), 0u);
  EXPECT_EQ(Number("equals", {Make(u""), null_}), 0u);
  const auto compare = [&](std::u16string_view a, std::u16string_view b) {
    fermata::Kept first = objects().Keep(Make(a));
    const Value second = Make(b);
    return static_cast<int32_t>(Number("compare", {first.value(), second}));
  };
  EXPECT_EQ(compare(u"a", u"b"), -1);
  EXPECT_EQ(compare(u"b", u"a"), 1);
  EXPECT_EQ(compare(u"ab", u"ab"), 0);
  EXPECT_EQ(compare(u"ab", u"abc"), -1);
  EXPECT_EQ(compare(u"\U0001f600", u"\uffff"), -1);  // by code units
}

TEST_P(JsStrings, ThroughArrays) {
  EXPECT_EQ(Units(Result("through_array", {Make(u"h\u2713llo"), I32(5)})), u"\u2713llo");
  EXPECT_EQ(TrapOf("through_array", {Make(u"hello"), I32(4)}), Trap::kArrayOutOfBounds);
  EXPECT_EQ(TrapOf("into_null", {Make(u"hello")}), Trap::kNullReference);
  EXPECT_EQ(TrapOf("from_null"), Trap::kNullReference);
}

TEST_P(JsStrings, NullAndOthersTrap) {
  for (const char* name : {"cast", "length"}) {
    EXPECT_EQ(TrapOf(name, {null_}), Trap::kNullReference) << name;
    EXPECT_EQ(TrapOf(name, {Objects::Host(7)}), Trap::kCastFailure) << name;
    EXPECT_EQ(TrapOf(name, {Result("units")}), Trap::kCastFailure) << name;
  }
  EXPECT_EQ(TrapOf("concat", {Make(u"a"), null_}), Trap::kNullReference);
  EXPECT_EQ(TrapOf("equals", {Make(u"a"), Objects::Host(1)}), Trap::kCastFailure);
  EXPECT_EQ(TrapOf("equals", {null_, Objects::Host(1)}), Trap::kCastFailure);
  EXPECT_EQ(TrapOf("compare", {null_, null_}), Trap::kNullReference);
  EXPECT_EQ(Number("test", {Make(u"a")}), 1u);
  EXPECT_EQ(Number("test", {null_}), 0u);
  EXPECT_EQ(Number("test", {Result("units")}), 0u);
  EXPECT_EQ(Number("test", {Objects::AsExtern(Objects::I31(3))}), 0u);
}

// Neither structs nor arrays, nor of the type eq.
TEST_P(JsStrings, WhatTheyAreToGuests) {
  EXPECT_EQ(Number("kinds", {Make(u"abc")}), 1u);
  EXPECT_EQ(Number("kinds", {Make(u"\u2713")}), 1u);
  EXPECT_EQ(Number("kinds", {Result("concat", {Make(std::u16string(30, u'x')), Make(u"y")})}), 1u);
  EXPECT_EQ(Number("kinds", {Result("units")}), 0b101011u);
  EXPECT_EQ(objects().KindOf(Make(u"a")), ObjectKind::kString);
  EXPECT_FALSE(objects().Get(Make(u"abc"), 0).ok());
  EXPECT_FALSE(objects().Length(Make(u"abc")).ok());
  EXPECT_FALSE(objects().Bytes(Make(u"abc")).ok());
}

// The parts of a call that allocates in builtins only.
TEST_P(JsStrings, AreCollected) {
  Make(256u << 10);
  EXPECT_EQ(Number("churn", {I32(20000)}), 8u);
  EXPECT_LT(objects().used_bytes(), 256u << 10);
}

TEST_P(JsStrings, NoRoom) {
  Make(64u << 10);
  DynamicStep step = Call("build", {I32(20000)});
  while (step.suspended()) ASSERT_TRUE(step.Resume({}).ok());
  EXPECT_EQ(step.trap(), Trap::kHeapExhausted);
  EXPECT_EQ(Number("length", {Result("hello")}), 7u);
}

TEST_P(JsStrings, HeldCallsAndSnapshots) {
  constexpr uint32_t kLetters = 730;
  DynamicStep step = Call("build", {I32(kLetters)});
  int restored = 0;
  while (step.suspended()) {
    auto bytes = fermata::Save(*store_, {&step});
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    fermata::RestoreHost host;
    host.modules = {&StringsModuleInfo()};
    host.imports.emplace_back();
    AddJsStrings(host.imports[0]);
    host.limits.heap_stress = GetParam();
    auto again = fermata::Restore(*bytes, host);
    ASSERT_TRUE(again.ok()) << again.status();
    step = std::move(again->steps[0]);
    store_ = std::move(again->store);
    instance_ = again->instances[0];
    ++restored;
    ASSERT_TRUE(step.Resume({}).ok());
  }
  ASSERT_TRUE(step.finished()) << step.message();
  EXPECT_EQ(step.results()[0].i32(), HashOf(kLetters));
  EXPECT_EQ(restored, 7);
  EXPECT_EQ(Units(Result("hello")), u"h\u00e9llo \u2713");
}

TEST_P(JsStrings, KeptReferencesComeBack) {
  fermata::Kept first = objects().Keep(Make(u"one"));
  fermata::Kept gone = objects().Keep(Make(u"gone"));
  fermata::Kept second = objects().Keep(Make(u"two"));
  gone.Drop();
  auto bytes = fermata::Save(*store_, {});
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  fermata::RestoreHost host;
  host.modules = {&StringsModuleInfo()};
  host.imports.emplace_back();
  AddJsStrings(host.imports[0]);
  auto again = fermata::Restore(*bytes, host);
  ASSERT_TRUE(again.ok()) << again.status();
  Objects there(*again->store);
  EXPECT_EQ(there.UnitsOf(again->kept[first.number()].value()).value_or(u""), u"one");
  EXPECT_EQ(there.UnitsOf(again->kept[second.number()].value()).value_or(u""), u"two");
  EXPECT_FALSE(again->kept[1]);
}

TEST(Utf8, BothWays) {
  using fermata::internal::DecodeUtf8;
  using fermata::internal::EncodeUtf8;
  const std::string good = "a\xc3\xa9\xe2\x9c\x93\xf0\x9f\x98\x80";
  std::u16string units;
  ASSERT_TRUE(DecodeUtf8(good, units));
  EXPECT_EQ(units, u"a\u00e9\u2713\U0001f600");
  EXPECT_EQ(EncodeUtf8(std::vector<uint16_t>(units.begin(), units.end())), good);
  EXPECT_EQ(EncodeUtf8({0xd800, 'x'}), "\xef\xbf\xbdx");
  for (const char* bad : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf5\x80\x80\x80", "\xf4\x90\x80\x80", "\xff"}) {
    EXPECT_FALSE(DecodeUtf8(bad, units)) << bad;
  }
}

}  // namespace
