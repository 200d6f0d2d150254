// The whole translator: reader, validator, IR, emitter. The first two bytes choose the options, the
// rest is the module. Nothing is written.
#include "tests/differential/shapes.h"
#include "tests/fuzz/target.h"
#include "translator/pipeline.h"

namespace fermata::fuzz {
namespace {

TranslateOptions Options(uint8_t first, uint8_t second) {
  TranslateOptions options;
  options.discard = true;
  options.threads = 1;
  options.emit.shape = static_cast<emit::ShapeChoice>(first % 4);
  options.emit.memory =
      (first & 4) != 0 ? emit::MemoryPolicy::kChecked : emit::MemoryPolicy::kReserved;
  options.emit.preempt = static_cast<emit::Preempt>((first >> 3) % 3);
  options.emit.suspend_everywhere = (first & 0x40) != 0;
  options.emit.wasi = (first & 0x80) != 0;
  if ((second & 1) != 0) {  // every function in pieces
    options.emit.giant_bytes = 0;
    options.emit.piece_size = 1 + second / 16;
  }
  if ((second & 2) != 0) options.emit.immediate = {"*.*"};
  if ((second & 4) != 0) options.report = "report.json";
  if ((second & 8) != 0) options.ir = "ir.txt";
  if ((second & 0x30) != 0) options.emit.memory = emit::MemoryPolicy::kFixed;
  if ((second & 0x20) != 0) {
    options.emit.freestanding = true;
    options.emit.frame_bytes = 1024;
    options.tell = [](absl::string_view) {};
  }
  options.emit.shards = 1 + (second >> 6);
  return options;
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  const auto add = [&](const std::string& module) {
    for (const char* options :
         {"\x00\x00", "\x45\x0e", "\x12\x41", "\x0c\x02", "\x0a\x20", "\x01\x12"}) {
      seeds.push_back(std::string(options, 2) + module);
    }
  };
  for (const char* path :
       {"tests/fuzz/mix.wasm", "tests/fuzz/linked.wasm", "tests/runtime/wasi/paused.wasm",
        "tests/runtime/wasi/every_function.wasm"}) {
    add(ReadSource(path));
  }
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const testing_support::Bytes module = differential::RandomModule(seed);
    if (module.size() < 4000) add({module.begin(), module.end()});
  }
  return seeds;
}

}  // namespace fermata::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fermata;  // NOLINT: the function's own name is a global one
  if (size < 2) return 0;
  TranslateBytes("fuzz.wasm", {data + 2, size - 2}, fuzz::Options(data[0], data[1])).IgnoreError();
  return 0;
}
