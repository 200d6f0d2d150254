// Numeric instructions give the same on constants, which compilers compute by themselves, as on
// values that the machine computes with: what a helper or generated code leaves undefined in C++,
// or leaves to what a machine instruction happens to do, shows as a difference. Both compilers, at
// every level of optimization.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Host.h"
#include "tests/support/files.h"
#include "tests/support/native.h"
#include "tests/translator/emit/constants/instruction_rows.h"
#include "translator/thread_pool.h"

namespace fermata::constants {
namespace {

struct Configuration {
  std::string compiler;
  std::string optimization;
  std::vector<std::string> flags;
  std::string name() const {
    return absl::StrCat(compiler, " ", optimization, flags.empty() ? "" : " ",
                        absl::StrJoin(flags, " "));
  }
};

std::vector<Configuration> Configurations() {
  std::vector<Configuration> all;
  for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (*compiler == '\0') continue;
    for (const char* level : {"-O0", "-O1", "-O2", "-O3"}) all.push_back({compiler, level, {}});
    all.push_back({compiler, "-O2", {"-DFERMATA_SIMD_PORTABLE", "-DFERMATA_NO_INT128"}});
    llvm::StringMap<bool> features;
    if (llvm::sys::getHostCPUFeatures(features) && features.lookup("avx2")) {
      all.push_back({compiler, "-O2", {"-mavx2"}});
    }
  }
  return all;
}

struct Outcome {
  Trap trap = Trap::kNone;
  std::vector<Value> results;
};

std::string Text(const std::vector<Value>& values) {
  return absl::StrJoin(values, ", ", [](std::string* out, const Value& v) {
    if (v.type == ValType::kV128) {
      absl::StrAppendFormat(out, "%016x%016x", v.high, v.low);
    } else {
      absl::StrAppendFormat(out, "%x", v.low);
    }
  });
}
std::string Text(const Outcome& o) {
  return o.trap == Trap::kNone ? Text(o.results) : std::string(TrapMessage(o.trap));
}

ValType TypeOf(char letter) {
  return letter == 'i'   ? ValType::kI32
         : letter == 'I' ? ValType::kI64
         : letter == 'f' ? ValType::kF32
         : letter == 'F' ? ValType::kF64
                         : ValType::kV128;
}

// A module that was loaded, and how its functions are called.
class Guest {
 public:
  explicit Guest(const ModuleInfo* module) {
    absl::StatusOr<DynamicInstance*> instance = store_.Instantiate(*module, {});
    EXPECT_TRUE(instance.ok()) << instance.status();
    if (!instance.ok()) return;
    instance_ = *instance;
    memory_ = instance_->FindMemory("memory")->data() + kResults;
    for (uint32_t e = 0; e < module->export_count; ++e) {
      const core::ExportInfo& export_info = module->exports[e];
      functions_[std::string(export_info.name.data, export_info.name.size)] = export_info.index;
    }
  }
  bool ok() const { return instance_ != nullptr; }

  Outcome Call(const std::string& name, const Operands& operands) {
    absl::StatusOr<DynamicStep> step = instance_->CallFunction(functions_.at(name), operands);
    if (!step.ok()) {
      ADD_FAILURE() << name << ": " << step.status();
      return {};
    }
    Outcome outcome;
    outcome.trap = step->trapped() ? step->trap() : Trap::kNone;
    if (step->finished()) outcome.results.assign(step->results().begin(), step->results().end());
    return outcome;
  }

  // The outcomes of a function that stores the results of `count` computations.
  std::vector<Outcome> CallChunk(const std::string& name, const Row& row, const Operands& operands,
                                 size_t count) {
    std::memset(memory_, 0xa5, count * row.results.size() * 16);
    const Outcome all = Call(name, operands);
    std::vector<Outcome> outcomes(count, all);
    const uint8_t* from = memory_;
    for (size_t i = 0; i < count && all.trap == Trap::kNone; ++i) {
      for (char letter : row.results) {
        Value v{TypeOf(letter)};
        const size_t size = letter == 'V' ? 16 : letter == 'i' || letter == 'f' ? 4 : 8;
        uint64_t halves[2] = {};
        std::memcpy(halves, from, size);
        v.low = halves[0];
        v.high = halves[1];
        outcomes[i].results.push_back(v);
        from += 16;
      }
    }
    return outcomes;
  }

