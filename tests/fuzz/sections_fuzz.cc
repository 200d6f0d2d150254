// Custom sections as they come, of debug information too: a sound module, with a section whose name
// the first byte chooses and whose contents are the rest. Whatever is in it, the module is as good
// as without it, so it must be translated.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.h"
#include "tests/support/wasm_builder.h"
#include "translator/pipeline.h"

namespace fermata::fuzz {
namespace {

using testing_support::Bytes;
using testing_support::Code;
using testing_support::WasmBuilder;
using wasm::Opcode;

constexpr const char* kNames[] = {"name",
                                  ".debug_info",
                                  ".debug_line",
                                  ".debug_abbrev",
                                  ".debug_str",
                                  "producers",
                                  "target_features",
                                  "dylink.0",
                                  "reloc.CODE",
                                  "linking",
                                  "sourceMappingURL",
                                  "external_debug_info",
                                  "build_id",
                                  "metadata.code.branch_hint"};

WasmBuilder Sound() {
  WasmBuilder builder;
  const uint32_t type = builder.Type("ii", "i");
  builder.ImportFunction(type);
  builder.Memory(1);
  builder.Global('i', true, Code(Opcode::kI32Const, 1));
  builder.Function(type, "iI", Code(Opcode::kLocalGet, 0, Opcode::kLocalGet, 1, Opcode::kCall, 0));
  builder.Function(type, "f", Code(Opcode::kLocalGet, 0, Opcode::kLocalGet, 1, Opcode::kCall, 1));
  builder.Export("f", 0, 2);
  return builder;
}

}  // namespace

std::vector<std::string> Seeds() {
  // Module, functions, locals, globals.
  std::string names("\x00", 1);
  names += std::string("\x00\x04\x03mod", 6);
  names += std::string("\x01\x0c\x03\x00\x02im\x01\x01\x66\x02\x01g", 14);
  names += std::string("\x02\x0b\x01\x01\x03\x00\x01\x61\x01\x01\x62\x02\x01\x63", 14);
  std::vector<std::string> seeds = {names};
  for (size_t i = 1; i < std::size(kNames); ++i) {
    seeds.push_back(std::string(1, static_cast<char>(i)) + names.substr(1));
  }
  return seeds;
}

}  // namespace fermata::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fermata;        // NOLINT: the function's own name is a global one
  using namespace fermata::fuzz;  // NOLINT
  if (size == 0) return 0;
  WasmBuilder builder = Sound();
  builder.Custom(kNames[data[0] % std::size(kNames)], Bytes(data + 1, data + size));
  TranslateOptions options;
  options.report = "report.json";
  options.discard = true;
  options.threads = 1;
  const absl::Status status = TranslateBytes("fuzz.wasm", builder.Build(), options);
  if (!status.ok()) {
    std::fprintf(stderr, "refused: %s\n", status.ToString().c_str());
    std::abort();
  }
  return 0;
}
