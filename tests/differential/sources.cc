#include "tests/differential/sources.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "translator/driver/process.h"

namespace fermata::differential {
namespace {

// What Fermata or V8 lacks, and what is not determined.
constexpr const char* kWithout[] = {"gc",
                                    "strings",
                                    "stack-switching",
                                    "shared-everything",
                                    "fp16",
                                    "custom-descriptors",
                                    "multibyte",
                                    "acquire-release-atomics",
                                    "custom-page-sizes",
                                    "wide-arithmetic",
                                    "compact-imports",
                                    "relaxed-atomics",
                                    "relaxed-simd",
                                    "typed-function-references"};

}  // namespace

absl::StatusOr<Binaryen> Binaryen::Find(const std::string& wasm_opt) {
  absl::StatusOr<driver::ProcessResult> help = driver::RunProcess({wasm_opt, "--help"});
  if (!help.ok()) return help.status();
  if (!absl::StrContains(help->output, "-ttf")) {
    return absl::NotFoundError(absl::StrCat(wasm_opt, ": this is no wasm-opt"));
  }
  Binaryen binaryen;
  binaryen.command_ = {wasm_opt, "-ttf", "--denan", "--all-features"};
  for (const std::string name : kWithout) {
    if (absl::StrContains(help->output, absl::StrCat("--disable-", name, " ")) ||
        absl::StrContains(help->output, absl::StrCat("--disable-", name, "\n"))) {
      binaryen.command_.push_back("--disable-" + name);
    }
  }
  return binaryen;
}

std::map<std::string, testing_support::Bytes> Binaryen::Make(const std::string& folder,
                                                             uint64_t seed, size_t count,
                                                             unsigned jobs) const {
  std::filesystem::create_directories(folder);
  std::map<std::string, testing_support::Bytes> modules;
  std::mutex mutex;
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) {
      std::mt19937_64 random(seed + i);
      const std::string stem = absl::StrCat(folder, "/input", i);
      std::string bytes((size_t{500} << random() % 6) + random() % 500, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random());
      std::ofstream(stem, std::ios::binary) << bytes;
      std::vector<std::string> command = command_;
      command.insert(command.end(), {stem, "-o", stem + ".wasm"});
      const absl::StatusOr<driver::ProcessResult> result = driver::RunProcess(command);
      if (!result.ok() || result->exit_code != 0) continue;
      std::ifstream in(stem + ".wasm", std::ios::binary);
      testing_support::Bytes module{std::istreambuf_iterator<char>(in), {}};
      std::lock_guard<std::mutex> lock(mutex);
      modules.emplace(absl::StrCat("ttf", seed + i), std::move(module));
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < jobs; ++i) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
  return modules;
}

}  // namespace fermata::differential
