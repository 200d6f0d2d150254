// Canonical types: equal by their keys, in whatever module and thread; supertypes; what references
// may refer to.
#include "runtime/host/types.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace fermata::internal {
namespace {

using core::FuncType;
using core::kNoType;
using core::RefType;

uint64_t Invoke(core::Instance*, core::AnyFunction, const uint64_t*) { return 0; }

constexpr ValType kAll[] = {ValType::kI32,       ValType::kI64,    ValType::kF32,
                            ValType::kF64,       ValType::kV128,   ValType::kFuncRef,
                            ValType::kExternRef, ValType::kExnRef, ValType::kAnyRef};

FuncType Func(const char* key, uint32_t supertype = kNoType) {
  return {nullptr, nullptr, 0, 0, 0, 0, key, supertype, Invoke, nullptr};
}
FuncType Composite(const char* key, uint32_t supertype = kNoType) {
  return {
      nullptr, nullptr, 0, 0, 0, 0, key, supertype, nullptr, nullptr, core::ObjectKind::kStruct};
}

TEST(Types, AreEqualIfTheirKeysAre) {
  const FuncType one[] = {Func("types_test a"), Func("types_test b")};
  const FuncType two[] = {Func("types_test b"), Func("types_test c"), Func("types_test a")};
  const std::vector<uint32_t> first = CanonicalTypes(one), second = CanonicalTypes(two);
  EXPECT_EQ(first[0], second[2]);
  EXPECT_EQ(first[1], second[0]);
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(second[1], first[0]);
}

TEST(Types, TheHostMakesKeysOfItsSignatures) {
  const Signature signature = {{std::begin(kAll), std::end(kAll)}, {ValType::kV128}};
  const FuncType type[] = {{kAll, kAll + 4, 9, 1, 10, 2, "iIfFVrxea:V", kNoType, Invoke, nullptr}};
  const uint32_t number = CanonicalType(signature);
  EXPECT_EQ(CanonicalTypes(type)[0], number);
  EXPECT_EQ(SignatureOfType(number), signature);
  EXPECT_EQ(SlotsOf(signature.params), 10u);
  EXPECT_EQ(SlotsOf(signature.results), 2u);
  EXPECT_NE(CanonicalType({{ValType::kI32}, {}}), CanonicalType({{}, {ValType::kI32}}));
}

TEST(Types, SubtypesAreThoseDeclared) {
  const FuncType types[] = {Func("types_test top"), Func("types_test middle", 0),
                            Func("types_test bottom", 1), Func("types_test beside", 0)};
  const std::vector<uint32_t> t = CanonicalTypes(types);
  const bool expected[4][4] = {{true, false, false, false},
                               {true, true, false, false},
                               {true, true, true, false},
                               {true, false, false, true}};
  for (int i = 0; i < 4; ++i) {
    for (int k = 0; k < 4; ++k) EXPECT_EQ(IsSubtype(t[i], t[k]), expected[i][k]) << i << k;
  }
  EXPECT_FALSE(IsSubtype(t[0], kNoType));
}

TEST(Types, References) {
  const FuncType types[] = {Func("types_test f"), Func("types_test g", 0),
                            Composite("types_test s"), Composite("types_test t", 2)};
  const std::vector<uint32_t> t = CanonicalTypes(types);
  const auto abstract = [](uint8_t heap) { return RefType{heap, true, 0}; };
  const auto concrete = [&](int i) { return RefType{0, true, t[i]}; };
  const RefType func = abstract(0x70), nofunc = abstract(0x73), any = abstract(0x6e),
                eq = abstract(0x6d), i31 = abstract(0x6c), none = abstract(0x71),
                ext = abstract(0x6f), noextern = abstract(0x72), exn = abstract(0x69),
                noexn = abstract(0x74);
  const RefType f = concrete(0), g = concrete(1), s = concrete(2), u = concrete(3);
  const auto exact = [&](int i) { return RefType{core::kExactHeap, true, t[i]}; };
  const RefType structs = abstract(0x6b), arrays = abstract(0x6a);
  const std::pair<RefType, RefType> kYes[] = {{s, structs},
                                              {none, structs},
                                              {none, arrays},
                                              {exact(2), s},
                                              {exact(2), exact(2)},
                                              {exact(3), s},
                                              {exact(3), structs},
                                              {none, exact(2)},
                                              {nofunc, exact(0)},
                                              {exact(1), f},
                                              {func, func},
                                              {f, func},
                                              {g, f},
                                              {g, func},
                                              {nofunc, f},
                                              {nofunc, func},
                                              {eq, any},
                                              {i31, eq},
                                              {s, eq},
                                              {s, any},
                                              {u, s},
                                              {none, u},
                                              {none, i31},
                                              {none, any},
                                              {f, f},
                                              {exn, exn},
                                              {noextern, ext},
                                              {noexn, exn},
                                              {i31, any},
                                              {none, eq},
                                              {ext, ext}};
  for (const auto& [type, wanted] : kYes) {
    EXPECT_TRUE(IsSubtype(type, wanted)) << int{type.heap} << ' ' << int{wanted.heap};
    // Null does not go where it is not wanted.
    RefType strict = wanted;
    strict.nullable = false;
    EXPECT_FALSE(IsSubtype(type, strict));
    RefType both = type;
    both.nullable = false;
    EXPECT_TRUE(IsSubtype(both, strict));
    EXPECT_TRUE(IsSubtype(both, wanted));
  }
  const std::pair<RefType, RefType> kNo[] = {{s, exact(2)},    {exact(3), exact(2)},
                                             {s, arrays},      {f, exact(0)},
                                             {exact(2), func}, {structs, s},
                                             {i31, structs},   {func, f},
                                             {f, g},           {any, eq},
                                             {eq, i31},        {f, any},
                                             {s, func},        {none, func},
                                             {nofunc, any},    {s, u},
                                             {f, s},           {none, f},
                                             {exn, any},       {ext, any},
                                             {nofunc, s},      {ext, func},
                                             {any, ext},       {s, i31},
                                             {i31, s},         {func, exn}};
  for (const auto& [type, wanted] : kNo) {
    EXPECT_FALSE(IsSubtype(type, wanted)) << int{type.heap} << ' ' << int{wanted.heap};
  }
  EXPECT_TRUE(SameType(f, f));
  EXPECT_FALSE(SameType(f, g));
  EXPECT_FALSE(SameType(f, func));
  EXPECT_FALSE(SameType(func, RefType{0x70, false, 0}));
  EXPECT_TRUE(SameType(func, RefType{0x70, true, 77}));  // abstract: no number
}

// Numbers from several threads at once, past the first blocks; readers meanwhile.
TEST(Types, AreNumberedByAnyThread) {
  constexpr int kThreads = 4, kTypes = 3000;
  std::vector<std::vector<uint32_t>> numbers(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&numbers, i] {
      for (int k = 0; k < kTypes; ++k) {
        Signature signature;
        for (int rest = k; rest != 0; rest /= 9) signature.params.push_back(kAll[rest % 9]);
        const uint32_t number = CanonicalType(signature);
        numbers[i].push_back(number);
        ASSERT_EQ(SignatureOfType(number), signature);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 1; i < kThreads; ++i) EXPECT_EQ(numbers[i], numbers[0]);
}

}  // namespace
}  // namespace fermata::internal
