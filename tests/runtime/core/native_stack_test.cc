// Guests that use up the native stack: whatever the size of their frames, the end is a trap.
#include <gtest/gtest.h>
#include <pthread.h>

#include <string>
#include <thread>
#include <vector>

#include "fermata/core/generated.h"
#include "fermata/core/memory.h"
#include "fermata/dynamic.h"
#include "tests/support/hand_module.h"

namespace fermata {
namespace {

uint32_t limit = 0;  // of the recursions below

// Frames of more than kBytes, and no check. Like generated code, this file is compiled with
// -fstack-clash-protection: what lies behind the stack's guard page may be a guest's memory.
template <size_t kBytes>
__attribute__((noinline)) uint32_t Recurse(core::Instance* base, uint32_t depth) {
  volatile char frame[kBytes];
  frame[0] = 1;
  return depth < limit ? Recurse<kBytes>(base, depth + 1) + frame[0] : 0;
}
template <size_t kBytes>
void Start(core::Instance* base) {
  Recurse<kBytes>(base, 0);
}
uint32_t GrowAt(core::Instance* base, uint32_t depth) {
  core::Memory* const memory = static_cast<HandInstance*>(base)->memories[0].memory;
  volatile char frame[2000];
  frame[0] = 1;
  memory->grow(memory, 1);
  return depth < limit ? GrowAt(base, depth + 1) + frame[0] : 0;
}
void Grow(core::Instance* base) { GrowAt(base, 0); }
void CallImport(core::Instance* base) {
  const core::Function& import = static_cast<HandInstance*>(base)->imports[0];
  reinterpret_cast<void (*)(core::Instance*)>(import.code)(import.instance);
}

// What generated code has for a function type.
uint64_t Invoke(core::Instance* base, core::AnyFunction function, const uint64_t*) {
  reinterpret_cast<void (*)(core::Instance*)>(function)(base);
  return 0;
}
void CallHost(core::Instance* base) {
  auto* const host = static_cast<core::HostInstance*>(base);
  host->call(host, nullptr, nullptr);
}

class NativeStack : public testing::TestWithParam<const char*> {
 public:
  void SetUp() override {
#if defined(FERMATA_TSAN)
    GTEST_SKIP() << "ThreadSanitizer has a list of calls of its own, which traps don't shorten";
#endif
    const uint32_t type = module_.Type({nullptr, nullptr, 0, 0, 0, 0, ":", core::kNoType, Invoke,
                                        reinterpret_cast<core::AnyFunction>(&CallHost)});
    module_.ImportFunction("host", type);
    module_.Function("small", type, Start<100>);
    module_.Function("page", type, Start<5000>);
    module_.Function("large", type, Start<200 * 1024>);
    module_.Function("huge", type, Start<3 * 1024 * 1024>);
    module_.Function("grow", type, Grow);
    module_.Function("call", type, CallImport);
    module_.Memory("memory", {1, 65536, true, false, false});
    module_.info.memory_policy = GetParam() == std::string("reserved")
                                     ? core::MemoryPolicy::kReserved
                                     : core::MemoryPolicy::kChecked;
    Imports imports;
    const HostFunction host = [](absl::Span<const uint64_t>, absl::Span<uint64_t>) {
      Recurse<100>(nullptr, 0);
      return Trap::kNone;
    };
    imports.Add("env", "host", *store_.MakeFunction("host", {}, host));
    absl::StatusOr<DynamicInstance*> made = store_.Instantiate(module_.Info(), std::move(imports));
    ASSERT_TRUE(made.ok()) << made.status();
    instance_ = *made;
  }

  void ExpectTraps() {
    // Large frames may step over the end where functions don't look at each page of theirs. Where no
    // memories are reserved, they don't.
    std::vector<const char*> names = {"small", "grow", "small"};
    if (core::kReservesMemories) names.insert(names.end(), {"page", "large", "huge", "small"});
    for (const char* name : names) {
      SCOPED_TRACE(name);
      limit = ~0u;
      EXPECT_EQ(instance_->Call(name, {})->trap(), Trap::kCallStackExhausted);
      limit = 1;  // the instance is as good as before
      EXPECT_TRUE(instance_->Call("page", {})->finished());
    }
  }

  HandModule module_;
  StoreHandle store_;
  DynamicInstance* instance_ = nullptr;
};

TEST_P(NativeStack, FramesPastItsEndAreATrap) { ExpectTraps(); }

TEST_P(NativeStack, OnOtherThreadsToo) {
  std::thread([&] { ExpectTraps(); }).join();
  for (const size_t bytes : {256 * 1024, 1024 * 1024}) {
    pthread_attr_t attributes;
    ASSERT_EQ(pthread_attr_init(&attributes), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
    pthread_t thread;
    const auto run = [](void* self) -> void* {
      static_cast<NativeStack*>(self)->ExpectTraps();
      return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, &attributes, run, this), 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
  }
}

using NativeStackDeathTest = NativeStack;

TEST_P(NativeStackDeathTest, WhatTheHostUsesUpIsItsOwnFault) {
  limit = 1;
  EXPECT_TRUE(instance_->Call("call", {})->finished());
  limit = ~0u;
  EXPECT_DEATH((void)instance_->Call("call", {}), "");
}

std::vector<const char*> Policies() {
  if (!core::kReservesMemories) return {"checked"};
  return {"reserved", "checked"};
}
INSTANTIATE_TEST_SUITE_P(Policies, NativeStack, testing::ValuesIn(Policies()),
                         [](const auto& policy) { return std::string(policy.param); });
INSTANTIATE_TEST_SUITE_P(Policies, NativeStackDeathTest, testing::ValuesIn(Policies()),
                         [](const auto& policy) { return std::string(policy.param); });

}  // namespace
}  // namespace fermata
