#include "tests/differential/sources.h"

#include <filesystem>
#include <mutex>
#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/support/files.h"
#include "translator/cli/process/process.h"
#include "translator/thread_pool.h"

namespace fermata::differential {
namespace {

// What Fermata and V8 have both, and is determined; names of several versions.
constexpr const char* kFeatures[] = {"sign-ext",
                                     "threads",
                                     "mutable-globals",
                                     "nontrapping-float-to-int",
                                     "simd",
                                     "bulk-memory",
                                     "bulk-memory-opt",
                                     "call-indirect-overlong",
                                     "exception-handling",
                                     "tail-call",
                                     "reference-types",
                                     "typed-function-references",
                                     "gc",
                                     "multivalue",
                                     "memory64",
                                     "extended-const",
                                     "multi-memories",
                                     "multimemory"};

}  // namespace

absl::StatusOr<Binaryen> Binaryen::Find(const std::string& wasm_opt) {
  absl::StatusOr<process::Result> help = process::Run({wasm_opt, "--help"});
  if (!help.ok()) return help.status();
  if (!absl::StrContains(help->output, "-ttf")) {
    return absl::NotFoundError(absl::StrCat(wasm_opt, ": this is no wasm-opt"));
  }
  Binaryen binaryen;
  binaryen.command_ = {wasm_opt, "-ttf", "--denan"};
  // V8 refuses modules with both kinds of exception handling.
  if (absl::StrContains(help->output, "--translate-to-exnref")) {
    binaryen.command_.push_back("--translate-to-exnref");
  }
  for (const std::string name : kFeatures) {
    if (absl::StrContains(help->output, absl::StrCat("--enable-", name, " "))) {
      binaryen.command_.push_back("--enable-" + name);
    }
  }
  return binaryen;
}

absl::StatusOr<testing_support::Bytes> Binaryen::MakeOne(const std::string& stem,
                                                         uint64_t seed) const {
  std::mt19937_64 random(seed);
  // Mostly small modules: many of them find more than a few large ones.
  const unsigned doublings = random() % 8 == 0 ? random() % 6 : random() % 3;
  std::string bytes((size_t{500} << doublings) + random() % 500, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  testing_support::WriteFile(stem, bytes);
  std::vector<std::string> command = command_;
  command.insert(command.end(), {stem, "-o", stem + ".wasm"});
  const absl::StatusOr<process::Result> result = process::Run(command);
  if (!result.ok()) return result.status();
  if (!result->ok()) return absl::InternalError(process::Tail(result->output));
  return testing_support::ReadBytes(stem + ".wasm");
}

std::map<std::string, testing_support::Bytes> Binaryen::Make(const std::string& folder,
                                                             uint64_t seed, size_t count,
                                                             unsigned jobs) const {
  std::filesystem::create_directories(folder);
  std::map<std::string, testing_support::Bytes> modules;
  std::mutex mutex;
  ThreadPool pool(llvm::hardware_concurrency(jobs));
  for (size_t i = 0; i < count; ++i) {
    pool.async([&, i] {
      absl::StatusOr<testing_support::Bytes> module =
          MakeOne(absl::StrCat(folder, "/input", i), seed + i);
      if (!module.ok()) return;
      std::lock_guard<std::mutex> lock(mutex);
      modules.emplace(absl::StrCat("ttf", seed + i), *std::move(module));
    });
  }
  pool.wait();
  return modules;
}

}  // namespace fermata::differential
