#include "bench/report/builder.h"

#include <cstdio>

#include "absl/strings/str_join.h"
#include "bench/report/text_file.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

namespace bench {
namespace {

namespace fs = llvm::sys::fs;

std::string NotePath(const Rule& rule) { return rule.output + ".command"; }

bool IsUpToDate(const Rule& rule, const std::string& note) {
  fs::file_status output;
  if (fs::status(rule.output, output) || ReadText(NotePath(rule)) != note) return false;
  for (const std::string& input : rule.inputs) {
    fs::file_status status;
    if (fs::status(input, status) ||
        status.getLastModificationTime() > output.getLastModificationTime()) {
      return false;
    }
  }
  return true;
}

void Make(const Rule& rule) {
  const std::string note = absl::StrJoin(rule.command, "\n");
  if (IsUpToDate(rule, note)) return;
  (void)fs::create_directories(llvm::sys::path::parent_path(rule.output));
  const Ran ran = Run(rule.command);
  if (ran.ok && Exists(rule.output)) {
    WriteText(NotePath(rule), note);
    return;
  }
  std::fprintf(stderr, "%s: %s failed:\n%s\n", rule.output.c_str(), rule.command[0].c_str(),
               Tail(ran.error, 600).c_str());
  (void)fs::remove(rule.output);
}

}  // namespace

void Build(const std::vector<Rule>& rules) {
  ForAll(rules.size(), [&](size_t i) { Make(rules[i]); });
}

bool Exists(const std::string& path) { return fs::exists(path); }

}  // namespace bench
