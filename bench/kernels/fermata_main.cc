// Runs a kernel translated by Fermata: run(argv[1]), with any suspension answered by 0.
#include <cstdio>
#include <cstdlib>

#include "fermata/dynamic.h"

namespace bench {
const fermata::core::ModuleInfo& KernelModuleInfo();
}

int main(int argc, char** argv) {
  const uint32_t n = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  fermata::StoreHandle store;
  fermata::Imports imports;
  if (bench::KernelModuleInfo().imports[0].suspend == nullptr) {  // translated as immediate
    auto rare = store.MakeFunction("rare", {{fermata::ValType::kI32}, {fermata::ValType::kI32}},
                                   [](auto, auto) { return fermata::Trap::kNone; });
    if (!rare.ok()) return 1;
    imports.Add("env", "rare", *rare);
  }
  auto instance = store.Instantiate(bench::KernelModuleInfo(), imports);
  if (!instance.ok()) return 1;
  auto step = (*instance)->Call("run", {fermata::Value::I32(n)});
  if (!step.ok()) return 1;
  while (step->suspended()) {
    if (!step->Resume({fermata::Value::I32(0)}).ok()) return 1;
  }
  if (!step->finished()) return 1;
  std::printf("%u\n", step->results()[0].i32());
  return 0;
}
