// Shared memories: one memory in several stores on several threads.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "fermata/core/atomics.h"
#include "fermata/core/memory.h"
#include "tests/support/hand_module.h"

namespace fermata {
namespace {

using core::Instance;

// (op, address, value, timeout) -> i64
enum Op : uint32_t { kLoad, kStore, kCheckedLoad, kWait32, kWait64, kNotify, kGrow, kPages, kFill };

uint64_t Probe(Instance* base, uint32_t op, uint64_t address, uint64_t value, uint64_t timeout) {
  core::Memory* memory = static_cast<HandInstance*>(base)->memories[0].memory;
  auto* cell = reinterpret_cast<uint64_t*>(memory->data + address);
  switch (op) {
    case kLoad:
      return __atomic_load_n(cell, __ATOMIC_SEQ_CST);
    case kStore:
      __atomic_store_n(cell, value, __ATOMIC_SEQ_CST);
      return 0;
    case kCheckedLoad:
      return core::i64_load(core::MemShared(base, static_cast<HandInstance*>(base)->memories[0]),
                            address, 0);
    case kWait32:
      return core::atomic_wait32(base, memory, address, static_cast<uint32_t>(value),
                                 static_cast<int64_t>(timeout));
    case kWait64:
      return core::atomic_wait64(base, memory, address, value, static_cast<int64_t>(timeout));
    case kNotify:
      return core::atomic_notify(base, memory, address, static_cast<uint32_t>(value));
    case kGrow:
      return core::memory_grow(base, memory, value);
    case kPages:
      return core::memory_pages(memory);
    case kFill:
      core::memory_fill(base, memory, address, 1, value);
      return 0;
  }
  return ~uint64_t{0};
}
uint64_t InvokeProbe(Instance* base, core::AnyFunction function, const uint64_t* a) {
  return reinterpret_cast<uint64_t (*)(Instance*, uint32_t, uint64_t, uint64_t, uint64_t)>(
      function)(base, static_cast<uint32_t>(a[0]), a[1], a[2], a[3]);
}
constexpr ValType kTypes[] = {ValType::kI32, ValType::kI64, ValType::kI64, ValType::kI64};

core::SizeLimitsInfo Limited(uint64_t min, uint64_t max, bool shared) {
  return {min, max, true, false, shared};
}

// A store with one instance that imports the memory.
class Guest {
 public:
  explicit Guest(const Extern& memory) {
    module_.Function("probe",
                     module_.Type({kTypes, kTypes + 3, 4, 1, 4, 1, "iIII:I", core::kNoType,
                                   InvokeProbe, nullptr}),
                     Probe);
    module_.Memory("memory", memory.memory_limits, true);
    Imports imports;
    imports.Add("env", "memory", memory);
    absl::StatusOr<DynamicInstance*> made = store_.Instantiate(module_.Info(), imports);
    EXPECT_TRUE(made.ok()) << made.status();
    if (made.ok()) instance_ = *made;
  }
  DynamicStep Step(Op op, uint64_t address = 0, uint64_t value = 0, int64_t timeout = -1) {
    absl::StatusOr<DynamicStep> step =
        instance_->CallFunction(0, {{Value::I32(op), Value::I64(address), Value::I64(value),
                                     Value::I64(static_cast<uint64_t>(timeout))}});
    EXPECT_TRUE(step.ok()) << step.status();
    return *std::move(step);
  }
  uint64_t Run(Op op, uint64_t address = 0, uint64_t value = 0, int64_t timeout = -1) {
    const DynamicStep step = Step(op, address, value, timeout);
    EXPECT_TRUE(step.finished()) << step.message();
    return step.finished() ? step.results()[0].i64() : ~uint64_t{0};
  }
  DynamicInstance* instance() { return instance_; }

