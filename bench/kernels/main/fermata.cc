// Runs a kernel translated by Fermata, its import answered with 0: by resuming the call, or with
// --answer as the first argument at once.
#include <cstring>

#include "bench/kernels/main/main.h"
#include "fermata/dynamic.h"

extern "C" const fermata::core::ModuleInfo* fermata_module();

namespace {

fermata::DynamicInstance* instance;

fermata::HostReply AnswerZero(fermata::DynamicInstance&, absl::Span<const uint64_t>,
                              absl::Span<uint64_t> results) {
  results[0] = 0;
  return fermata::HostReply::Answered();
}

}  // namespace

unsigned kernel_run(unsigned n) {
  auto step = instance->Call("run", {fermata::Value::I32(n)});
  if (!step.ok()) std::abort();
  while (step->suspended()) {
    if (!step->Resume({fermata::Value::I32(0)}).ok()) std::abort();
  }
  if (!step->finished()) std::abort();
  return step->results()[0].i32();
}

int main(int argc, char** argv) {
  const bool answer = argc > 1 && std::strcmp(argv[1], "--answer") == 0;
  fermata::StoreHandle store;
  fermata::Imports imports;
  // Translated as immediate, it has to be answered at once.
  if (answer || fermata_module()->imports[0].suspend == nullptr) {
    imports.AddAnswering("env", "rare", {{fermata::ValType::kI32}, {fermata::ValType::kI32}},
                         AnswerZero);
  }
  auto made = store.Instantiate(*fermata_module(), imports);
  if (!made.ok()) {
    std::fprintf(stderr, "%s\n", made.status().ToString().c_str());
    return 1;
  }
  instance = *made;
  run_all(argc - 1 - answer, argv + 1 + answer);
  return 0;
}
