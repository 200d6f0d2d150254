#include "tests/differential/campaign.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "spec-tests/load_umbrella.h"
#include "spec-tests/umbrella.h"
#include "tests/differential/log.h"
#include "tests/support/files.h"
#include "translator/thread_pool.h"
#include "translator/wasm/reader.h"

namespace fermata::differential {
namespace {

namespace fs = std::filesystem;

using testing_support::ReadFile;
using testing_support::WriteFile;

constexpr absl::string_view kRefused = "refused: ";
constexpr unsigned kPatience = 20;  // the machine may be busy with other things

// The compiler's name without its folder, and the rest.
std::string Tag(const Configuration& c) {
  return absl::StrCat(fs::path(c.compiler).filename().string(), c.optimization, "-",
                      c.checked ? "checked" : "reserved", "-", Name(c.mode));
}

// What decides the text that is compiled.
auto TextKey(const Configuration& c) {
  return std::make_tuple(VariantOf(c.mode), c.checked, c.shape, c.piece_size);
}

// The number of the call that line `line` (from 1) of a log is about.
size_t CallAt(absl::string_view log, size_t line) {
  const std::vector<absl::string_view> lines = absl::StrSplit(log, '\n');
  for (size_t i = std::min(line, lines.size()); i-- > 0;) {
    if (!absl::StartsWith(lines[i], "call ")) continue;
    const std::vector<absl::string_view> words = absl::StrSplit(lines[i], ' ');
    size_t number = 0;
    if (words.size() > 1 && absl::SimpleAtoi(words[1], &number)) return number;
  }
  return ~size_t{0};
}

absl::StatusOr<Plan> PlanOf(const std::string& path, testing_support::Bytes& bytes,
                            absl::StatusOr<wasm::Module>& module, const PlanOptions& options) {
  bytes = testing_support::ReadBytes(path);
  module = wasm::ReadModule(path, bytes);
  if (!module.ok()) return module.status();
  return MakePlan(*module, options);
}

spec::Script ScriptOf(const std::vector<std::string>& names) {
  spec::Script script;
  script.source = "random modules";
  for (const std::string& name : names) {
    spec::Command command;
    command.filename = name + ".wasm";
    script.commands.push_back(command);
  }
  return script;
}

}  // namespace

std::string Describe(const Configuration& c) {
  return absl::StrCat(Tag(c),
                      c.shape == emit::ShapeChoice::kSplit    ? ", split"
                      : c.shape == emit::ShapeChoice::kTails  ? ", tails"
                      : c.shape == emit::ShapeChoice::kShared ? ", shared"
                                                              : "",
                      c.piece_size != 0 ? absl::StrCat(", pieces of ", c.piece_size) : "");
}

std::string Flags(const Configuration& c) {
  return absl::StrCat("--compilers=", c.compiler, " --opt=", c.optimization,
                      " --memory=", c.checked ? "checked" : "reserved", " --modes=", Name(c.mode),
                      " --shape=",
                      c.shape == emit::ShapeChoice::kSplit    ? "split"
                      : c.shape == emit::ShapeChoice::kTails  ? "tails"
                      : c.shape == emit::ShapeChoice::kShared ? "shared"
                                                              : "auto",
                      " --piece-size=", c.piece_size);
}

std::string Campaign::FileOf(const std::string& batch, const std::string& name) const {
  return absl::StrCat(settings_.folder, "/", batch, "/", name, ".wasm");
}

std::vector<std::string> Campaign::Prepare(
    const std::string& batch, const std::map<std::string, testing_support::Bytes>& modules,
    std::map<std::string, std::string>& left_out) {
  fs::create_directories(fs::path(settings_.folder) / batch);
  std::vector<std::string> names;
  std::string plans;
  for (const auto& [name, bytes] : modules) {
    const std::string path = FileOf(batch, name);
    absl::StatusOr<testing_support::Bytes> prepared = differential::Prepare(bytes);
    if (!prepared.ok()) {
      left_out[name] = std::string(prepared.status().message());
      continue;
    }
    absl::StatusOr<wasm::Module> module = wasm::ReadModule(path, *prepared);
    absl::StatusOr<Plan> plan =
        module.ok() ? MakePlan(*module, settings_.plan) : absl::StatusOr<Plan>(module.status());
    if (!plan.ok()) {
      left_out[name] = std::string(plan.status().message());
      continue;
    }
    WriteFile(path, *prepared);
    WriteFile(path + ".host", HostModule(*module, *plan));
    WriteFile(path + ".wrapper", WrapperModule(*module, *plan));
    WriteFile(path + ".plan", PlanAsJson(*plan, path));
    counts_.functions += module->functions.size() - module->imported_functions;
    names.push_back(name);
  }
  counts_.modules += names.size();
  return names;
}

// Modules with which the peer fails or comes to no end are treated as if it refused them.
absl::Status Campaign::RunPeer(const std::string& batch, std::vector<std::string> names) {
  const std::string folder = absl::StrCat(settings_.folder, "/", batch);
  while (!names.empty()) {
    std::vector<std::string> plans;
    for (const std::string& name : names) plans.push_back(ReadFile(FileOf(batch, name) + ".plan"));
    WriteFile(folder + "/plans.json", absl::StrCat("[", absl::StrJoin(plans, ",\n"), "]"));
    process::Command command = {settings_.node, settings_.script, folder + "/plans.json"};
    command.time_limit = std::chrono::seconds(kPatience * settings_.timeout);
    absl::StatusOr<process::Result> run = process::Run(command);
    if (!run.ok()) return run.status();
    if (run->exit_code == 0) return absl::OkStatus();
    const auto failed = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
      return !fs::exists(FileOf(batch, name) + ".v8.log");
    });
    if (failed == names.end()) return absl::OkStatus();
    const std::string why = run->timed_out ? "it came to no end" : process::Tail(run->output);
    WriteFile(FileOf(batch, *failed) + ".v8.log", absl::StrCat(kRefused, "the peer failed: ", why));
    names.erase(names.begin(), failed + 1);
  }
  return absl::OkStatus();
}