 private:
  StoreHandle store_;
  DynamicInstance* instance_ = nullptr;
  uint8_t* memory_ = nullptr;
  std::map<std::string, uint32_t> functions_;
};

// Whether a NaN may be the result of arithmetic on these operands (specification §4.3.3): with
// other payloads than the canonical one among them, any quiet one; else a canonical one.
bool MayBeResult(uint64_t nan, int size, const Operands& operands, int operand_size) {
  for (const Value& operand : operands) {
    const int lanes = operand.type == ValType::kV128 ? 16 / operand_size : 1;
    for (int k = 0; k < lanes; ++k) {
      const uint64_t bits = Lane(operand, operand_size, k);
      if (IsNan(bits, operand_size) && !IsCanonicalNan(bits, operand_size)) {
        return IsQuietNan(nan, size);
      }
    }
  }
  return IsCanonicalNan(nan, size);
}

class Comparison {
 public:
  explicit Comparison(std::string configuration) : configuration_(std::move(configuration)) {}
  ~Comparison() {
    if (nans_.empty()) return;
    absl::PrintF("%s: NaNs of another sign or payload, as the specification allows: %s\n",
                 configuration_, absl::StrJoin(nans_, ", "));
  }

  void Check(const Row& row, const Operands& operands, const Outcome& hidden, const Outcome& other,
             const char* what) {
    ++count_;
    if (Same(row, operands, hidden, other)) return;
    if (++failures_[row.name] > 3) return;
    ADD_FAILURE() << configuration_ << ": " << row.name << " of " << Text(operands) << " is "
                  << Text(hidden) << ", but " << what << " " << Text(other);
  }
  size_t count() const { return count_; }

 private:
  bool Same(const Row& row, const Operands& operands, const Outcome& a, const Outcome& b) {
    if (a.trap != b.trap || a.results.size() != b.results.size()) return false;
    for (size_t i = 0; i < a.results.size(); ++i) {
      const Value &x = a.results[i], &y = b.results[i];
      const int size = row.result_lane();
      if (size == 0) {
        if (x.low != y.low || x.high != y.high) return false;
        continue;
      }
      for (int k = 0; k < (x.type == ValType::kV128 ? 16 / size : 1); ++k) {
        const uint64_t u = Lane(x, size, k), v = Lane(y, size, k);
        for (uint64_t bits : {u, v}) {
          if (IsNan(bits, size) && !MayBeResult(bits, size, operands, row.operand_lane())) {
            return false;
          }
        }
        if (u == v) continue;
        if (!IsNan(u, size) || !IsNan(v, size)) return false;
        nans_.insert(row.name);
      }
    }
    return true;
  }

  std::string configuration_;
  std::set<std::string> nans_;
  std::map<std::string, int> failures_;
  size_t count_ = 0;
};

// The outcomes of all cases of all rows on hidden values.
using Table = std::vector<std::vector<Outcome>>;

void CheckMixed(Guest& guest, const Row& row, size_t r, Comparison& comparison) {
  for (size_t j = 0; j < row.params.size(); ++j) {
    const std::vector<Value>& values = row.constants[j];
    // Each list of the other operands once.
    std::set<std::string> seen;
    for (Operands operands : row.cases) {
      operands[j] = Value{operands[j].type};
      if (values.empty() || seen.size() >= 20 || !seen.insert(Text(operands)).second) continue;
      for (size_t begin = 0; begin < values.size(); begin += row.chunk()) {
        const size_t count = std::min(row.chunk(), values.size() - begin);
        const std::string name = absl::StrCat("m", r, "_", j, "_", begin / row.chunk());
        const std::vector<Outcome> mixed = guest.CallChunk(name, row, operands, count);
        for (size_t i = 0; i < count; ++i) {
          Operands all = operands;
          all[j] = values[begin + i];
          comparison.Check(row, all, guest.Call(absl::StrCat("h", r), all), mixed[i],
                           j == 0 ? "with the first a constant" : "with a later one a constant");
        }
      }
    }
  }
}

Table Evaluate(Guest& guest, Comparison& comparison) {
  Table table;
  for (size_t r = 0; r < Rows().size(); ++r) {
    const Row& row = Rows()[r];
    std::vector<Outcome>& hidden = table.emplace_back();
    for (const Operands& operands : row.cases) {
      hidden.push_back(guest.Call(absl::StrCat("h", r), operands));
    }
    for (size_t begin = 0; begin < row.cases.size(); begin += row.chunk()) {
      const size_t count = std::min(row.chunk(), row.cases.size() - begin);
      const std::string name = absl::StrCat("c", r, "_", begin / row.chunk());
      const std::vector<Outcome> folded = guest.CallChunk(name, row, {}, count);
      for (size_t i = 0; i < count; ++i) {
        comparison.Check(row, row.cases[begin + i], hidden[begin + i], folded[i], "as constants");
      }
    }
    CheckMixed(guest, row, r, comparison);
  }
  return table;
}

// Builds the module in a folder of its own.
class Builder {
 public:
  Builder() { testing_support::WriteFile(folder_ / "constants.wasm", BuildModule()); }

