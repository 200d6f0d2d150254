// What suspending costs in time, side by side with peers that run the same guest. In the round
// trips `hold` recurses to a depth, then suspends again and again in a loop at the bottom: one
// iteration is one suspension and one resumption, with the stack below kept.
#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <variant>

#include "bench/suspension/asyncify_guest.h"
#include "bench/suspension/fiber_guest.h"
#include "bench/suspension/peers.h"
#include "fermata/answering.h"
#include "fermata/core/module_info.h"
#include "roundtrip_checked.h"
#include "roundtrip_guest.h"
#include "roundtrip_plain.h"

namespace {

using bench::Roundtrip;
using bench::RoundtripChecked;
using bench::RoundtripPlain;

void Depths(benchmark::internal::Benchmark* b) { b->RangeMultiplier(10)->Range(1, 10000); }

// ---- Round trips
// ---------------------------------------------------------------------------------

void CoreRoundtrip(benchmark::State& state) {
  auto guest = Roundtrip::Create();
  if (!guest.ok()) return state.SkipWithError("instantiation failed");
  auto step = (*guest)->instance()->Call("hold", {fermata::Value::I32(state.range(0))});
  if (!step.ok() || !step->suspended()) return state.SkipWithError("did not suspend");
  fermata::core::Context* context = (*guest)->instance()->raw()->context;
  fermata::core::Activation& activation = *step->raw_activation();
  const uint64_t answer = 1;
  for (auto _ : state) {
    if (fermata::core::Resume(*context, activation, &answer, 1) !=
        fermata::core::Exit::kSuspended) {
      return state.SkipWithError("did not suspend again");
    }
  }
  state.counters["frames"] = activation.depth;
  state.counters["bytes"] = activation.size;
}
BENCHMARK(CoreRoundtrip)->Apply(Depths);

void TypedRoundtrip(benchmark::State& state) {
  auto guest = Roundtrip::Create();
  if (!guest.ok()) return state.SkipWithError("instantiation failed");
  auto step = (*guest)->hold(static_cast<int32_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(std::get<Roundtrip::env_rare>(step.op()).a0);
    if (!step.Resume<Roundtrip::env_rare>(1).ok()) {
      return state.SkipWithError("did not suspend again");
    }
  }
}
BENCHMARK(TypedRoundtrip)->Apply(Depths);

void DynamicRoundtrip(benchmark::State& state) {
  auto guest = Roundtrip::Create();
  if (!guest.ok()) return state.SkipWithError("instantiation failed");
  auto step = (*guest)->instance()->Call("hold", {fermata::Value::I32(state.range(0))});
  if (!step.ok()) return state.SkipWithError("did not suspend");
  const fermata::Value answer = fermata::Value::I32(1);
  for (auto _ : state) {
    if (!step->Resume({&answer, 1}).ok() || !step->suspended()) {
      return state.SkipWithError("did not suspend again");
    }
  }
}
BENCHMARK(DynamicRoundtrip)->Apply(Depths);

#if defined(BENCH_FIBERS)
void FiberRoundtrip(benchmark::State& state) {
  bench::FiberInstance instance;
  bench::FiberCall call(instance, static_cast<u32>(state.range(0)), 8 << 20);
  for (auto _ : state) call.Resume();
}
BENCHMARK(FiberRoundtrip)->Apply(Depths);
#endif

#if defined(BENCH_ASYNCIFY)
void AsyncifyRoundtrip(benchmark::State& state) {
  bench::AsyncifyCall call(static_cast<u32>(state.range(0)));
  for (auto _ : state) call.Resume();
}
BENCHMARK(AsyncifyRoundtrip)->Apply(Depths);
#endif

// ---- Imports that do not suspend
// -----------------------------------------------------------------

constexpr int kAsked = 1000;

fermata::HostReply AnswerOne(fermata::DynamicInstance&, absl::Span<const uint64_t>,
                             absl::Span<uint64_t> results) {
  results[0] = 1;
  return fermata::HostReply::Answered();
}

struct AnsweringHost {
  std::optional<int32_t> Rare(int32_t) { return 1; }
};

// An import that may suspend, answered without. The figure is for kAsked calls.
void AnswerAtOnce(benchmark::State& state) {
  AnsweringHost host;
  fermata::StoreHandle store;
  fermata::Imports imports;
  fermata::AddAnswering<&AnsweringHost::Rare>(imports, "env", "rare", host);
  auto guest = Roundtrip::Create(store, std::move(imports));
  if (!guest.ok()) return state.SkipWithError("instantiation failed");
  for (auto _ : state) {
    if (!(*guest)->ask(kAsked).finished()) return state.SkipWithError("did not finish");
  }
}
BENCHMARK(AnswerAtOnce);

// The same by the dynamic API.
void DynamicAnswerAtOnce(benchmark::State& state) {
  fermata::StoreHandle store;
  fermata::Imports imports;
  imports.AddAnswering("env", "rare", {{fermata::ValType::kI32}, {fermata::ValType::kI32}},
                       AnswerOne);
  auto guest = Roundtrip::Create(store, std::move(imports));
  if (!guest.ok()) return state.SkipWithError("instantiation failed");
  for (auto _ : state) {
    if (!(*guest)->ask(kAsked).finished()) return state.SkipWithError("did not finish");
  }
}
BENCHMARK(DynamicAnswerAtOnce);

struct PlainHost : bench::RoundtripPlainHost {
  int32_t env_rare(int32_t) override { return 1; }
};

// An immediate import, through the typed API.
void ImmediateImport(benchmark::State& state) {
  PlainHost host;
  auto guest = RoundtripPlain::Create(host);
  if (!guest.ok()) return state.SkipWithError("instantiation failed");
  for (auto _ : state) {
    if (!(*guest)->ask(kAsked).finished()) return state.SkipWithError("did not finish");
  }
}
BENCHMARK(ImmediateImport);

#if defined(BENCH_WASM2C)
u32 PlainRare(PeerEnv*, u32) { return 1; }

void Wasm2cImport(benchmark::State& state) {
  PeerEnv env{PlainRare};
  wasm_rt_init();
  W2C_INSTANCE(peerroundtrip) guest;
  W2C_INSTANTIATE(peerroundtrip, &guest, &env);
  for (auto _ : state) benchmark::DoNotOptimize(W2C_FUNCTION(peerroundtrip, ask)(&guest, kAsked));
  W2C_FREE(peerroundtrip)(&guest);
}
BENCHMARK(Wasm2cImport);
#endif

// ---- Instances
// -----------------------------------------------------------------------------------

template <class Guest>
void CreateInstance(benchmark::State& state) {
  for (auto _ : state) {
    auto guest = Guest::Create();
    if (!guest.ok()) return state.SkipWithError("instantiation failed");
  }
}
BENCHMARK_TEMPLATE(CreateInstance, Roundtrip)->Name("CreateReserved");
BENCHMARK_TEMPLATE(CreateInstance, RoundtripChecked)->Name("CreateChecked");

#if defined(BENCH_WASM2C)
// Few iterations: wasm2c's runtime never gives the address space of a memory back.
void CreateWasm2c(benchmark::State& state) {
  PeerEnv env{PlainRare};
  wasm_rt_init();
  for (auto _ : state) {
    W2C_INSTANCE(peerroundtrip) guest;
    W2C_INSTANTIATE(peerroundtrip, &guest, &env);
    W2C_FREE(peerroundtrip)(&guest);
  }
}
BENCHMARK(CreateWasm2c)->Iterations(300);
#endif

}  // namespace