absl::StatusOr<const spec::LibraryBuilder*> Campaign::Builder(const Configuration& configuration) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto& builder = builders_[configuration.compiler + configuration.optimization];
  if (builder == nullptr) {
    spec::LibraryBuilder::Options options;
    options.compiler = configuration.compiler;
    options.optimization = configuration.optimization;
    options.flags = settings_.flags;
    options.include_dir = settings_.include_dir;
    options.cache_dir = settings_.folder + "/libraries";
    absl::StatusOr<spec::LibraryBuilder> made = spec::LibraryBuilder::Make(options);
    if (!made.ok()) return made.status();
    builder = std::make_unique<spec::LibraryBuilder>(*std::move(made));
  }
  return builder.get();
}

void Campaign::Found(Difference difference) {
  std::lock_guard<std::mutex> lock(mutex_);
  differences_.push_back(std::move(difference));
}

process::Command Campaign::ChildCommand(const char* what, const std::string& batch,
                                        const std::vector<std::string>& names,
                                        const Configuration& configuration,
                                        const std::vector<std::string>& further) const {
  std::vector<std::string> command = {settings_.program,
                                      absl::StrCat("--timeout=", settings_.timeout),
                                      absl::StrCat("--child=", what),
                                      absl::StrCat("--output=", settings_.folder, "/", batch),
                                      absl::StrCat("--seed=", settings_.plan.seed),
                                      absl::StrCat("--most-calls=", settings_.plan.most_calls),
                                      absl::StrCat("--names=", absl::StrJoin(names, ","))};
  for (const absl::string_view flag : absl::StrSplit(Flags(configuration), ' ')) {
    command.push_back(std::string(flag));
  }
  if (!settings_.plan.only.empty()) {
    command.push_back(absl::StrCat("--only-calls=", absl::StrJoin(settings_.plan.only, ",")));
  }
  command.insert(command.end(), further.begin(), further.end());
  process::Command limited = std::move(command);
  // Processor time is what is bounded (by the child itself); this is for those that sleep.
  limited.time_limit = std::chrono::seconds(kPatience * settings_.timeout);
  return limited;
}

