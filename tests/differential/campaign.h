// Runs modules in all configurations and compares what they do.
//
// Modules are translated, many to a library, as the runner of the official suite does it
// (spec-tests/umbrella.h), and each library is played in a child process, so that a crash or a hang
// is a difference of one module alone.
#ifndef FERMATA_TESTS_DIFFERENTIAL_CAMPAIGN_H_
#define FERMATA_TESTS_DIFFERENTIAL_CAMPAIGN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "spec-tests/library.h"
#include "tests/differential/execution.h"
#include "translator/cli/process/process.h"
#include "translator/emit/options.h"

namespace fermata::differential {

// How a module is compiled and played.
struct Configuration {
  std::string compiler;
  std::string optimization = "-O1";
  bool checked = false;  // memory
  Mode mode = Mode::kPlain;
  emit::ShapeChoice shape = emit::ShapeChoice::kAuto;
  unsigned piece_size = 0;  // of every function; 0: as usual
};
std::string Describe(const Configuration& configuration);
std::string Flags(const Configuration& configuration);  // of the program, to repeat it

struct Settings {
  std::string program;  // this executable, for the children
  std::string folder;   // for modules, libraries and logs
  std::string include_dir;
  std::vector<std::string> flags;  // of the compilers
  std::string node, script;        // the peer, or empty; v8.mjs
  unsigned jobs = 2;               // 0: as many as there are processors
  unsigned timeout = 60;           // seconds of processor time for a library's modules
  PlanOptions plan;
};

// What a module did otherwise than it should have.
struct Difference {
  std::string batch, module;
  Configuration configuration;
  std::string against;       // "V8", or the configuration that it was compared with
  std::string what;          // a line, or a few
  size_t call = ~size_t{0};  // in which it was seen, by its number in the log
};

struct Counts {
  uint64_t modules = 0, refused_by_peer = 0, functions = 0;
  uint64_t calls = 0;  // compared, over all configurations
  uint64_t suspensions = 0, restores = 0;
};

class Campaign {
 public:
  explicit Campaign(const Settings& settings) : settings_(settings) {}
  const Settings& settings() const { return settings_; }

  // Makes the modules ready, in a folder of their own below that of the settings: NAME.wasm and
  // what belongs to it. Returns the names of those that can be used; `left_out` says why others
  // can't.
  std::vector<std::string> Prepare(const std::string& batch,
                                   const std::map<std::string, testing_support::Bytes>& modules,
                                   std::map<std::string, std::string>& left_out);

  // Plays prepared modules in all configurations, and compares with the peer, or with the first
  // configuration where there is none (or it refuses a module).
  std::vector<Difference> Run(const std::string& batch, const std::vector<std::string>& names,
                              const std::vector<Configuration>& configurations);

  const Counts& counts() const { return counts_; }
  std::string FileOf(const std::string& batch, const std::string& name) const;

 private:
  absl::Status RunPeer(const std::string& batch, std::vector<std::string> names);
  absl::StatusOr<const spec::LibraryBuilder*> Builder(const Configuration& configuration);
  // Configurations that differ in the compiler and the mode alone.
  void PlayGroup(const std::string& batch, const std::vector<std::string>& names,
                 const std::vector<Configuration>& group);
  absl::StatusOr<std::string> Translate(const std::string& batch, std::vector<std::string>& names,
                                        const Configuration& configuration);
  absl::StatusOr<std::string> Compile(const std::string& batch, std::vector<std::string>& names,
                                      const std::string& source,
                                      const Configuration& configuration);
  void Play(const std::string& batch, std::vector<std::string> names, const std::string& library,
            const Configuration& configuration);
  void CompareLogs(const std::string& batch, const std::vector<std::string>& names,
                   const std::vector<Configuration>& configurations);
  void Found(Difference difference);
  process::Command ChildCommand(const char* what, const std::string& batch,
                                const std::vector<std::string>& names,
                                const Configuration& configuration,
                                const std::vector<std::string>& further) const;

  Settings settings_;
  std::mutex mutex_;  // of what follows
  Counts counts_;
  std::vector<Difference> differences_;
  std::map<std::string, std::unique_ptr<spec::LibraryBuilder>> builders_;
};

// What the children do. Translate: the modules, to an umbrella. Play: prints a line for each module
// that it begins with, and writes its log to NAME.TAG.log.
struct ChildOptions {
  std::string folder;
  std::vector<std::string> names;
  Configuration configuration;
  std::string library, tag, output;
  PlanOptions plan;
};
absl::Status TranslateInChild(const ChildOptions& options);
absl::Status PlayInChild(const ChildOptions& options);

}  // namespace fermata::differential

#endif  // FERMATA_TESTS_DIFFERENTIAL_CAMPAIGN_H_
