// Matching imports by exact types: functions and their declared supertypes, tables and globals of
// concrete references, tags, memories of every kind, functions that may throw.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/hand_module.h"

namespace fermata {
namespace {

using core::RefType;

constexpr core::SizeLimitsInfo kLimits = {1, 4, true, false, false};

class LinkTypes : public testing::Test {
 protected:
  DynamicInstance* Make(HandModule& module, const Imports& imports = {}) {
    absl::StatusOr<DynamicInstance*> made = store_.Instantiate(module.Info(), imports);
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *made : nullptr;
  }
  void ExpectRefused(HandModule& module, const Imports& imports, const std::string& why) {
    const absl::Status status = store_.Instantiate(module.Info(), imports).status();
    ASSERT_FALSE(status.ok()) << "expected: " << why;
    EXPECT_NE(status.message().find("incompatible import type"), std::string::npos) << status;
    EXPECT_NE(status.message().find(why), std::string::npos) << status;
  }
  // env.NAME is export NAME of `owner`.
  static Imports From(DynamicInstance* owner) {
    Imports imports;
    imports.AddInstance("env", owner);
    return imports;
  }
  static Imports Only(const char* name, Extern value) {
    Imports imports;
    imports.Add("env", name, std::move(value));
    return imports;
  }

  StoreHandle store_;
};

// ---- Functions ----

TEST_F(LinkTypes, FunctionsMayBeOfASubtypeAndStayWhatTheyAre) {
  HandModule owner;
  const uint32_t top = owner.Type("link top"), sub = owner.Type("link sub", top);
  owner.Function(
      "top", top, +[](core::Instance*) {});
  owner.Function(
      "sub", sub, +[](core::Instance*) {});
  DynamicInstance* a = Make(owner);

  HandModule wants_top;
  wants_top.Reexport("out", wants_top.ImportFunction("sub", wants_top.Type("link top")));
  DynamicInstance* b = Make(wants_top, From(a));
  const auto& import = static_cast<HandInstance*>(b->raw())->imports[0];
  EXPECT_EQ(import.type, a->Find("sub")->function.type);
  EXPECT_EQ(b->Find("out")->function.type, a->Find("sub")->function.type);
  EXPECT_EQ(b->Find("out")->function.handle, a->Find("sub")->function.handle);
  EXPECT_TRUE(b->Call("out", {})->finished());

  HandModule wants_sub;
  const uint32_t other_top = wants_sub.Type("link top");
  wants_sub.ImportFunction("top", wants_sub.Type("link sub", other_top));
  ExpectRefused(wants_sub, From(a), "env.top");
  // What was imported as the supertype still is the subtype.
  EXPECT_NE(Make(wants_sub, Only("top", *b->Find("out"))), nullptr);
}

TEST_F(LinkTypes, FunctionsWithTheSameValuesMayBeOfOtherTypes) {
  HandModule owner;
  owner.Function(
      "f", owner.Type("link one"), +[](core::Instance*) {});
  HandModule user;
  user.ImportFunction("f", user.Type("link another"));
  ExpectRefused(user, From(Make(owner)), "env.f");
  // A host's function is of the final type without a supertype.
  HandModule plain, declared;
  plain.ImportFunction("f", plain.Type(":"));
  declared.ImportFunction("f", declared.Type("link sub :", declared.Type("link open :")));
  const Imports host =
      Only("f", *store_.MakeFunction("f", {}, [](auto, auto) { return Trap::kNone; }));
  EXPECT_NE(Make(plain, host), nullptr);
  ExpectRefused(declared, host, "env.f");
}

TEST_F(LinkTypes, CodeWithoutAStoreIsMatchedByItsSignature) {
  Extern code;
  code.function.code = reinterpret_cast<core::AnyFunction>(+[](core::Instance*) {});
  HandModule user;
  const uint32_t type = user.Type("link concrete values");
  user.ImportFunction("f", type);
  DynamicInstance* made = Make(user, Only("f", code));
  const auto* self = static_cast<HandInstance*>(made->raw());
  EXPECT_EQ(self->imports[0].type, self->types[type]);
  EXPECT_EQ(self->imports[0].instance, self);
  code.signature.params = {ValType::kI32};
  ExpectRefused(user, Only("f", code), "expected [] -> [], found [i32] -> []");
}

TEST_F(LinkTypes, ImmediateImportsMustBeReadyForExceptions) {
  HandModule owner;
  owner.Function(
      "f", owner.Type(":"), +[](core::Instance*) {}, /*may_throw=*/true);
  DynamicInstance* a = Make(owner);
  EXPECT_TRUE(a->Find("f")->may_throw);
  HandModule unready;
  unready.ImportFunction("f", unready.Type(":"));
  ExpectRefused(unready, From(a), "not ready for the exceptions");

  HandModule ready;
  ready.Reexport("f", ready.ImportFunction("f", ready.Type(":")));
  ready.info.uses_exceptions = true;
  DynamicInstance* b = Make(ready, From(a));
  // Passed on, it may still throw.
  EXPECT_TRUE(b->Find("f")->may_throw);
  ExpectRefused(unready, From(b), "not ready for the exceptions");
  // Calls of imports that may suspend are followed by a test anyway.
  HandModule suspendable;
  suspendable.ImportFunction("f", suspendable.Type(":"),
                             reinterpret_cast<core::AnyFunction>(+[](core::Instance*) {}));
  EXPECT_NE(Make(suspendable, From(a)), nullptr);
  // Nothing that the host makes throws.
  EXPECT_FALSE(store_.MakeFunction("g", {}, nullptr)->may_throw);
}

// ---- Tables and globals ----

TEST_F(LinkTypes, TablesAndVariablesAreOfExactlyTheirTypeConstantsMayBeOfASubtype) {
  constexpr RefType kFunc = {0x70, true, 0}, kStrictFunc = {0x70, false, 0},
                    kNoFunc = {0x73, true, 0}, kTop = {0, true, 0}, kSub = {0, true, 1},
                    kStrictSub = {0, false, 1};
  const RefType kinds[] = {kFunc, kStrictFunc, kNoFunc, kTop, kSub, kStrictSub};
  // fits[owner][user]: a constant of the owner's type is one of the user's.
  const bool fits[6][6] = {{1, 0, 0, 0, 0, 0}, {1, 1, 0, 0, 0, 0}, {1, 0, 1, 1, 1, 0},
                           {1, 0, 0, 1, 0, 0}, {1, 0, 0, 1, 1, 0}, {1, 1, 0, 1, 1, 1}};
  const auto types = [](HandModule& module) { module.Type("link sub", module.Type("link top")); };
  for (int i = 0; i < 6; ++i) {
    HandModule owner;
    types(owner);
    owner.Table("table", ValType::kFuncRef, kinds[i], kLimits);
    owner.Global("constant", ValType::kFuncRef, kinds[i], false);
    owner.Global("variable", ValType::kFuncRef, kinds[i], true);
    DynamicInstance* a = Make(owner);
    for (int k = 0; k < 6; ++k) {
      HandModule table, constant, variable;
      for (HandModule* module : {&table, &constant, &variable}) types(*module);
      table.Table("table", ValType::kFuncRef, kinds[k], kLimits, true);
      constant.Global("constant", ValType::kFuncRef, kinds[k], false, true);
      variable.Global("variable", ValType::kFuncRef, kinds[k], true, true);
      const Imports imports = From(a);
      EXPECT_EQ(store_.Instantiate(table.Info(), imports).ok(), i == k) << i << k;
      EXPECT_EQ(store_.Instantiate(variable.Info(), imports).ok(), i == k) << i << k;
      absl::StatusOr<DynamicInstance*> b = store_.Instantiate(constant.Info(), imports);
      EXPECT_EQ(b.ok(), fits[i][k]) << i << k;
      // Passed on, it is what its owner made it.
      if (b.ok()) {
        EXPECT_EQ((*b)->Find("constant")->ref.heap, kinds[i].heap);
        EXPECT_EQ((*b)->Find("constant")->ref.nullable, kinds[i].nullable);
      }
    }
  }
}

TEST_F(LinkTypes, HostsTablesAndGlobalsAreNullableAndAbstract) {
  struct {
    ValType type;
    Value value;
  } const kCases[] = {{ValType::kFuncRef, Value::FuncRef(0)},
                      {ValType::kExternRef, Value::ExternRef(5)},
                      {ValType::kExnRef, Value::ExnRef(0)},
                      {ValType::kAnyRef, Value::AnyRef(9)}};
  for (const auto& c : kCases) {
    Imports imports;
    imports.Add("env", "table", *store_.MakeTable(c.type, kLimits));
    imports.Add("env", "global", *store_.MakeGlobal(c.value, true));
    for (const bool nullable : {true, false}) {
      HandModule module;
      module.Table("table", c.type, {static_cast<uint8_t>(c.type), nullable, 0}, kLimits, true);
      EXPECT_EQ(store_.Instantiate(module.Info(), imports).ok(), nullable);
      HandModule other;
      other.Global("global", c.type, {static_cast<uint8_t>(c.type), nullable, 0}, true, true);
      EXPECT_EQ(store_.Instantiate(other.Info(), imports).ok(), nullable);
    }
  }
  EXPECT_EQ(store_.MakeTable(ValType::kI32, kLimits).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(store_.MakeGlobal(Value::ExnRef(1), true).ok());  // there is no exception
}

TEST_F(LinkTypes, TheWidthOfIndicesMustMatch) {
  for (const bool wide : {false, true}) {
    core::SizeLimitsInfo limits = {1, ~uint64_t{0}, true, wide, false};
    HandModule owner;
    owner.Table("table", ValType::kExternRef, {0x6f, true, 0}, limits);
    DynamicInstance* a = Make(owner);
    // Whatever the declared maximum, no table holds more than the store's limit.
    EXPECT_EQ(a->FindTable("table")->raw()->max, fermata::Limits().table_elements);
    for (const bool wanted : {false, true}) {
      limits.is64 = wanted;
      HandModule user;
      user.Table("table", ValType::kExternRef, {0x6f, true, 0}, limits, true);
      EXPECT_EQ(store_.Instantiate(user.Info(), From(a)).ok(), wide == wanted);
    }
  }
}

// ---- Tags ----

TEST_F(LinkTypes, TagsAreSharedByTheirNumberAndMatchedByTheirType) {
  static const ValType kParams[] = {ValType::kI32, ValType::kV128};
  const auto payload = [](HandModule& module) {
    return module.Type(
        {kParams, nullptr, 2, 0, 3, 0, "iV:", core::kNoType,
         [](core::Instance*, core::AnyFunction, const uint64_t*) { return uint64_t{0}; }, nullptr});
  };
  HandModule owner;
  owner.Tag("a", payload(owner));
  owner.Tag("b", 0);
  DynamicInstance* a = Make(owner);
  const auto* self = static_cast<HandInstance*>(a->raw());
  EXPECT_NE(self->tags[0], self->tags[1]);  // two tags, one type
  const absl::StatusOr<Extern> tag = a->Find("b");
  ASSERT_TRUE(tag.ok());
  EXPECT_EQ(tag->kind, ExternKind::kTag);
  EXPECT_EQ(tag->tag, self->tags[1]);
  EXPECT_EQ(tag->signature.params, (std::vector<ValType>{ValType::kI32, ValType::kV128}));

  HandModule user;
  user.Tag("b", payload(user), true);
  user.Tag("own", 0);
  DynamicInstance* b = Make(user, From(a));
  const auto* other = static_cast<HandInstance*>(b->raw());
  EXPECT_EQ(other->tags[0], self->tags[1]);
  EXPECT_NE(other->tags[1], self->tags[0]);
  EXPECT_NE(other->tags[1], self->tags[1]);

  HandModule mistyped;
  mistyped.Tag("b", mistyped.Type(":"), true);
  ExpectRefused(mistyped, From(a), "expected a tag of [], found [i32 v128]");
  HandModule function;
  function.ImportFunction("b", function.Type(":"));
  ExpectRefused(function, From(a), "another kind");
  ExpectRefused(user, Only("b", *store_.MakeFunction("b", {}, nullptr)), "another kind");
  Extern invented = *tag;
  invented.tag = 1000;
  ExpectRefused(user, Only("b", invented), "expected a tag of [i32 v128]");

  StoreHandle elsewhere;
  const absl::Status status = elsewhere.Instantiate(user.Info(), From(a)).status();
  EXPECT_NE(status.message().find("belongs to another store"), std::string::npos) << status;
  EXPECT_EQ(elsewhere.Instantiate(user.Info(), {}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LinkTypes, HostsMakeTags) {
  absl::StatusOr<Extern> tag = store_.MakeTag({{ValType::kI64}, {}});
  ASSERT_TRUE(tag.ok());
  EXPECT_NE(tag->tag, store_.MakeTag({{ValType::kI64}, {}})->tag);
  EXPECT_EQ(store_.MakeTag({{}, {ValType::kI64}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  static const ValType kParams[] = {ValType::kI64};
  HandModule user;
  user.Tag("tag", user.Type({kParams, nullptr, 1, 0, 1, 0, "I:", core::kNoType, nullptr, nullptr}),
           true);
  DynamicInstance* made = Make(user, Only("tag", *tag));
  EXPECT_EQ(static_cast<HandInstance*>(made->raw())->tags[0], tag->tag);
}

// ---- Memories ----

TEST_F(LinkTypes, MemoriesMustBeOfTheSameKind) {
  const core::SizeLimitsInfo kinds[] = {
      {1, 4, true, false, false, 16}, {1, 4, true, true, false, 16}, {1, 4, true, false, true, 16},
      {1, 4, true, true, true, 16},   {1, 4, true, false, false, 0}, {1, 4, true, false, true, 0}};
  for (int i = 0; i < 6; ++i) {
    const Imports imports =
        Only("memory", *store_.MakeMemory(kinds[i], core::MemoryPolicy::kReserved));
    for (int k = 0; k < 6; ++k) {
      HandModule user;
      user.Memory("memory", kinds[k], true);
      if (i == k) {
        DynamicInstance* made = Make(user, imports);
        EXPECT_EQ(made->FindMemory("memory")->raw(), imports.Find("env", "memory")->memory);
      } else {
        ExpectRefused(user, imports, "the memory provided has other addresses");
      }
    }
  }
}

TEST_F(LinkTypes, OnlyMemoriesAccessedWithoutChecksNeedAReservation) {
  for (const auto& [limits, fits] :
       {std::pair(core::SizeLimitsInfo{1, 4, true, false, false}, false),
        std::pair(core::SizeLimitsInfo{1, 4, true, false, true}, false),
        std::pair(core::SizeLimitsInfo{1, 4, true, true, false}, true),
        std::pair(core::SizeLimitsInfo{1, 4, true, false, false, 0}, true),
        std::pair(core::SizeLimitsInfo{1, 4, true, true, true}, true)}) {
    const Imports imports =
        Only("memory", *store_.MakeMemory(limits, core::MemoryPolicy::kChecked));
    for (const auto policy : {core::MemoryPolicy::kReserved, core::MemoryPolicy::kChecked}) {
      HandModule user;
      user.Memory("memory", limits, true);
      user.info.memory_policy = policy;
      EXPECT_EQ(store_.Instantiate(user.Info(), imports).ok(),
                fits || policy == core::MemoryPolicy::kChecked);
    }
  }
}

}  // namespace
}  // namespace fermata
