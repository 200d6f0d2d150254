#include "spec-tests/report.h"

#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "tests/support/value_or.h"

namespace fermata::spec {
namespace {

namespace json = llvm::json;

int64_t Int(uint64_t value) { return static_cast<int64_t>(value); }

std::string Utf8(const std::string& text) {
  return json::isUTF8(text) ? text : json::fixUTF8(text);
}

json::Object ToJson(const Figures& f) {
  json::Object object{{"passed", Int(f.passed)},
                      {"failed", Int(f.failed)},
                      {"blocked", Int(f.blocked)},
                      {"not_applicable", Int(f.not_applicable)}};
  if (f.not_run != 0) object["not_run"] = Int(f.not_run);
  return object;
}

json::Array ToJson(const std::vector<Failure>& failures) {
  json::Array array;
  for (const Failure& f : failures) {
    array.push_back(json::Object{{"mode", Name(f.mode)},
                                 {"group", f.group},
                                 {"file", f.file},
                                 {"line", Int(f.outcome.line)},
                                 {"command", Name(f.outcome.type)},
                                 {"detail", Utf8(f.outcome.detail)}});
  }
  return array;
}

Figures Total(const std::map<std::string, Figures>& groups) {
  Figures total;
  for (const auto& [group, figures] : groups) total += figures;
  return total;
}

// "12,345": the documentation's way.
std::string Thousands(uint64_t n) {
  std::string text = absl::StrCat(n);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string Cell(const Figures* f) {
  if (f == nullptr) return "";
  std::string text = Thousands(f->passed);
  if (f->failed != 0) absl::StrAppend(&text, ", ", Thousands(f->failed), " failed");
  if (f->expected_failures != 0) {
    absl::StrAppend(&text, ", ", Thousands(f->expected_failures), " failed as expected");
  }
  if (f->blocked != 0) absl::StrAppend(&text, ", ", Thousands(f->blocked), " blocked");
  return text;
}

const Figures* Find(const std::map<std::string, Figures>& groups, const std::string& group) {
  const auto it = groups.find(group);
  return it == groups.end() ? nullptr : &it->second;
}

}  // namespace

absl::StatusOr<Expected> Expected::Parse(absl::string_view text) {
  Expected expected;
  unsigned number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find(' ');
    const absl::string_view place = line.substr(0, space);
    const size_t colon = place.rfind(':');
    Entry entry;
    unsigned at = 0;
    if (space == absl::string_view::npos || colon == absl::string_view::npos ||
        !absl::SimpleAtoi(place.substr(colon + 1), &at)) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, ": not of the form `file:line reason`"));
    }
    absl::string_view reason = absl::StripAsciiWhitespace(line.substr(space));
    if (absl::ConsumePrefix(&reason, "plain:")) entry.suspended = false;
    if (absl::ConsumePrefix(&reason, "suspended:")) entry.plain = false;
    entry.reason = std::string(absl::StripAsciiWhitespace(reason));
    if (entry.reason.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, ": no reason is given"));
    }
    expected.entries_[std::string(place.substr(0, colon))][at] = std::move(entry);
  }
  return expected;
}

const std::string* Expected::Find(absl::string_view file, unsigned line, bool suspended) const {
  const auto lines = entries_.find(std::string(file));
  if (lines == entries_.end()) return nullptr;
  const auto entry = lines->second.find(line);
  if (entry == lines->second.end()) return nullptr;
  return (suspended ? entry->second.suspended : entry->second.plain) ? &entry->second.reason
                                                                     : nullptr;
}

std::vector<unsigned> Expected::LinesOf(absl::string_view file, bool suspended) const {
  std::vector<unsigned> result;
  const auto lines = entries_.find(std::string(file));
  if (lines == entries_.end()) return result;
  for (const auto& [line, entry] : lines->second) {
    if (suspended ? entry.suspended : entry.plain) result.push_back(line);
  }
  return result;
}

Figures& Figures::operator+=(const Figures& o) {
  passed += o.passed;
  failed += o.failed;
  blocked += o.blocked;
  not_applicable += o.not_applicable;
  not_run += o.not_run;
  expected_failures += o.expected_failures;
  executable_passed += o.executable_passed;
  executable += o.executable;
  return *this;
}

