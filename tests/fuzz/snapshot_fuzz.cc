// Mutates snapshots, mends their checksums and restores them.
//
//   snapshot_fuzz [--runs N] [--seconds N] [--seed N]   10,000 runs if neither limit is given
//   snapshot_fuzz --write-corpus FOLDER                 what it begins with
//
// With libFuzzer (preset `fuzz`) it is a target like the others here.
//
// What must not happen: a crash, an access out of bounds (build it with sanitizers), a restored
// call with a resume point that does not exist. What is restored is checked by rules of its own,
// run for a while, saved again, and restored again, which must succeed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fermata/snapshot.h"
#include "fuzz_linked.h"
#include "fuzz_mix.h"
#include "fuzz_objects.h"
#include "runtime/snapshot/format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fermata {
namespace {

using Random = std::mt19937_64;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "snapshot_fuzz: %s\n", what.c_str());
  std::abort();
}

RestoreHost Host() {
  RestoreHost host;
  host.modules = {&fuzz::MixModuleInfo(), &fuzz::LinkedModuleInfo(), &fuzz::ObjectsModuleInfo()};
  host.functions["add"] = [](absl::Span<const uint64_t> a, absl::Span<uint64_t> r) {
    if (a.size() < 2 || r.empty()) return Trap::kHost;  // a forged type
    r[0] = static_cast<uint32_t>(a[0] + a[1]);
    return Trap::kNone;
  };
  host.limits.memory_pages = 64;
  host.limits.table_elements = 1000;
  host.limits.frame_bytes = 1 << 20;
  host.limits.call_depth = 10000;
  host.limits.heap_bytes = 1 << 20;
  host.limits.fuel = 1000;  // lists may be made to have no end
  host.most_bytes = 1 << 24;
  host.most_instances = 8;
  return host;
}

// Something of the op's types.
std::vector<Value> Answer(const DynamicStep& step, Random& random) {
  const std::vector<Value>& arguments = step.op_arguments();
  if (step.op_name() == "show") return {Value::I32(static_cast<uint32_t>(random() % 100))};
  std::vector<Value> answer;
  if (!arguments.empty()) {
    answer.push_back(arguments[0]);
    if (arguments[0].type == ValType::kI32) answer[0].low = random() % 100;
  }
  return answer;
}

void Run(DynamicStep& step, Random& random, int most) {
  while (most-- > 0 && (step.suspended() || step.out_of_fuel())) {
    const absl::Status status =
        step.suspended() ? step.Resume(Answer(step, random)) : step.Refuel(1);
    if (!status.ok()) return;
  }
}

// By the letter of docs/abi.md.
void CheckStep(StoreHandle& store, DynamicStep& step) {
  const core::Activation& activation = *step.raw_activation();
  uint32_t depth = 0;
  for (uint32_t end = activation.size; end != 0; ++depth) {
    uint64_t footer;
    if (end < sizeof footer) Fail("half a footer");
    std::memcpy(&footer, activation.frames + end - sizeof footer, sizeof footer);
    const uint32_t site = static_cast<uint32_t>(footer), words = footer >> 32 & 0xffff,
                   instance = static_cast<uint32_t>(footer >> 48);
    if (instance >= store.raw()->instance_count) Fail("no such instance");
    const ModuleInfo& info = *store.raw()->instances[instance]->module;
    if (site >= info.site_count) Fail("no such site");
    if (words != info.site_words[site] || words * 4 > end) Fail("of another size");
    if ((info.sites[site].resume == nullptr) != (depth == 0)) Fail("an op in the wrong place");
    end -= words * 4;
  }
  if (depth != activation.depth || depth == 0) Fail("of another depth");
}

class Fuzzer {
 public:
  explicit Fuzzer(uint64_t seed) : random_(seed), host_(Host()) { MakeCorpus(); }

  void RunOnce() {
    std::string bytes = corpus_[random_() % corpus_.size()];
    for (uint64_t n = 1 + random_() % 4; n != 0; --n) Mutate(bytes);
    if (random_() % 64 == 0) bytes.resize(random_() % (bytes.size() + 1));
    if (bytes.size() >= internal::kHeaderBytes) {
      if (random_() % 16 != 0) {
        const uint64_t size = bytes.size() - internal::kHeaderBytes;
        if (!compressed(bytes)) Put(bytes, internal::kSizeAt, 8, size);
        std::memset(&bytes[internal::kChecksumAt + 4], 0, 4);
      }
      internal::Seal(bytes);
    }
    Try(bytes);
  }
  // Bytes that another one mutated; their size and checksum are mended.
  void RunOn(std::string bytes) {
    if (bytes.size() >= internal::kHeaderBytes) {
      if (!compressed(bytes)) {
        Put(bytes, internal::kSizeAt, 8, bytes.size() - internal::kHeaderBytes);
      }
      std::memset(&bytes[internal::kChecksumAt + 4], 0, 4);
      internal::Seal(bytes);
    }
    Try(bytes);
  }
  const std::vector<std::string>& corpus() const { return corpus_; }
  uint64_t restored() const { return restored_; }
  uint64_t resumed() const { return resumed_; }

