// What it costs to save, restore, fork and clone: one instance, one call suspended at a depth, and
// a number of KiB of memory that are not zero.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "fermata/snapshot.h"
#include "roundtrip_checked.h"
#include "roundtrip_guest.h"

namespace {

template <class Guest>
struct Held {
  std::unique_ptr<Guest> guest;
  fermata::DynamicStep step;
  fermata::RestoreHost host;

  Held(int depth, int64_t kilobytes) {
    auto made = Guest::Create();
    if (!made.ok()) std::abort();
    guest = *std::move(made);
    step = *guest->instance()->Call("hold", {fermata::Value::I32(static_cast<uint32_t>(depth))});
    fermata::Memory memory = guest->memory();
    const uint64_t bytes = static_cast<uint64_t>(kilobytes) << 10;
    if (memory.size() < bytes) (void)memory.Grow((bytes - memory.size() + 65535) / 65536);
    if (bytes != 0) std::memset(memory.data(), 1, bytes);
    host.modules = {&guest->instance()->info()};
  }
  fermata::StoreHandle& store() { return *guest->store(); }
};

template <class Guest>
void Save(benchmark::State& state) {
  Held<Guest> held(10, state.range(0));
  size_t size = 0;
  for (auto _ : state) {
    auto bytes = fermata::Save(held.store(), {&held.step});
    if (!bytes.ok()) std::abort();
    size = bytes->size();
  }
  state.counters["bytes"] = static_cast<double>(size);
  state.counters["live"] = static_cast<double>((state.range(0) << 10) + held.step.frame_bytes());
}

template <class Guest>
void Restore(benchmark::State& state) {
  Held<Guest> held(10, state.range(0));
  const std::string bytes = *fermata::Save(held.store(), {&held.step});
  for (auto _ : state) {
    auto restored = fermata::Restore(bytes, held.host);
    if (!restored.ok()) std::abort();
  }
}

template <class Guest>
void Fork(benchmark::State& state) {
  Held<Guest> held(10, state.range(0));
  for (auto _ : state) {
    auto fork = fermata::Fork(held.store(), {&held.step});
    if (!fork.ok()) std::abort();
  }
}

template <class Guest>
void ForkFromPoint(benchmark::State& state) {
  Held<Guest> held(10, state.range(0));
  auto point = fermata::ForkPoint::Make(held.store(), {&held.step});
  if (!point.ok()) std::abort();
  for (auto _ : state) {
    auto fork = point->Fork();
    if (!fork.ok()) std::abort();
  }
}

// One call of an instance becomes two.
void Clone(benchmark::State& state) {
  Held<bench::Roundtrip> held(static_cast<int>(state.range(0)), 0);
  for (auto _ : state) {
    auto clone = held.step.Clone();
    if (!clone.ok()) std::abort();
    benchmark::DoNotOptimize(clone);
  }
  state.counters["frame_bytes"] = held.step.frame_bytes();
}

// Many, all there at once.
void Clones(benchmark::State& state) {
  Held<bench::Roundtrip> held(10, 0);
  for (auto _ : state) {
    std::vector<fermata::DynamicStep> steps;
    steps.reserve(static_cast<size_t>(state.range(0)));
    for (int64_t i = 0; i < state.range(0); ++i) steps.push_back(*held.step.Clone());
    state.PauseTiming();
    if (!steps.back().Resume({fermata::Value::I32(0)}).ok() || !steps.back().finished()) {
      std::abort();
    }
    steps.clear();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK_TEMPLATE(Save, bench::Roundtrip)->Arg(0)->Arg(64)->Arg(1024);
BENCHMARK_TEMPLATE(Restore, bench::Roundtrip)->Arg(0)->Arg(64)->Arg(1024);
BENCHMARK_TEMPLATE(Restore, bench::RoundtripChecked)->Arg(0)->Arg(64)->Arg(1024);
BENCHMARK_TEMPLATE(Fork, bench::Roundtrip)->Arg(0)->Arg(64)->Arg(1024);
BENCHMARK_TEMPLATE(Fork, bench::RoundtripChecked)->Arg(0)->Arg(64)->Arg(1024);
BENCHMARK_TEMPLATE(ForkFromPoint, bench::Roundtrip)->Arg(0)->Arg(64)->Arg(1024)->Arg(65536);
BENCHMARK(Clone)->Arg(1)->Arg(10)->Arg(100);
BENCHMARK(Clones)->Arg(1000000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