  // Two at a time.
  std::vector<absl::StatusOr<const ModuleInfo*>> BuildAll(
      const std::vector<Configuration>& configurations) const {
    std::vector<absl::StatusOr<const ModuleInfo*>> modules(configurations.size());
    ThreadPool pool(llvm::hardware_concurrency(2));
    for (size_t i = 0; i < configurations.size(); ++i) {
      pool.async([&, i] { modules[i] = Build(configurations[i]); });
    }
    pool.wait();
    return modules;
  }

 private:
  absl::StatusOr<const ModuleInfo*> Build(const Configuration& configuration) const {
    driver::NativeBuildOptions options = testing_support::BuildOptions(folder_ / "constants.wasm");
    options.compiler = configuration.compiler;
    options.optimization = configuration.optimization;
    options.compiler_flags = configuration.flags;
    options.cache_dir = folder_ / "cache";
    options.jobs = 1;
    absl::StatusOr<driver::NativeModule> library = driver::BuildSharedModule(options);
    if (!library.ok()) return library.status();
    absl::PrintF("%s: %.1f s\n", configuration.name(), library->compile_seconds);
    return LoadModule(library->path);
  }

  testing_support::Folder folder_;
};

// Whoever adds an instruction with a fixed signature has a row, or says here why not.
TEST(Constants, EveryInstructionThatComputesHasARow) {
  const std::set<std::string> not_computed = {
      "data.drop", "elem.drop", "memory.size", "memory.grow", "memory.init", "memory.copy",
      "memory.fill", "table.init", "table.copy", "table.size", "atomic.fence",
      // These need another thread.
      "memory.atomic.notify", "memory.atomic.wait32", "memory.atomic.wait64"};
  const std::pair<std::string, std::string> names_and_signatures[] = {
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature) {name, signature},
#include "translator/wasm/opcodes.def"
  };
  std::set<std::string> there;
  for (const Row& row : Rows()) {
    there.insert(std::string(wasm::Info(row.opcode).name));
    EXPECT_FALSE(row.cases.empty()) << row.name;
  }
  for (const auto& [name, signature] : names_and_signatures) {
    if (signature.empty()) continue;  // control, references, tables
    EXPECT_NE(there.count(name), not_computed.count(name)) << name;
  }
}

TEST(Constants, AreComputedLikeWhatIsHidden) {
  const std::vector<Configuration> configurations = Configurations();
  if (configurations.empty()) GTEST_SKIP() << "not run: neither g++ nor clang++ is there";
  const Builder builder;
  const auto modules = builder.BuildAll(configurations);
  Table first;
  for (size_t c = 0; c < configurations.size(); ++c) {
    const Configuration& configuration = configurations[c];
    const absl::StatusOr<const ModuleInfo*>& module = modules[c];
    ASSERT_TRUE(module.ok()) << configuration.name() << ": " << module.status();
    Guest guest(*module);
    ASSERT_TRUE(guest.ok());
    Comparison comparison(configuration.name());
    const Table table = Evaluate(guest, comparison);
    EXPECT_GT(comparison.count(), 10000u);
    if (first.empty()) {
      first = table;
      continue;
    }
    Comparison others(absl::StrCat(configuration.name(), " and ", configurations[0].name()));
    for (size_t r = 0; r < table.size(); ++r) {
      for (size_t i = 0; i < table[r].size(); ++i) {
        others.Check(Rows()[r], Rows()[r].cases[i], first[r][i], table[r][i], "hidden here");
      }
    }
  }
}

}  // namespace
}  // namespace fermata::constants