void Report::Add(FileResult result, const Expected& expected) {
  Figures figures;
  const bool suspended = result.mode != Mode::kPlain;
  const size_t mode = Index(result.mode);
  std::set<unsigned> no_surprise;  // those of failures, and of what was not run
  const auto failure = [&](CommandResult outcome) {
    return Failure{result.group, result.file, result.mode, std::move(outcome)};
  };
  for (const CommandResult& outcome : result.outcomes) {
    const bool assertion = IsAssertion(outcome.type);
    if (IsExecutable(outcome.type) && outcome.verdict != Verdict::kNotApplicable) {
      ++figures.executable;
      figures.executable_passed += outcome.verdict == Verdict::kPassed;
    }
    switch (outcome.verdict) {
      case Verdict::kPassed:
        figures.passed += assertion;
        break;
      case Verdict::kBlocked:
        figures.blocked += assertion;
        break;
      case Verdict::kNotApplicable:
        figures.not_applicable += assertion;
        break;
      case Verdict::kNotRun:
        figures.not_run += assertion;
        no_surprise.insert(outcome.line);
        break;
      case Verdict::kFailed:
        no_surprise.insert(outcome.line);
        if (expected.Find(result.file, outcome.line, suspended) != nullptr) {
          ++figures.expected_failures;
          expected_.push_back(failure(outcome));
        } else {
          ++figures.failed;
          failures_.push_back(failure(outcome));
        }
    }
  }
  for (unsigned line : expected.LinesOf(result.file, suspended)) {
    if (no_surprise.count(line) != 0) continue;
    CommandResult outcome{line, CommandType::kAction, Verdict::kFailed,
                          "listed as an expected failure, but nothing fails at this line"};
    ++figures.failed;
    failures_.push_back(failure(std::move(outcome)));
  }
  groups_[mode][result.group] += figures;
  ran_[mode] = true;
  PlayStats& stats = stats_[mode];
  stats.suspensions += result.stats.suspensions;
  stats.pauses += result.stats.pauses;
  stats.restores += result.stats.restores;
  stats.other_phrases += result.stats.other_phrases;
  result.outcomes.clear();
  files_.push_back(std::move(result));
}

std::string Report::Table() const {
  std::string text;
  for (const Mode mode : kModes) {
    const size_t m = Index(mode);
    if (!ran_[m]) continue;
    absl::StrAppend(&text, absl::StrFormat("%-22s %8s %8s %8s %15s\n", Name(mode), "passed",
                                           "failed", "blocked", "not applicable"));
    const auto row = [&](const std::string& name, const Figures& f) {
      absl::StrAppend(&text, absl::StrFormat("%-22s %8d %8d %8d %15d", name, f.passed, f.failed,
                                             f.blocked, f.not_applicable));
      if (f.expected_failures != 0) {
        absl::StrAppend(&text, "   and ", f.expected_failures, " failed as expected");
      }
      if (f.not_run != 0) absl::StrAppend(&text, "   and ", f.not_run, " refusals not run");
      text += '\n';
    };
    for (const auto& [group, figures] : groups_[m]) row(group, figures);
    const Figures total = Total(groups_[m]);
    row("all", total);
    const PlayStats& stats = stats_[m];
    absl::StrAppend(&text, "executable assertions passed: ", total.executable_passed, " of ",
                    total.executable);
    if (mode != Mode::kPlain) {
      absl::StrAppend(&text, mode == Mode::kPaused ? "; pauses: " : "; suspensions: ",
                      stats.suspensions + stats.pauses);
      if (mode != Mode::kPaused) absl::StrAppend(&text, " (", stats.suspensions, " of imports)");
      if (stats.restores != 0) absl::StrAppend(&text, ", restored at ", stats.restores);
    }
    absl::StrAppend(&text, "; refused in other words than the suite's: ", stats.other_phrases,
                    "\n\n");
  }
  return text;
}

