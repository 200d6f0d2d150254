#include "spec-tests/wire.h"

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

namespace fermata::spec {
namespace {

namespace json = llvm::json;

std::string Print(const json::Value& value) {
  std::string text;
  llvm::raw_string_ostream out(text);
  out << value;
  out.flush();
  return text;
}

std::string Utf8(const std::string& text) {
  return json::isUTF8(text) ? text : json::fixUTF8(text);
}

json::Value ToValue(const std::map<std::string, std::string>& map) {
  json::Object object;
  for (const auto& [key, value] : map) object[Utf8(key)] = Utf8(value);
  return object;
}

void FromValue(const json::Object* object, std::map<std::string, std::string>& map) {
  if (object == nullptr) return;
  for (const auto& [key, value] : *object) {
    if (const auto text = value.getAsString()) map[key.str()] = text->str();
  }
}

int64_t Number(const json::Object& object, llvm::StringRef key) {
  return object.getInteger(key).getValueOr(0);
}

}  // namespace

std::string ToLine(const CommandResult& outcome) {
  json::Object object{{"line", static_cast<int64_t>(outcome.line)},
                      {"type", static_cast<int64_t>(outcome.type)},
                      {"verdict", static_cast<int64_t>(outcome.verdict)}};
  if (!outcome.detail.empty()) object["detail"] = Utf8(outcome.detail);
  return absl::StrCat(kWirePrefix, Print(std::move(object)), "\n");
}

std::string ToLine(const PlayStats& stats) {
  return absl::StrCat(
      kWirePrefix,
      Print(json::Object{{"end", true},
                         {"calls", static_cast<int64_t>(stats.calls)},
                         {"suspensions", static_cast<int64_t>(stats.suspensions)},
                         {"pauses", static_cast<int64_t>(stats.pauses)},
                         {"restores", static_cast<int64_t>(stats.restores)},
                         {"other_phrases", static_cast<int64_t>(stats.other_phrases)}}),
      "\n");
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
    llvm::Expected<json::Value> value = json::parse(llvm::StringRef(line.data(), line.size()));
    if (!value) {
      llvm::consumeError(value.takeError());
      continue;  // the child ended in the middle of it
    }
    const json::Object* object = value->getAsObject();
    if (object == nullptr) continue;
    if (object->getBoolean("end").getValueOr(false)) {
      PlayStats stats;
      stats.calls = static_cast<uint64_t>(Number(*object, "calls"));
      stats.suspensions = static_cast<uint64_t>(Number(*object, "suspensions"));
      stats.pauses = static_cast<uint64_t>(Number(*object, "pauses"));
      stats.restores = static_cast<uint64_t>(Number(*object, "restores"));
      stats.other_phrases = static_cast<uint64_t>(Number(*object, "other_phrases"));
      told.stats = stats;
      continue;
    }
    CommandResult outcome;
    outcome.line = static_cast<unsigned>(Number(*object, "line"));
    outcome.type = static_cast<CommandType>(Number(*object, "type"));
    outcome.verdict = static_cast<Verdict>(Number(*object, "verdict"));
    if (const auto detail = object->getString("detail")) outcome.detail = detail->str();
    told.outcomes.push_back(std::move(outcome));
  }
  return told;
}

absl::Status WriteMaps(const std::string& path, const std::map<std::string, std::string>& blocked,
                       const std::map<std::string, std::string>& broken) {
  std::ofstream out(path);
  out << Print(json::Object{{"blocked", ToValue(blocked)}, {"broken", ToValue(broken)}}) << "\n";
  out.close();
  return out ? absl::OkStatus() : absl::InternalError(absl::StrCat(path, ": cannot write"));
}

absl::Status ReadMaps(const std::string& path, std::map<std::string, std::string>& blocked,
                      std::map<std::string, std::string>& broken) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": ", file.getError().message()));
  llvm::Expected<json::Value> value = json::parse((*file)->getBuffer());
  if (!value) return absl::InternalError(llvm::toString(value.takeError()));
  const json::Object* object = value->getAsObject();
  if (object == nullptr) return absl::InternalError(absl::StrCat(path, ": not an object"));
  FromValue(object->getObject("blocked"), blocked);
  FromValue(object->getObject("broken"), broken);
  return absl::OkStatus();
}

}  // namespace fermata::spec
