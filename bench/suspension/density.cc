// What suspended calls and instances cost in memory. One measurement a process, so that nothing is
// left over from another:
//
//   density activations core|heap|typed|fibers COUNT   calls of one instance, suspended at depth
//   10:
//                   in an array of the host's, with room for the frames of one such call each; with
//                   frames in the heap; by the typed API; peers
//   density instances reserved|checked COUNT      instances, each with one such call
//
// Prints a JSON object: "count" as many as there could be, "bytes" resident for each, and "stopped"
// why there were no more.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/suspension/fiber_guest.h"
#include "fermata/core/module_info.h"
#include "roundtrip_checked.h"
#include "roundtrip_guest.h"

namespace {

constexpr int kDepth = 10;

uint64_t Resident() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long size = 0, resident = 0;
  if (file == nullptr || std::fscanf(file, "%lu %lu", &size, &resident) != 2) std::abort();
  std::fclose(file);
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// Of the machine; ~0 if it can't be told.
uint64_t Available() {
  std::FILE* file = std::fopen("/proc/meminfo", "r");
  if (file == nullptr) return ~uint64_t{0};
  unsigned long long kilobytes = ~0ull >> 10;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "MemAvailable: %llu", &kilobytes) == 1) break;
  }
  std::fclose(file);
  return kilobytes << 10;
}

int Print(size_t count, uint64_t before, const std::string& stopped) {
  const double bytes = static_cast<double>(Resident() - before) / (count == 0 ? 1 : count);
  std::printf("{\"count\": %zu, \"bytes\": %.1f, \"stopped\": \"%s\"}\n", count, bytes,
              stopped.c_str());
  return 0;
}

// ---- Many calls of one instance
// ------------------------------------------------------------------

bool GrowExactly(fermata::core::Activation* activation, uint32_t capacity) {
  void* frames = std::realloc(activation->frames, capacity);
  if (frames == nullptr) return false;
  activation->frames = static_cast<uint8_t*>(frames);
  activation->capacity = capacity;
  return true;
}

const fermata::core::FunctionInfo& FindFunction(const fermata::core::ModuleInfo& info,
                                                const std::string& name) {
  for (uint32_t i = 0; i < info.export_count; ++i) {
    const fermata::core::ExportInfo& e = info.exports[i];
    if (std::string(e.name.data, e.name.size) == name) return info.functions[e.index];
  }
  std::abort();
}

// Through the core API: an Activation and its frames, in an array or in the heap.
int CoreActivations(size_t count, bool heap) {
  auto guest = bench::Roundtrip::Create();
  if (!guest.ok()) return 1;
  // A call through the API above sets this thread's context up, and tells how much a call needs.
  auto first = (*guest)->hold(kDepth);
  const fermata::core::Instance* instance = (*guest)->instance()->raw();
  const fermata::core::ModuleInfo& info = *instance->module;
  const fermata::core::FunctionInfo& hold = FindFunction(info, "hold");
  fermata::core::Function function{hold.code, const_cast<fermata::core::Instance*>(instance), 0, 0};
  const uint64_t depth = kDepth;
  const uint64_t before = Resident();
  std::vector<fermata::core::Activation> calls(count);
  const uint32_t room = heap ? 0 : first.frame_bytes();
  std::vector<uint32_t> frames(count * room / sizeof(uint32_t));
  for (size_t i = 0; i < count; ++i) {
    fermata::core::Activation& call = calls[i];
    call.store = instance->store;
    if (heap) {
      call.grow = GrowExactly;
    } else {
      call.frames = reinterpret_cast<uint8_t*>(frames.data()) + i * room;
      call.capacity = room;
    }
    if (fermata::core::Enter(*instance->context, call, function, info.types[hold.type].invoke,
                             &depth) != fermata::core::Exit::kSuspended) {
      return 1;
    }
  }
  const int result = Print(count, before, "");
  for (fermata::core::Activation& call : calls) {
    if (heap) std::free(call.frames);
  }
  return result;
}

int TypedActivations(size_t count) {
  auto guest = bench::Roundtrip::Create();
  if (!guest.ok()) return 1;
  const uint64_t before = Resident();
  std::vector<fermata::Step<int32_t, bench::Roundtrip>> steps;
  steps.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    steps.push_back((*guest)->hold(kDepth));
    if (!steps.back().suspended()) return 1;
  }
  return Print(count, before, "");
}

int FiberActivations([[maybe_unused]] size_t count) {
#if defined(BENCH_FIBERS)
  bench::FiberInstance instance;
  const uint64_t before = Resident();
  // Never destroyed: unwinding a fiber's stack by an exception would need the guest's frames to be
  // C++.
  auto* calls = new std::vector<std::unique_ptr<bench::FiberCall>>;
  std::string stopped;
  try {
    for (size_t i = 0; i < count; ++i) {
      calls->push_back(std::make_unique<bench::FiberCall>(instance, kDepth, 64 * 1024));
    }
  } catch (const std::bad_alloc&) {
    stopped = "no stack";
  }
  Print(calls->size(), before, stopped);
  std::fflush(stdout);
  _exit(0);
#else
  return 1;
#endif
}

// ---- Many instances
// ------------------------------------------------------------------------------

template <class Guest>
int Instances(size_t count) {
  // A host that has been running for a while has freed large blocks, after which malloc no longer
  // asks the system for each such block: blocks are cleared, and so resident.
  void* volatile block = std::malloc(1 << 20);
  std::free(block);
  struct Live {
    std::unique_ptr<Guest> guest;
    fermata::Step<int32_t, Guest> step;
    // Steps go before their store.
    ~Live() { step.Cancel(); }
  };
  const uint64_t before = Resident(), budget = before + Available() / 2;
  std::vector<std::unique_ptr<Live>> live;
  std::string stopped;
  for (size_t i = 0; i < count; ++i) {
    if (i % 1000 == 0 && Resident() > budget) {
      stopped = "half of the machine's free memory is in use";
      break;
    }
    auto guest = Guest::Create();
    if (!guest.ok()) {
      stopped = std::string(guest.status().message());
      break;
    }
    auto item = std::make_unique<Live>();
    item->guest = *std::move(guest);
    item->step = item->guest->hold(kDepth);
    if (!item->step.suspended()) {
      stopped = item->step.message();
      break;
    }
    live.push_back(std::move(item));
  }
  const int result = Print(live.size(), before, stopped);
  std::fflush(stdout);
  for (auto& item : live) item->step = {};
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string what = std::string(argv[1]) + " " + argv[2];
  const size_t count = std::strtoul(argv[3], nullptr, 10);
  if (what == "activations core") return CoreActivations(count, false);
  if (what == "activations heap") return CoreActivations(count, true);
  if (what == "activations typed") return TypedActivations(count);
  if (what == "activations fibers") return FiberActivations(count);
  if (what == "instances reserved") return Instances<bench::Roundtrip>(count);
  if (what == "instances checked") return Instances<bench::RoundtripChecked>(count);
  return 2;
}
