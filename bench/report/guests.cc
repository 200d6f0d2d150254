#include "bench/report/guests.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

namespace bench {
namespace {

namespace fs = llvm::sys::fs;
namespace json = llvm::json;

struct Guest {
  const char* name;
  bool compiled_quick;  // a quick run compiles it, with one compiler
  bool compiled_full;   // only a full run compiles it: it takes many minutes
};
constexpr Guest kGuests[] = {{"lua54-noeh-bench", true, false},
                             {"xxhsum", false, false},
                             {"bzip2", false, false},
                             {"zstd", false, false},
                             {"mujs-eh", false, false},
                             {"sqlite3-shell", false, false},
                             {"clingo", false, false},
                             {"esbuild", false, true},
                             {"ruby34", false, true}};

uint64_t FileSize(const std::string& path) {
  uint64_t size = 0;
  return fs::file_size(path, size) ? 0 : size;
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; it != end && !error; it.increment(error)) {
    files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Bytes of machine code in an object file: its .text sections.
double TextOf(const std::string& object) {
  double bytes = 0;
  const std::vector<std::string> lines = absl::StrSplit(Run({"size", "-A", object}).output, '\n');
  for (const std::string& line : lines) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    double size;
    if (words.size() == 3 && words[0].rfind(".text", 0) == 0 && absl::SimpleAtod(words[1], &size)) {
      bytes += size;
    }
  }
  return bytes;
}

// One engine's way from a module to object files.
class Engine {
 public:
  Engine(const Tools& tools, bool is_fermata, std::string module, std::string folder)
      : tools_(tools),
        is_fermata_(is_fermata),
        module_(std::move(module)),
        folder_(std::move(folder)) {}

  // Least of several rounds; false if it can't.
  bool Translate(int rounds, json::Object& figures) {
    double seconds = 0, peak = 0;
    for (int round = 0; round < rounds; ++round) {
      (void)fs::remove_directories(folder_);
      (void)fs::create_directories(folder_);
      const Ran ran = Run(TranslateCommand());
      if (!ran.ok()) {
        std::fprintf(stderr, "%s: %s can't: %s\n", module_.c_str(),
                     is_fermata_ ? "fermata" : "wasm2c", Tail(ran.errors, 10).c_str());
        return false;
      }
      seconds = round == 0 ? ran.wall_seconds : std::min(seconds, ran.wall_seconds);
      peak = ran.peak_bytes;
    }
    double bytes = 0;
    for (const std::string& file : FilesIn(folder_)) bytes += FileSize(file);
    figures["translate_seconds"] = seconds;
    figures["translate_peak_bytes"] = peak;
    figures["output_bytes"] = bytes;
    return true;
  }

  // One file after the other, as its author's machine would have the time of nothing else.
  void Compile(const Compiler& compiler, json::Object& figures) {
    double text = 0, seconds = 0, slowest = 0, peak = 0;
    int files = 0;
    for (const std::string& source : FilesIn(folder_)) {
      if (llvm::sys::path::extension(source) != (is_fermata_ ? ".cc" : ".c")) continue;
      const std::string object = folder_ + "/object.o";
      const Ran ran = Run(CompileCommand(compiler, source, object));
      if (!ran.ok()) {
        std::fprintf(stderr, "%s: %s\n", source.c_str(), Tail(ran.errors, 10).c_str());
        return;
      }
      ++files;
      text += TextOf(object);
      seconds += ran.user_seconds + ran.system_seconds;
      slowest = std::max(slowest, ran.user_seconds + ran.system_seconds);
      peak = std::max(peak, static_cast<double>(ran.peak_bytes));
      (void)fs::remove(object);
    }
    figures["files"] = files;
    if (files == 0) return;
    std::fprintf(stderr, "guests: %s by %s: %.0f bytes of code, compiled in %.1f s\n",
                 folder_.c_str(), compiler.name.c_str(), text, seconds);
    figures["text_" + compiler.name] = text;
    figures["compile_seconds_" + compiler.name] = seconds;
    figures["slowest_file_seconds_" + compiler.name] = slowest;
    figures["compile_peak_bytes_" + compiler.name] = peak;
  }

 private:
  Command TranslateCommand() const {
    if (!is_fermata_) {
      Command command = {tools_.wasm2c, module_, "-n", "guest", "-o", folder_ + "/guest.c"};
      command.insert(command.end(), tools_.wasm2c_flags.begin(), tools_.wasm2c_flags.end());
      return command;
    }
    // As many files as `fermata run` makes (translator/cli/native/native_build.cc).
    const uint64_t shards = std::clamp<uint64_t>((FileSize(module_) + 131071) / 131072, 1, 64);
    return {tools_.fermata,
            "translate",
            module_,
            "-o",
            folder_,
            "--class=Guest",
            "--name=guest",
            "--namespace=guest",
            absl::StrCat("--shards=", shards)};
  }
  Command CompileCommand(const Compiler& compiler, const std::string& source,
                         const std::string& object) const {
    Command command = {is_fermata_ ? compiler.cxx : compiler.cc};
    const Command& flags = is_fermata_ ? compiler.fermata : compiler.wasm2c;
    command.insert(command.end(), flags.begin(), flags.end());
    command.insert(command.end(), {"-I", is_fermata_ ? tools_.Include() : tools_.wasm_rt, "-I",
                                   folder_, "-c", source, "-o", object});
    return command;
  }

  const Tools& tools_;
  const bool is_fermata_;
  const std::string module_, folder_;
};

json::Object Measure(const Tools& tools, const Guest& guest, const std::string& module,
                     const GuestOptions& options) {
  json::Object result{{"name", guest.name},
                      {"module_bytes", static_cast<double>(FileSize(module))}};
  const int rounds = options.quick || guest.compiled_full ? 1 : 3;
  for (const bool is_fermata : {true, false}) {
    const std::string name = is_fermata ? "fermata" : "wasm2c";
    if (!is_fermata && tools.wasm2c.empty()) continue;
    Engine engine(tools, is_fermata, module,
                  absl::StrCat(tools.build_dir, "/bench/guests/", guest.name, "/", name));
    json::Object figures;
    if (!engine.Translate(rounds, figures)) continue;
    for (const Compiler& compiler : tools.compilers) {
      const bool first = &compiler == &tools.compilers[0];
      if (options.quick ? !guest.compiled_quick || !first : guest.compiled_full && !options.full) {
        continue;
      }
      engine.Compile(compiler, figures);
    }
    result[name] = std::move(figures);
  }
  return result;
}

}  // namespace

json::Array MeasureGuests(const Tools& tools, const GuestOptions& options) {
  json::Array results;
  for (const Guest& guest : kGuests) {
    const std::string module = absl::StrCat(options.folder, "/", guest.name, "/module.wasm");
    if (!llvm::sys::fs::exists(module) || (options.quick && guest.compiled_full)) continue;
    if (!options.only.empty() && options.only != guest.name) continue;
    std::fprintf(stderr, "guests: %s\n", guest.name);
    results.push_back(Measure(tools, guest, module, options));
  }
  return results;
}

}  // namespace bench