// Returns the C++ file. Modules that can't be translated are differences, and are taken out.
absl::StatusOr<std::string> Campaign::Translate(const std::string& batch,
                                                std::vector<std::string>& names,
                                                const Configuration& configuration) {
  const std::string source =
      absl::StrCat(settings_.folder, "/", batch, "/", Name(VariantOf(configuration.mode)),
                   configuration.checked ? "-checked" : "-reserved", ".cc");
  while (!names.empty()) {
    absl::StatusOr<process::Result> run = process::Run(
        ChildCommand("translate", batch, names, configuration, {"--source=" + source}));
    if (!run.ok()) return run.status();
    if (run->exit_code == 0) return source;
    // Its last line is "NAME: why"; if it crashed, that is found by one at a time.
    const std::string text = process::Tail(run->output, 1);
    std::string culprit = text.substr(0, text.find(':'));
    if (std::find(names.begin(), names.end(), culprit) == names.end()) {
      if (names.size() > 1) {
        std::vector<std::string> good;
        for (const std::string& name : names) {
          std::vector<std::string> one = {name};
          if (Translate(batch, one, configuration).ok() && !one.empty()) good.push_back(name);
        }
        if (good.size() == names.size()) return absl::InternalError(run->output);
        names = good;
        continue;
      }
      culprit = names[0];
    }
    Found({batch, culprit, configuration, "", absl::StrCat("the translator fails: ", text)});
    names.erase(std::find(names.begin(), names.end(), culprit));
  }
  return source;
}

absl::StatusOr<std::string> Campaign::Compile(const std::string& batch,
                                              std::vector<std::string>& names,
                                              const std::string& source,
                                              const Configuration& configuration) {
  absl::StatusOr<const spec::LibraryBuilder*> builder = Builder(configuration);
  if (!builder.ok()) return builder.status();
  std::string path = source;
  for (;;) {
    std::string output;
    absl::StatusOr<spec::Library> library = (*builder)->Build(path, output);
    if (library.ok()) return library->path;
    const std::string text = ReadFile(path);
    const auto errors = spec::ModulesInError(text, output);
    if (errors.empty()) return library.status();
    for (const auto& [file, error] : errors) {
      const std::string name = fs::path(file).stem();
      Found({batch, name, configuration, "", error});
      names.erase(std::remove(names.begin(), names.end(), name), names.end());
    }
    path = absl::StrCat(source, ".", Tag(configuration), ".cc");
    WriteFile(path, spec::WithoutModules(text, errors));
  }
}

void Campaign::Play(const std::string& batch, std::vector<std::string> names,
                    const std::string& library, const Configuration& configuration) {
  while (!names.empty()) {
    absl::StatusOr<process::Result> run =
        process::Run(ChildCommand("play", batch, names, configuration,
                                  {"--library=" + library, "--tag=" + Tag(configuration)}));
    if (!run.ok()) return Found({batch, names[0], configuration, "", run.status().ToString()});
    std::string current;
    for (const absl::string_view line : absl::StrSplit(run->output, '\n')) {
      const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
      if (words[0] == "begin" && words.size() == 2) current = std::string(words[1]);
      uint64_t suspensions = 0, restores = 0;
      if (words[0] == "counts" && words.size() == 3 && absl::SimpleAtoi(words[1], &suspensions) &&
          absl::SimpleAtoi(words[2], &restores)) {
        std::lock_guard<std::mutex> lock(mutex_);
        counts_.suspensions += suspensions;
        counts_.restores += restores;
      }
    }
    if (run->exit_code == 0) return;
    const auto at = std::find(names.begin(), names.end(), current);
    if (at == names.end()) {
      return Found({batch, names[0], configuration, "", process::Tail(run->output)});
    }
    Found({batch, current, configuration, "",
           run->timed_out || run->signal == SIGXCPU || run->signal == SIGKILL
               ? absl::StrCat("came to no end in ", settings_.timeout, " s")
               : absl::StrCat("crashed, exit ", run->exit_code, ": ", process::Tail(run->output))});
    names.erase(names.begin(), at + 1);
  }
}

void Campaign::PlayGroup(const std::string& batch, const std::vector<std::string>& names,
                         const std::vector<Configuration>& group) {
  std::vector<std::string> translated = names;
  const absl::StatusOr<std::string> source = Translate(batch, translated, group[0]);
  if (!source.ok()) return Found({batch, names[0], group[0], "", source.status().ToString()});
  std::map<std::string, std::pair<std::string, std::vector<std::string>>> libraries;
  for (const Configuration& configuration : group) {
    const std::string key = configuration.compiler + configuration.optimization;
    if (libraries.count(key) == 0) {
      std::vector<std::string> compiled = translated;
      absl::StatusOr<std::string> library = Compile(batch, compiled, *source, configuration);
      if (!library.ok()) {
        Found({batch, names[0], configuration, "", library.status().ToString()});
        compiled.clear();
      }
      libraries[key] = {library.ok() ? *library : "", compiled};
    }
    Play(batch, libraries[key].second, libraries[key].first, configuration);
  }
  std::error_code ignored;
  for (const auto& [key, library] : libraries) fs::remove(library.first, ignored);
}

