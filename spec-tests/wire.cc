#include "spec-tests/wire.h"

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

namespace fermata::spec {
namespace {

using nlohmann::json;

// Text may hold anything, such as names of a module's: what is not UTF-8 in it is replaced.
std::string Print(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

uint64_t Number(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 0;
}

std::string Text(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

json ToJson(const Untranslated& modules) {
  return {{"blocked", modules.blocked}, {"broken", modules.broken}};
}

std::map<std::string, std::string> ToMap(const json& object, const char* key) {
  std::map<std::string, std::string> map;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_object()) return map;
  for (const auto& [name, value] : it->items()) map[name] = Text(*it, name.c_str());
  return map;
}

Untranslated ToUntranslated(const json& object) {
  return {ToMap(object, "blocked"), ToMap(object, "broken")};
}

absl::Status WriteJson(const std::string& path, const json& value) {
  std::ofstream out(path, std::ios::binary);
  out << Print(value) << "\n";
  out.close();
  return out ? absl::OkStatus() : absl::InternalError(absl::StrCat(path, ": cannot write"));
}

absl::StatusOr<json> ReadJson(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat(path, ": cannot read"));
  json object = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (object.is_object()) return object;
  return absl::InternalError(absl::StrCat(path, ": not an object in JSON"));
}

}  // namespace

std::string ToLine(const CommandResult& outcome) {
  json object{{"line", outcome.line},
              {"type", static_cast<unsigned>(outcome.type)},
              {"verdict", static_cast<unsigned>(outcome.verdict)}};
  if (!outcome.detail.empty()) object["detail"] = outcome.detail;
  return absl::StrCat(kWirePrefix, Print(object), "\n");
}

std::string ToLine(const PlayStats& stats) {
  const json object{{"end", 1},
                    {"calls", stats.calls},
                    {"suspensions", stats.suspensions},
                    {"pauses", stats.pauses},
                    {"restores", stats.restores},
                    {"other_phrases", stats.other_phrases}};
  return absl::StrCat(kWirePrefix, Print(object), "\n");
}

Told ParseLines(absl::string_view output) {
  Told told;
  for (absl::string_view line : absl::StrSplit(output, '\n')) {
    // Something printed without a line's end may come before it.
    const size_t at = line.find(kWirePrefix);
    absl::StrAppend(&told.noise, line.substr(0, at));
    if (at == absl::string_view::npos) {
      if (!line.empty()) told.noise += '\n';
      continue;
    }
    line.remove_prefix(at + kWirePrefix.size());
    const json object = json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (!object.is_object()) continue;  // the child ended in the middle of it
    if (Number(object, "end") != 0) {
      PlayStats stats;
      stats.calls = Number(object, "calls");
      stats.suspensions = Number(object, "suspensions");
      stats.pauses = Number(object, "pauses");
      stats.restores = Number(object, "restores");
      stats.other_phrases = Number(object, "other_phrases");
      told.stats = stats;
      continue;
    }
    CommandResult outcome;
    outcome.line = static_cast<unsigned>(Number(object, "line"));
    outcome.type = static_cast<CommandType>(Number(object, "type"));
    outcome.verdict = static_cast<Verdict>(Number(object, "verdict"));
    outcome.detail = Text(object, "detail");
    if (outcome.type > kLastCommandType || outcome.verdict > kLastVerdict) continue;
    told.outcomes.push_back(std::move(outcome));
  }
  return told;
}

absl::Status Write(const std::string& path, const Untranslated& modules) {
  return WriteJson(path, ToJson(modules));
}

absl::StatusOr<Untranslated> ReadUntranslated(const std::string& path) {
  const absl::StatusOr<json> object = ReadJson(path);
  if (!object.ok()) return object.status();
  return ToUntranslated(*object);
}

absl::Status Write(const std::string& path, const PlayTask& task) {
  json object = ToJson(task.untranslated);
  object["script"] = task.script;
  object["mode"] = Name(task.mode);
  object["memory"] = task.memory;
  object["library"] = task.library;
  object["error"] = task.error;
  return WriteJson(path, object);
}

absl::StatusOr<PlayTask> ReadPlayTask(const std::string& path) {
  const absl::StatusOr<json> object = ReadJson(path);
  if (!object.ok()) return object.status();
  PlayTask task;
  task.script = Text(*object, "script");
  for (const Mode mode : kModes) {
    if (Text(*object, "mode") == Name(mode)) task.mode = mode;
  }
  task.memory = Text(*object, "memory");
  task.library = Text(*object, "library");
  task.error = Text(*object, "error");
  task.untranslated = ToUntranslated(*object);
  return task;
}

}  // namespace fermata::spec