 private:
  static bool compressed(const std::string& bytes) { return bytes[internal::kFlagsAt] & 1; }
  static void Put(std::string& bytes, size_t at, int size, uint64_t value) {
    for (int i = 0; i < size && at + i < bytes.size(); ++i) {
      bytes[at + i] = static_cast<char>(value >> 8 * i);
    }
  }

  void MakeCorpus() {
    for (const bool linked : {false, true}) {
      for (int rounds = 0; rounds < 30; rounds += 3) Add(linked, rounds);
    }
    for (uint32_t n = 0; n < 10; n += 2) AddObjects(n);
  }
  void Add(bool linked, int rounds) {
    StoreHandle store(host_.limits);
    auto mix = store.Instantiate(fuzz::MixModuleInfo(), {});
    if (!mix.ok()) Fail(mix.status().ToString());
    std::vector<DynamicStep> steps;
    steps.push_back(*(*mix)->Call("mix", {Value::I32(5), Value::ExternRef(7)}));
    steps.push_back(*(*mix)->Call("deep", {Value::I32(static_cast<uint32_t>(rounds))}));
    if (linked) steps.push_back(*Linked(store, **mix)->Call("go", {Value::I32(3)}));
    for (DynamicStep& step : steps) {
      if (&step != &steps[1]) Run(step, random_, rounds);
    }
    std::vector<const DynamicStep*> held;
    for (const DynamicStep& step : steps) {
      if (step.suspended()) held.push_back(&step);
    }
    for (const bool compress : {false, true}) {
      if (compress && rounds % 9 != 0) continue;
      absl::StatusOr<std::string> bytes = Save(store, held, {compress});
      if (!bytes.ok()) Fail(bytes.status().ToString());
      if (!Restore(*bytes, host_).ok()) Fail("a snapshot that can't be restored");
      corpus_.push_back(*std::move(bytes));
    }
  }
  // Objects in frames, ops, globals, tables, segments and exceptions.
  void AddObjects(uint32_t n) {
    StoreHandle store(host_.limits);
    auto made = store.Instantiate(fuzz::ObjectsModuleInfo(), {});
    if (!made.ok()) Fail(made.status().ToString());
    std::vector<DynamicStep> steps;
    for (const char* name : {"keep", "held", "shown", "array", "thrown"}) {
      steps.push_back(*(*made)->Call(name, {{Value::I32(n)}}));
    }
    steps.push_back(*(*made)->Call("square", {{Value::I64(n)}}));
    steps.push_back(*(*made)->Call("from_segment", {}));
    std::vector<const DynamicStep*> held;
    for (const DynamicStep& step : steps) {
      if (step.suspended()) held.push_back(&step);
    }
    absl::StatusOr<std::string> bytes = Save(store, held);
    if (!bytes.ok()) Fail(bytes.status().ToString());
    if (!Restore(*bytes, host_).ok()) Fail("a snapshot that can't be restored");
    corpus_.push_back(*std::move(bytes));
  }
  DynamicInstance* Linked(StoreHandle& store, DynamicInstance& mix) {
    Imports imports;
    imports.AddInstance("mix", &mix);
    core::SizeLimitsInfo limits{};
    limits.min = 1;
    limits.max = 4;
    limits.has_max = true;
    const auto add = [&](const char* name, absl::StatusOr<Extern> e) {
      if (!e.ok()) Fail(e.status().ToString());
      imports.Add("host", name, *e);
    };
    add("global", store.MakeGlobal(Value::I64(9), true));
    add("memory", store.MakeMemory(limits, fuzz::LinkedModuleInfo().memory_policy));
    add("table", store.MakeTable(ValType::kExternRef, limits));
    add("ask", store.MakeFunction("ask", {{ValType::kI32}, {ValType::kI32}}, nullptr));
    add("add", store.MakeFunction("add", {{ValType::kI32, ValType::kI32}, {ValType::kI32}},
                                  host_.functions.at("add")));
    add("tag", store.MakeTag({{ValType::kI32}, {}}));
    auto tag = store.MakeTag({{ValType::kFuncRef, ValType::kV128}, {}});
    const uint64_t payload[] = {1, 2, 3};
    store.raw()->keep(store.raw(), tag->tag, payload, 3);
    add("exception", store.MakeGlobal(Value::ExnRef(1), true));
    auto linked = store.Instantiate(fuzz::LinkedModuleInfo(), imports);
    if (!linked.ok()) Fail(linked.status().ToString());
    return *linked;
  }

