// Suspend + resume, with the stack below kept: `hold` recurses to a depth, then suspends again and
// again in a loop at the bottom. One iteration is one suspension and one resumption.
#include <benchmark/benchmark.h>

#include "fermata/core.h"
#include "fermata/dynamic.h"

namespace bench {
const fermata::core::ModuleInfo& RoundtripModuleInfo();
}

namespace {

void SuspendResume(benchmark::State& state) {
  fermata::StoreHandle store;
  auto instance = store.Instantiate(bench::RoundtripModuleInfo(), {});
  if (!instance.ok()) return state.SkipWithError("instantiation failed");
  auto step = (*instance)->Call("hold", {fermata::Value::I32(state.range(0))});
  if (!step.ok() || !step->suspended()) return state.SkipWithError("did not suspend");
  fermata::core::Context* context = (*instance)->raw()->context;
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
BENCHMARK(SuspendResume)->RangeMultiplier(10)->Range(1, 10000);

void SuspendResumeDynamic(benchmark::State& state) {
  fermata::StoreHandle store;
  auto instance = store.Instantiate(bench::RoundtripModuleInfo(), {});
  if (!instance.ok()) return state.SkipWithError("instantiation failed");
  auto step = (*instance)->Call("hold", {fermata::Value::I32(1)});
  if (!step.ok()) return state.SkipWithError("did not suspend");
  const fermata::Value answer = fermata::Value::I32(1);
  for (auto _ : state) {
    if (!step->Resume({&answer, 1}).ok() || !step->suspended()) {
      return state.SkipWithError("did not suspend again");
    }
  }
}
BENCHMARK(SuspendResumeDynamic);

}  // namespace