void Campaign::CompareLogs(const std::string& batch, const std::vector<std::string>& names,
                           const std::vector<Configuration>& configurations) {
  for (const std::string& name : names) {
    const std::string path = FileOf(batch, name);
    std::string expected = ReadFile(path + ".v8.log"), against = "V8";
    if (absl::StartsWith(expected, kRefused)) {
      ++counts_.refused_by_peer;
      std::printf("refused by the peer: %s: %s", name.c_str(), expected.c_str() + kRefused.size());
    }
    for (const Configuration& configuration : configurations) {
      const std::string log = absl::StrCat(path, ".", Tag(configuration), ".log");
      if (!fs::exists(log)) continue;  // that was said already
      const std::string found = ReadFile(log);
      if (expected.empty() || absl::StartsWith(expected, kRefused)) {
        expected = found;
        against = Describe(configuration);
      }
      const Comparison comparison = Compare(expected, found);
      counts_.calls += comparison.calls;
      if (comparison.same) continue;
      Found({batch, name, configuration, against,
             absl::StrCat("line ", comparison.line, " of the log: expected \"", comparison.expected,
                          "\", found \"", comparison.found, "\""),
             CallAt(expected, comparison.line)});
    }
  }
}

std::vector<Difference> Campaign::Run(const std::string& batch,
                                      const std::vector<std::string>& names,
                                      const std::vector<Configuration>& configurations) {
  differences_.clear();
  if (names.empty()) return {};
  std::map<decltype(TextKey({})), std::vector<Configuration>> groups;
  for (const Configuration& c : configurations) groups[TextKey(c)].push_back(c);
  if (!settings_.node.empty()) {
    const absl::Status status = RunPeer(batch, names);
    if (!status.ok()) Found({batch, names[0], {}, "V8", status.ToString()});
  }
  ThreadPool pool(llvm::hardware_concurrency(settings_.jobs));
  for (const auto& group : groups) {
    pool.async([this, &batch, &names, &group] { PlayGroup(batch, names, group.second); });
  }
  pool.wait();
  CompareLogs(batch, names, configurations);
  return std::move(differences_);
}

absl::Status TranslateInChild(const ChildOptions& options) {
  const Configuration& c = options.configuration;
  spec::UmbrellaOptions umbrella;
  umbrella.folder = options.folder;
  umbrella.output = options.output;
  umbrella.suspended = VariantOf(c.mode) == Variant::kSuspending;
  umbrella.paused = VariantOf(c.mode) == Variant::kPausing;
  umbrella.memory = c.checked ? emit::MemoryPolicy::kChecked : emit::MemoryPolicy::kReserved;
  umbrella.shape = c.shape;
  umbrella.piece_size = c.piece_size;
  absl::StatusOr<spec::Untranslated> done = spec::WriteUmbrella(ScriptOf(options.names), umbrella);
  if (!done.ok()) return done.status();
  for (const auto* failed : {&done->blocked, &done->broken}) {
    for (const auto& [file, why] : *failed) {
      return absl::InternalError(absl::StrCat(fs::path(file).stem().string(), ": ", why));
    }
  }
  return absl::OkStatus();
}

absl::Status PlayInChild(const ChildOptions& options) {
  auto modules = spec::LoadUmbrella(options.library);
  if (!modules.ok()) return modules.status();
  ExecutionCounts counts;
  for (const std::string& name : options.names) {
    std::printf("begin %s\n", name.c_str());
    std::fflush(stdout);  // a crash must not lose it
    const std::string path = absl::StrCat(options.folder, "/", name, ".wasm");
    testing_support::Bytes bytes;
    absl::StatusOr<wasm::Module> module = absl::UnknownError("");
    absl::StatusOr<Plan> plan = PlanOf(path, bytes, module, options.plan);
    if (!plan.ok()) return plan.status();
    const auto info = modules->find(name + ".wasm");
    if (info == modules->end()) return absl::NotFoundError(name + ": not in the library");
    WriteFile(absl::StrCat(path, ".", options.tag, ".log"),
              Execute(*plan, *info->second, options.configuration.mode, counts));
  }
  std::printf("counts %llu %llu\n", static_cast<unsigned long long>(counts.suspensions),
              static_cast<unsigned long long>(counts.restores));
  return absl::OkStatus();
}

}  // namespace fermata::differential