  void Mutate(std::string& bytes) {
    if (bytes.empty()) return;
    // Mostly behind the header: what is in it is soon found out.
    const size_t from =
        random_() % 32 == 0 || bytes.size() <= internal::kHeaderBytes ? 0 : internal::kHeaderBytes;
    const size_t at = from + random_() % (bytes.size() - from);
    constexpr uint64_t kNumbers[] = {0,          1,          2,         3,       0x7f,
                                     0xff,       0x100,      0xffff,    0x10000, 0x7fffffff,
                                     0x80000000, 0xfffffffe, 0xffffffff};
    const uint64_t number =
        random_() % 2 == 0 ? kNumbers[random_() % std::size(kNumbers)] : random_() % 300;
    switch (random_() % 8) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random_() % 8);
        break;
      case 1:
        bytes[at] = static_cast<char>(random_());
        break;
      case 2:
      case 3:
        Put(bytes, at, 4, number);
        break;
      case 4: {  // a number a little larger or smaller
        uint32_t old = 0;
        std::memcpy(&old, &bytes[at], std::min<size_t>(4, bytes.size() - at));
        Put(bytes, at, 4, old + random_() % 9 - 4);
        break;
      }
      case 5:
        bytes.erase(at, 1 + random_() % 64);
        break;
      case 6: {
        const size_t begin = random_() % bytes.size();
        bytes.insert(at, bytes.substr(begin, 4 * (1 + random_() % 32)));
        break;
      }
      default: {  // a part of another one in place
        const std::string& other = corpus_[random_() % corpus_.size()];
        const std::string part = other.substr(random_() % other.size(), 1 + random_() % 128);
        bytes.replace(at, part.size(), part);
      }
    }
  }

  void Try(const std::string& bytes) {
    absl::StatusOr<RestoredStore> restored = Restore(bytes, host_);
    if (!restored.ok()) return;
    ++restored_;
    for (DynamicStep& step : restored->steps) CheckStep(*restored->store, step);
    for (DynamicStep& step : restored->steps) {
      ++resumed_;
      Run(step, random_, 12);
    }
    for (DynamicInstance* instance : restored->instances) {
      for (const char* name : {"double", "init", "elements"}) {
        auto step = instance->Call(
            name, name[0] == 'd' ? std::vector<Value>{Value::I32(2)} : std::vector<Value>{});
        if (step.ok()) Run(*step, random_, 3);
      }
    }
    std::vector<const DynamicStep*> held;
    for (const DynamicStep& step : restored->steps) {
      if (step.suspended() || step.out_of_fuel()) held.push_back(&step);
    }
    absl::StatusOr<std::string> again = Save(*restored->store, held);
    if (!again.ok()) Fail(again.status().ToString());
    const absl::Status status = Restore(*again, host_).status();
    // Guests may have gone beyond a limit that is the host's only at restoring.
    if (!status.ok() && !absl::IsResourceExhausted(status)) {
      std::FILE* file = std::fopen("snapshot_fuzz.failed", "wb");
      std::fwrite(bytes.data(), 1, bytes.size(), file);
      std::fclose(file);
      Fail(absl::StrCat("saved again, it can't be restored: ", status.ToString()));
    }
  }

  Random random_;
  RestoreHost host_;
  std::vector<std::string> corpus_;
  uint64_t restored_ = 0, resumed_ = 0;
};

int WriteCorpus(const std::string& folder) {
  std::filesystem::create_directories(folder);
  const Fuzzer fuzzer(1);
  for (size_t i = 0; i < fuzzer.corpus().size(); ++i) {
    std::ofstream(absl::StrCat(folder, "/seed-", i), std::ios::binary) << fuzzer.corpus()[i];
  }
  return 0;
}

int Main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--write-corpus") == 0) return WriteCorpus(argv[2]);
  uint64_t runs = 0, seconds = 0, seed = 1;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    uint64_t* const option = name == "--runs"      ? &runs
                             : name == "--seconds" ? &seconds
                             : name == "--seed"    ? &seed
                                                   : nullptr;
    if (option == nullptr || i + 1 == argc) {
      std::fprintf(stderr, "snapshot_fuzz [--runs N] [--seconds N] [--seed N]\n");
      return 2;
    }
    *option = std::strtoull(argv[i + 1], nullptr, 10);
  }
  if (runs == 0) runs = seconds == 0 ? 10000 : ~uint64_t{0};
  Fuzzer fuzzer(seed);
  const auto start = std::chrono::steady_clock::now();
  uint64_t done = 0;
  for (; done < runs; ++done) {
    if (seconds != 0 && done % 256 == 0 &&
        std::chrono::steady_clock::now() - start > std::chrono::seconds(seconds)) {
      break;
    }
    fuzzer.RunOnce();
  }
  std::printf("%llu mutated snapshots: %llu restored, %llu calls resumed\n",
              static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(fuzzer.restored()),
              static_cast<unsigned long long>(fuzzer.resumed()));
  return fuzzer.restored() == 0 && done >= 10000 ? 1 : 0;
}

}  // namespace

// libFuzzer has a `main` of its own.
int SnapshotFuzzMain(int argc, char** argv) { return Main(argc, argv); }
void SnapshotFuzzOne(const uint8_t* data, size_t size) {
  static Fuzzer fuzzer(1);
  fuzzer.RunOn(std::string(reinterpret_cast<const char*>(data), size));
}

}  // namespace fermata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fermata::SnapshotFuzzOne(data, size);
  return 0;
}

#ifndef FERMATA_LIBFUZZER
int main(int argc, char** argv) { return fermata::SnapshotFuzzMain(argc, argv); }
#endif