 private:
  HandModule module_;
  StoreHandle store_;
  DynamicInstance* instance_ = nullptr;
};

constexpr uint32_t kWoken = 0, kNotEqual = 1, kTimedOut = 2;
constexpr core::MemoryPolicy kPolicies[] = {core::MemoryPolicy::kReserved,
                                            core::MemoryPolicy::kChecked};

TEST(SharedMemory, OutlivesTheStoreThatMadeIt) {
  for (const auto policy : kPolicies) {
    if (policy == core::MemoryPolicy::kReserved && kUsualPolicy != policy) continue;
    auto owner = std::make_unique<StoreHandle>();
    std::optional<Extern> memory = *owner->MakeMemory(Limited(1, 2, true), policy);
    // Between the death of its store and its next use the extern keeps it.
    owner.reset();
    HandModule module;
    module.Memory("memory", memory->memory_limits, true);
    module.info.memory_policy = policy;
    Imports imports;
    imports.Add("env", "memory", *memory);
    memory.reset();
    StoreHandle one, two;
    absl::StatusOr<DynamicInstance*> first = one.Instantiate(module.Info(), imports);
    ASSERT_TRUE(first.ok()) << first.status();
    // Passed on by an instance.
    absl::StatusOr<Extern> found = (*first)->Find("memory");
    ASSERT_TRUE(found.ok());
    Imports chain;
    chain.Add("env", "memory", *found);
    absl::StatusOr<DynamicInstance*> second = two.Instantiate(module.Info(), chain);
    ASSERT_TRUE(second.ok()) << second.status();
    imports = chain = Imports();
    Memory a = *(*first)->FindMemory("memory"), b = *(*second)->FindMemory("memory");
    EXPECT_EQ(a.data(), b.data());
    EXPECT_EQ(*a.Grow(1), 1u);
    EXPECT_EQ(b.pages(), 2u);
    EXPECT_EQ(b.size(), 2u * 65536);
    b.data()[70000] = 5;
    EXPECT_EQ(a.data()[70000], 5);
  }
}

TEST(SharedMemory, UnsharedMemoriesBelongToOneStore) {
  StoreHandle owner, other;
  absl::StatusOr<Extern> memory =
      owner.MakeMemory(Limited(1, 2, false), core::MemoryPolicy::kReserved);
  EXPECT_EQ(memory->shared_memory, nullptr);
  HandModule module;
  module.Memory("memory", memory->memory_limits, true);
  Imports imports;
  imports.Add("env", "memory", *memory);
  const absl::Status status = other.Instantiate(module.Info(), imports).status();
  EXPECT_NE(status.message().find("belongs to another store"), std::string::npos) << status;
}

TEST(SharedMemory, WaitsTrapAndNotificationsFindNobodyIfItIsNotShared) {
  HandModule module;
  module.Function(
      "probe",
      module.Type({kTypes, kTypes + 3, 4, 1, 4, 1, "iIII:I", core::kNoType, InvokeProbe, nullptr}),
      Probe);
  module.Memory("memory", Limited(1, 2, false));
  StoreHandle store;
  absl::StatusOr<DynamicInstance*> made = store.Instantiate(module.Info(), {});
  ASSERT_TRUE(made.ok());
  const auto run = [&](Op op) {
    return *(*made)->CallFunction(0,
                                  {{Value::I32(op), Value::I64(0), Value::I64(0), Value::I64(0)}});
  };
  EXPECT_EQ(run(kWait32).trap(), Trap::kUnsharedWait);
  EXPECT_EQ(run(kWait64).trap(), Trap::kUnsharedWait);
  ASSERT_TRUE(run(kNotify).finished());
  EXPECT_EQ(run(kNotify).results()[0].i64(), 0u);
}

TEST(SharedMemory, GuestsOfTwoStoresWaitForEachOther) {
  StoreHandle owner;
  const Extern memory = *owner.MakeMemory(Limited(1, 2, true), core::MemoryPolicy::kReserved);
  Guest main(memory);
  EXPECT_EQ(main.Run(kWait32, 0, 1), kNotEqual);
  EXPECT_EQ(main.Run(kWait64, 0, 1), kNotEqual);
  EXPECT_EQ(main.Run(kWait32, 0, 0, 1000000), kTimedOut);
  EXPECT_EQ(main.Run(kWait64, 0, 0, 0), kTimedOut);
  EXPECT_EQ(main.Run(kNotify, 0, 10), 0u);
  std::thread thread([&memory] {
    Guest worker(memory);
    worker.Run(kStore, 64, 1);
    EXPECT_EQ(worker.Run(kWait32, 8, 0), kWoken);
    EXPECT_EQ(worker.Run(kLoad, 16), 77u);
    EXPECT_EQ(worker.Run(kWait64, 8, 0), kWoken);
  });
  main.Run(kStore, 16, 77);
  while (main.Run(kNotify, 8, 1) == 0) std::this_thread::yield();
  EXPECT_EQ(main.Run(kLoad, 64), 1u);
  while (main.Run(kNotify, 8, ~uint32_t{0}) == 0) std::this_thread::yield();
  thread.join();
}

// Every thread grows by one page, again and again; each page is there as soon as the growth is.
TEST(SharedMemory, GrowsUnderOtherThreads) {
  constexpr uint64_t kThreads = 4, kPagesEach = 50;
  for (const auto policy : kPolicies) {
    if (policy == core::MemoryPolicy::kReserved && kUsualPolicy != policy) continue;
    StoreHandle owner;
    const Extern memory = *owner.MakeMemory(Limited(1, 1 + kThreads * kPagesEach, true), policy);
    const uint8_t* data = memory.memory->data;
    std::atomic<uint64_t> sum{0};
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        std::optional<Guest> guest;
        if (policy == core::MemoryPolicy::kReserved) guest.emplace(memory);
        Memory view(memory.memory);
        for (uint64_t k = 0; k < kPagesEach; ++k) {
          const uint64_t before = guest ? guest->Run(kGrow, 0, 1) : *view.Grow(1);
          sum += before;
          EXPECT_GT(view.pages(), before);
          EXPECT_GE(view.size(), (before + 1) * 65536);
          ASSERT_NE(view.Span(before * 65536, 65536).data(), nullptr);
          view.Span(before * 65536, 65536)[65535] = 1;
          if (guest) {
            EXPECT_EQ(guest->Run(kFill, before * 65536, 65536), 0u);
            EXPECT_GT(guest->Run(kPages), before);
            EXPECT_EQ(guest->Run(kCheckedLoad, before * 65536 + 65528), 0x0101010101010101u);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    // Each size was returned once.
    constexpr uint64_t kAll = kThreads * kPagesEach;
    EXPECT_EQ(sum, kAll * (kAll + 1) / 2);
    EXPECT_EQ(memory.memory->data, data);
    EXPECT_EQ(Memory(memory.memory).pages(), 1 + kAll);
    EXPECT_FALSE(Memory(memory.memory).Grow(1).ok());
  }
}

TEST(SharedMemory, AccessesOutOfBoundsTrapInEachStore) {
  StoreHandle owner;
  const Extern memory = *owner.MakeMemory(Limited(1, 1, true), core::MemoryPolicy::kReserved);
  Guest one(memory), two(memory);
  for (Guest* guest : {&one, &two}) {
    EXPECT_EQ(guest->Step(kFill, 65536, 1).trap(), Trap::kMemoryOutOfBounds);
    EXPECT_EQ(guest->Step(kCheckedLoad, 65529).trap(), Trap::kMemoryOutOfBounds);
    EXPECT_EQ(guest->Run(kCheckedLoad, 65528), 0u);
    if (kUsualPolicy == core::MemoryPolicy::kChecked) continue;
    // Without a check: a fault.
    EXPECT_EQ(guest->Step(kLoad, 65536).trap(), Trap::kMemoryOutOfBounds);
    EXPECT_EQ(guest->Step(kStore, uint64_t{5} << 30).trap(), Trap::kMemoryOutOfBounds);
  }
}

}  // namespace
}  // namespace fermata