std::string Report::Json() const {
  json::Object report, totals;
  for (const Mode mode : kModes) {
    const size_t m = Index(mode);
    if (!ran_[m]) continue;
    json::Object groups;
    for (const auto& [group, figures] : groups_[m]) groups[group] = ToJson(figures);
    report[Name(mode)] = std::move(groups);
    const Figures total = Total(groups_[m]);
    json::Object all = ToJson(total);
    all["expected_failures"] = Int(total.expected_failures);
    all["executable"] = Int(total.executable);
    all["executable_passed"] = Int(total.executable_passed);
    all["import_suspensions"] = Int(stats_[m].suspensions);
    all["pauses"] = Int(stats_[m].pauses);
    if (mode == Mode::kSnapshotted) all["restores"] = Int(stats_[m].restores);
    all["other_phrases"] = Int(stats_[m].other_phrases);
    totals[Name(mode)] = std::move(all);
  }
  json::Array blocked, files;
  std::set<std::string> seen;
  for (const FileResult& file : files_) {
    files.push_back(json::Object{{"group", file.group},
                                 {"file", file.file},
                                 {"mode", Name(file.mode)},
                                 {"cached", file.cached},
                                 {"translate_seconds", file.translate_seconds},
                                 {"compile_seconds", file.compile_seconds},
                                 {"play_seconds", file.play_seconds}});
    for (const auto& [module, why] : file.blocked) {
      if (!seen.insert(absl::StrCat(file.group, "/", module)).second) continue;
      blocked.push_back(json::Object{
          {"group", file.group}, {"file", file.file}, {"module", module}, {"reason", Utf8(why)}});
    }
  }
  report["totals"] = std::move(totals);
  report["blocked_modules"] = std::move(blocked);
  report["failures"] = ToJson(failures_);
  report["expected_failures"] = ToJson(expected_);
  report["files"] = std::move(files);
  std::string text;
  llvm::raw_string_ostream out(text);
  out << llvm::formatv("{0:2}", json::Value(std::move(report))) << "\n";
  out.flush();
  return text;
}

absl::StatusOr<std::string> Report::Markdown(absl::string_view wasm2c) const {
  json::Object no_figures;
  const json::Object* modules = &no_figures;
  llvm::Expected<json::Value> value =
      json::parse(wasm2c.empty() ? "{}" : llvm::StringRef(wasm2c.data(), wasm2c.size()));
  if (!value) return absl::InvalidArgumentError(llvm::toString(value.takeError()));
  if (value->getAsObject() != nullptr) modules = value->getAsObject();
  std::string text =
      "| group | plain | suspended | text format, not applicable | modules wasm2c translates |\n"
      "|---|---|---|---|---|\n";
  std::set<std::string> names;
  for (const auto& groups : groups_) {
    for (const auto& [group, figures] : groups) names.insert(group);
  }
  uint64_t all_done = 0, all_modules = 0;
  const auto row = [&](const std::string& name, const Figures* plain, const Figures* suspended,
                       const std::string& other) {
    const Figures* any = plain != nullptr ? plain : suspended;
    absl::StrAppend(&text, "| ", name, " | ", Cell(plain), " | ", Cell(suspended), " | ",
                    any->not_applicable == 0 ? "" : Thousands(any->not_applicable), " | ", other,
                    " |\n");
  };
  for (const std::string& name : names) {
    std::string other;
    if (const json::Object* group = modules->getObject(name)) {
      const auto done = ValueOr(group->getInteger("translated"), 0);
      const auto all = ValueOr(group->getInteger("modules"), 0);
      all_done += static_cast<uint64_t>(done);
      all_modules += static_cast<uint64_t>(all);
      other = absl::StrCat(Thousands(static_cast<uint64_t>(done)), " of ",
                           Thousands(static_cast<uint64_t>(all)));
    }
    row(name, Find(groups_[0], name), Find(groups_[1], name), other);
  }
  const Figures plain = Total(groups_[0]), suspended = Total(groups_[1]);
  row("**all**", ran_[0] ? &plain : nullptr, ran_[1] ? &suspended : nullptr,
      all_modules == 0 ? "" : absl::StrCat(Thousands(all_done), " of ", Thousands(all_modules)));
  return text;
}

std::string Describe(const Failure& failure) {
  return absl::StrCat(failure.group, "/", failure.file, ":", failure.outcome.line, " ",
                      Name(failure.outcome.type), " (", Name(failure.mode),
                      "): ", failure.outcome.detail);
}

}  // namespace fermata::spec
