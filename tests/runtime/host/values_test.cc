// Values of every type across the dynamic API: arguments, results, ops, host functions, globals and
// tables; v128 in two slots. And what becomes of exceptions: those that references keep, and those
// that nobody catches.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fermata/core/memory.h"
#include "fermata/core/table.h"
#include "runtime/host/exceptions.h"
#include "tests/support/hand_module.h"

namespace fermata {
namespace {

using core::Instance;

constexpr uint64_t kLow = 0x0123456789abcdef, kHigh = 0xfedcba9876543210;

struct V {  // as generated code has it: some native type of 16 bytes
  uint64_t low, high;
};
V Swap(V v) { return {v.high, v.low}; }
// A single v128 is returned through the context.
void Return(Instance* base, V v) {
  base->context->results[0] = v.low;
  base->context->results[1] = v.high;
}

// ---- (i32, v128, i64) -> v128, of functions and of the op ----

using Mixed = void (*)(Instance*, uint32_t, V, uint64_t);
constexpr ValType kMixed[] = {ValType::kI32, ValType::kV128, ValType::kI64, ValType::kV128};

uint64_t InvokeMixed(Instance* base, core::AnyFunction function, const uint64_t* a) {
  reinterpret_cast<Mixed>(function)(base, static_cast<uint32_t>(a[0]), V{a[1], a[2]}, a[3]);
  return 0;
}
void HostMixed(Instance* base, uint32_t a0, V a1, uint64_t a2) {
  auto* host = static_cast<core::HostInstance*>(base);
  const uint64_t arguments[] = {a0, a1.low, a1.high, a2};
  uint64_t results[2] = {};
  host->call(host, arguments, results);
  Return(host, {results[0], results[1]});
}
void SuspendMixed(Instance* base, uint32_t a0, V a1, uint64_t a2) {
  core::u8* frame = core::PushOp(base, 0, 4);
  core::frame_put64(frame, 0, a0);
  core::frame_put64(frame, 8, a1.low);
  core::frame_put64(frame, 16, a1.high);
  core::frame_put64(frame, 24, a2);
}
// The import's answer, its halves exchanged.
void Ask(Instance* base, uint32_t a0, V a1, uint64_t a2) {
  const core::Function& import = static_cast<HandInstance*>(base)->imports[0];
  reinterpret_cast<Mixed>(import.code)(import.instance, a0, a1, a2);
  if (base->unwind != core::Unwind::kNone) {
    core::PushFrame(base, 1);
    return;
  }
  Return(base, Swap({base->context->results[0], base->context->results[1]}));
}
uint64_t AskResume(Instance* base, uint32_t, core::u8*, uint64_t) {
  Return(base, Swap({base->context->results[0], base->context->results[1]}));
  return 0;
}

core::FuncType MixedType() {
  return {kMixed,      kMixed + 3,
          3,           1,
          4,           2,
          "iVI:V",     core::kNoType,
          InvokeMixed, reinterpret_cast<core::AnyFunction>(HostMixed)};
}
HandModule MixedModule() {
  HandModule module;
  const uint32_t type = module.Type(MixedType());
  module.Site(nullptr, 0, 10);
  module.Site(AskResume, 1, 2);
  module.ImportFunction("op", type, reinterpret_cast<core::AnyFunction>(SuspendMixed));
  module.Function("ask", type, Ask, false, true);
  module.Function(
      "swap", type, +[](Instance* base, uint32_t, V v, uint64_t) { Return(base, Swap(v)); });
  return module;
}
const std::vector<Value> kArguments = {Value::I32(7), Value::V128(kLow, kHigh), Value::I64(9)};

void ExpectV128(const Value& value, uint64_t low, uint64_t high) {
  EXPECT_EQ(value.type, ValType::kV128);
  EXPECT_EQ(value.low, low);
  EXPECT_EQ(value.high, high);
}

class Values : public testing::Test {
 protected:
  DynamicInstance* Make(HandModule& module, const Imports& imports = {}) {
    absl::StatusOr<DynamicInstance*> made = store_.Instantiate(module.Info(), imports);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : nullptr;
  }
  StoreHandle store_;
};

TEST_F(Values, V128IsPassedToGuestsAndBack) {
  HandModule module = MixedModule();
  absl::StatusOr<DynamicStep> step = Make(module)->Call("swap", kArguments);
  ASSERT_TRUE(step.ok() && step->finished());
  ASSERT_EQ(step->results().size(), 1u);
  ExpectV128(step->results()[0], kHigh, kLow);
}

TEST_F(Values, OpsTakeAndAnswerV128) {
  HandModule module = MixedModule();
  absl::StatusOr<DynamicStep> step = Make(module)->Call("ask", kArguments);
  ASSERT_TRUE(step.ok() && step->suspended());
  ASSERT_EQ(step->op_arguments().size(), 3u);
  EXPECT_EQ(step->op_arguments()[0].i32(), 7u);
  ExpectV128(step->op_arguments()[1], kLow, kHigh);
  EXPECT_EQ(step->op_arguments()[2].i64(), 9u);
  EXPECT_FALSE(step->Resume({Value::I64(1)}).ok());
  ASSERT_TRUE(step->Resume({Value::V128(1, 2)}).ok());
  ASSERT_TRUE(step->finished());
  ExpectV128(step->results()[0], 2, 1);
}

TEST_F(Values, HostFunctionsTakeAndReturnV128) {
  HandModule module = MixedModule();
  const Signature signature = {{kMixed, kMixed + 3}, {ValType::kV128}};
  Imports imports;
  imports.Add("env", "op",
              *store_.MakeFunction("op", signature,
                                   [](absl::Span<const uint64_t> a, absl::Span<uint64_t> r) {
                                     EXPECT_EQ(a.size(), 4u);
                                     EXPECT_EQ(r.size(), 2u);
                                     r[0] = a[0] + a[1];
                                     r[1] = a[2] + a[3];
                                     return Trap::kNone;
                                   }));
  absl::StatusOr<DynamicStep> step = Make(module, imports)->Call("ask", kArguments);
  ASSERT_TRUE(step.ok() && step->finished());
  ExpectV128(step->results()[0], kHigh + 9, kLow + 7);

  // One that suspends.
  Imports waiting;
  waiting.Add("env", "op", *store_.MakeFunction("wait", signature, nullptr));
  step = Make(module, waiting)->Call("ask", kArguments);
  ASSERT_TRUE(step.ok() && step->suspended());
  EXPECT_EQ(step->op_name(), "wait");
  ExpectV128(step->op_arguments()[1], kLow, kHigh);
  EXPECT_EQ(step->op_arguments()[2].i64(), 9u);
  const core::Footer op = core::LastFooter(*step->raw_activation());
  EXPECT_EQ(op.words, 10u);
  const Instance* host = store_.raw()->instances[op.instance];
  EXPECT_STREQ(host->module->site_details[op.site].slots, "iVI");
  EXPECT_EQ(host->module->site_words[op.site], 10u);
  ASSERT_TRUE(step->Resume({Value::V128(3, 4)}).ok());
  ExpectV128(step->results()[0], 4, 3);
}

TEST_F(Values, ThousandsOfSlotsHaveRoom) {
  const Signature large = {{}, std::vector<ValType>(5000, ValType::kV128)};
  ASSERT_TRUE(store_.MakeTag({large.results, {}}).ok());
  HandModule module;
  module.Function(
      "f", module.Type(":"), +[](Instance* base) {
        if (base->context->results_capacity < 10000) core::RaiseTrap(base, Trap::kUnreachable);
      });
  EXPECT_TRUE(Make(module)->Call("f", {})->finished());
}

TEST_F(Values, GlobalsHoldV128) {
  absl::StatusOr<Extern> made = store_.MakeGlobal(Value::V128(kLow, kHigh), true);
  ASSERT_TRUE(made.ok());
  absl::StatusOr<Extern> next = store_.MakeGlobal(Value::V128(1, 2), true);
  HandModule module;
  module.Global("g", ValType::kV128, {}, true, true);
  module.Global("own", ValType::kV128, {}, true);
  Imports imports;
  imports.Add("env", "g", *made);
  DynamicInstance* instance = Make(module, imports);
  Global global = *instance->FindGlobal("g");
  ExpectV128(global.Get(), kLow, kHigh);
  global.Set(Value::V128(kHigh, kLow));
  ExpectV128(made->global.Get(), kHigh, kLow);
  ExpectV128(next->global.Get(), 1, 2);
  Global own = *instance->FindGlobal("own");
  ExpectV128(own.Get(), 0, 0);
  own.Set(Value::V128(5, 6));
  ExpectV128(own.Get(), 5, 6);
  own.Set(Value::I64(7));  // of another type: no effect
  ExpectV128(own.Get(), 5, 6);
}

TEST_F(Values, TablesHoldEveryKindOfReference) {
  store_.raw()->keep(store_.raw(), store_.MakeTag({})->tag, nullptr, 0);
  for (const Value value : {Value::ExternRef(77), Value::AnyRef(78), Value::ExnRef(1)}) {
    absl::StatusOr<Extern> made = store_.MakeTable(value.type, {2, 4, true, true, false});
    ASSERT_TRUE(made.ok());
    Table table(&store_, made->table);
    EXPECT_TRUE(table.Set(1, value).ok());
    EXPECT_EQ(table.Get(1)->low, value.low);
    EXPECT_EQ(table.Get(1)->type, value.type);
    EXPECT_EQ(table.Get(0)->low, 0u);
    EXPECT_FALSE(table.Set(0, Value::FuncRef(0)).ok());
    EXPECT_FALSE(table.Set(2, value).ok());
    EXPECT_FALSE(table.Get(2).ok());
    EXPECT_EQ(*table.Grow(2), 2u);
    EXPECT_FALSE(table.Grow(1).ok());
  }
  // Handles that name nothing.
  absl::StatusOr<Extern> exceptions =
      store_.MakeTable(ValType::kExnRef, {1, 1, true, false, false});
  EXPECT_FALSE(Table(&store_, exceptions->table).Set(0, Value::ExnRef(2)).ok());
  absl::StatusOr<Extern> functions =
      store_.MakeTable(ValType::kFuncRef, {1, 1, true, false, false});
  EXPECT_FALSE(Table(&store_, functions->table).Set(0, Value::FuncRef(1)).ok());
}

// ---- Steps that pause ----

TEST_F(Values, StepsThatPausedRunOnWhenRefuelled) {
  HandModule module;
  module.Site(nullptr, core::kNoFunction, 2);
  module.Site([](Instance*, uint32_t, core::u8*, uint64_t) -> uint64_t { return 0; }, 0, 2);
  module.Function(
      "f", module.Type(":"),
      +[](Instance* base) {
        core::PushPause(base, 0);
        core::PushFrame(base, 1);
      },
      false, true);
  DynamicInstance* instance = Make(module);
  absl::StatusOr<DynamicStep> step = instance->Call("f", {});
  ASSERT_TRUE(step.ok() && step->out_of_fuel());
  EXPECT_FALSE(step->suspended() || step->finished() || step->trapped());
  EXPECT_EQ(step->depth(), 2u);
  EXPECT_EQ(step->op_instance(), nullptr);
  EXPECT_TRUE(step->op_arguments().empty());
  EXPECT_FALSE(step->Resume({}).ok());
  EXPECT_FALSE(step->Throw("no").ok());
  ASSERT_TRUE(step->Refuel(1).ok());
  EXPECT_TRUE(step->finished());
  EXPECT_FALSE(step->Refuel(1).ok());
  step = instance->Call("f", {});
  step->Cancel();
  EXPECT_EQ(step->trap(), Trap::kCancelled);
  EXPECT_FALSE(step->out_of_fuel());
}

// ---- References to exceptions ----

TEST(Exceptions, EqualOnesShareAHandle) {
  internal::Exceptions exceptions;
  const uint64_t a[] = {1, 2}, b[] = {1, 3};
  const core::ref first = exceptions.Keep(7, a, 2, 100, false);
  ASSERT_NE(first, 0u);
  EXPECT_EQ(exceptions.Keep(7, a, 2, 100, false), first);
  EXPECT_NE(exceptions.Keep(7, b, 2, 100, false), first);
  EXPECT_NE(exceptions.Keep(8, a, 2, 100, false), first);
  EXPECT_NE(exceptions.Keep(7, a, 1, 100, false), first);
  EXPECT_EQ(exceptions.size(), 4u);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t values[] = {uint64_t(i % 10)};
    ASSERT_NE(exceptions.Keep(1, values, 1, 14, false), 0u);
  }
  EXPECT_EQ(exceptions.size(), 14u);
  // What was kept first is still there after all that growth.
  const core::Exception& e = exceptions.data()[first - 1];
  EXPECT_EQ(e.tag, 7u);
  ASSERT_EQ(e.payload, 2u);
  EXPECT_EQ(e.values[0], 1u);
  EXPECT_EQ(e.values[1], 2u);
}

TEST(Exceptions, ThoseWithObjectsAreCollected) {
  internal::Exceptions exceptions;
  const uint64_t values[] = {1};
  const core::ref before = exceptions.Keep(7, values, 1, 100, false);
  exceptions.BeCollected();
  const core::ref shared = exceptions.Keep(8, values, 1, 100, false);
  EXPECT_EQ(exceptions.Keep(8, values, 1, 100, false), shared);
  const core::ref one = exceptions.Keep(7, values, 1, 100, true);
  const core::ref two = exceptions.Keep(7, values, 1, 100, true);
  EXPECT_NE(one, two);
  EXPECT_EQ(exceptions.kept_since(), 2u);
  exceptions.BeginCollection();
  EXPECT_TRUE(exceptions.Mark(two));
  EXPECT_FALSE(exceptions.Mark(two));
  EXPECT_FALSE(exceptions.Mark(before));
  exceptions.ValuesOf(two)[0] = 5;
  exceptions.EndCollection();
  EXPECT_FALSE(exceptions.Has(one));
  for (const core::ref there : {before, shared, two}) EXPECT_TRUE(exceptions.Has(there)) << there;
  EXPECT_EQ(exceptions.data()[two - 1].values[0], 5u);
  EXPECT_EQ(exceptions.Keep(7, values, 1, 100, true), one);  // the handle is used again
  EXPECT_EQ(exceptions.Keep(7, values, 1, 4, true), 0u);
}

TEST(Exceptions, HaveALimit) {
  Limits limits;
  limits.exceptions = 2;
  StoreHandle store(limits);
  core::Store* raw = store.raw();
  const uint64_t values[] = {1, 2, 3};
  EXPECT_EQ(raw->keep(raw, 0, &values[0], 1), 1u);
  EXPECT_EQ(raw->keep(raw, 0, &values[1], 1), 2u);
  EXPECT_EQ(raw->keep(raw, 0, &values[2], 1), 0u);
  EXPECT_EQ(raw->keep(raw, 0, &values[0], 1), 1u);
  EXPECT_EQ(raw->exception_count, 2u);
  EXPECT_EQ(raw->exceptions[1].values[0], 2u);
}

// ---- Uncaught exceptions ----

void ThrowTag(Instance* base) {
  const uint64_t payload[] = {42, kLow, kHigh};
  memcpy(base->context->results, payload, sizeof payload);
  core::Throw(base, static_cast<HandInstance*>(base)->tags[0], 3);
}

TEST_F(Values, UncaughtExceptionsAreToldToTheHost) {
  static const ValType kPayload[] = {ValType::kI32, ValType::kV128};
  HandModule module;
  const uint32_t plain = module.Type(":");
  module.Tag("first", plain);
  HandModule other;
  other.Function("throw", other.Type(":"), ThrowTag, true);
  other.Function(
      "trap", 0, +[](Instance* base) { core::RaiseTrap(base, Trap::kUnreachable); });
  other.Tag("tag",
            other.Type({kPayload, nullptr, 2, 0, 3, 0, "iV:", core::kNoType, nullptr, nullptr}));
  Make(module);
  DynamicInstance* instance = Make(other);
  absl::StatusOr<DynamicStep> step = instance->Call("throw", {});
  ASSERT_TRUE(step.ok() && step->trapped());
  EXPECT_EQ(step->trap(), Trap::kUncaughtException);
  EXPECT_EQ(step->message(), "uncaught exception");
  const Thrown* thrown = step->exception();
  ASSERT_NE(thrown, nullptr);
  EXPECT_EQ(thrown->tag, instance->Find("tag")->tag);
  EXPECT_EQ(thrown->tag, 1u);
  ASSERT_EQ(thrown->values.size(), 2u);
  EXPECT_EQ(thrown->values[0].i32(), 42u);
  ExpectV128(thrown->values[1], kLow, kHigh);

  step = instance->Call("trap", {});
  EXPECT_EQ(step->trap(), Trap::kUnreachable);
  EXPECT_EQ(step->exception(), nullptr);
  EXPECT_EQ(DynamicStep().exception(), nullptr);
}

TEST_F(Values, AnUncaughtExceptionThatCouldNotBeKeptIsOneWithoutAPayload) {
  Limits limits;
  limits.exceptions = 0;
  StoreHandle store(limits);
  HandModule module;
  static const ValType kPayload[] = {ValType::kI32, ValType::kV128};
  module.Function("throw", module.Type(":"), ThrowTag, true);
  module.Tag("tag",
             module.Type({kPayload, nullptr, 2, 0, 3, 0, "iV:", core::kNoType, nullptr, nullptr}));
  absl::StatusOr<DynamicInstance*> instance = store.Instantiate(module.Info(), {});
  ASSERT_TRUE(instance.ok());
  absl::StatusOr<DynamicStep> step = (*instance)->Call("throw", {});
  EXPECT_EQ(step->trap(), Trap::kUncaughtException);
  EXPECT_EQ(step->exception(), nullptr);
}

}  // namespace
}  // namespace fermata
