#include "spec-tests/script.h"

#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace fermata::spec {
namespace {

using nlohmann::json;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

// What is under `key`, or null.
const json* Get(const json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

// The text under `key`, or "".
std::string Text(const json& object, const char* key) {
  const json* value = Get(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

bool IsReference(const std::string& type) {
  return absl::string_view(type).size() > 3 && type.compare(type.size() - 3, 3, "ref") == 0;
}

absl::Status ParseVector(const json& object, Pattern& pattern) {
  const std::string lane_type = Text(object, "lane_type");
  if (lane_type.size() < 2 || !absl::SimpleAtoi(lane_type.substr(1), &pattern.lane_bits)) {
    return Wrong("a v128 without lane_type");
  }
  const json* lanes = Get(object, "value");
  if (lanes == nullptr || !lanes->is_array() || lanes->size() * pattern.lane_bits != 128) {
    return Wrong("a v128 with another number of lanes");
  }
  for (const json& text : *lanes) {
    if (!text.is_string()) return Wrong("a lane that is not a string");
    absl::StatusOr<Lane> lane = ParseLane(text.get_ref<const std::string&>());
    if (!lane.ok()) return lane.status();
    pattern.lanes.push_back(*lane);
  }
  return absl::OkStatus();
}

absl::StatusOr<Pattern> ParsePattern(const json& object);

absl::Status ParsePatterns(const json* values, std::vector<Pattern>& patterns) {
  if (values == nullptr || !values->is_array()) return Wrong("a list of values is missing");
  for (const json& value : *values) {
    absl::StatusOr<Pattern> pattern = ParsePattern(value);
    if (!pattern.ok()) return pattern.status();
    patterns.push_back(*std::move(pattern));
  }
  return absl::OkStatus();
}

absl::StatusOr<Pattern> ParsePattern(const json& object) {
  if (!object.is_object()) return Wrong("a value that is not an object");
  Pattern pattern;
  pattern.type = Text(object, "type");
  if (pattern.type == "either") {
    pattern.kind = Pattern::Kind::kEither;
    absl::Status status = ParsePatterns(Get(object, "values"), pattern.choices);
    if (!status.ok()) return status;
    return pattern;
  }
  if (pattern.type == "v128") {
    absl::Status status = ParseVector(object, pattern);
    if (!status.ok()) return status;
    return pattern;
  }
  const bool has_value = Get(object, "value") != nullptr;
  const std::string text = Text(object, "value");
  if (pattern.type == "refnull" || (IsReference(pattern.type) && text == "null")) {
    pattern.kind = Pattern::Kind::kNull;
  } else if (IsReference(pattern.type) && !has_value) {
    pattern.kind = Pattern::Kind::kNonNull;
  } else if (IsReference(pattern.type)) {
    pattern.kind = Pattern::Kind::kHostReference;
    if (!absl::SimpleAtoi(text, &pattern.reference)) return Wrong("a reference without a number");
  } else {
    if (pattern.type.size() != 3) return Wrong(absl::StrCat("a value of type ", pattern.type));
    pattern.lane_bits = pattern.type.substr(1) == "32" ? 32 : 64;
    absl::StatusOr<Lane> lane = ParseLane(text);
    if (!lane.ok()) return lane.status();
    pattern.lanes.push_back(*lane);
  }
  return pattern;
}

absl::Status ParseAction(const json& object, Action& action) {
  action.get = Text(object, "type") == "get";
  action.module = Text(object, "module");
  action.field = Text(object, "field");
  if (action.get) return absl::OkStatus();
  return ParsePatterns(Get(object, "args"), action.arguments);
}

absl::Status ParseCommands(const json* array, std::vector<Command>& commands);

absl::Status ParseCommand(const json& object, Command& command) {
  const std::string type = Text(object, "type");
  bool known = false;
#define FERMATA_SPEC_PARSE(enumerator, text) \
  if (type == text) {                        \
    command.type = CommandType::enumerator;  \
    known = true;                            \
  }
  FERMATA_SPEC_COMMANDS(FERMATA_SPEC_PARSE)
#undef FERMATA_SPEC_PARSE
  const json* line = Get(object, "line");
  if (line != nullptr && line->is_number_unsigned()) command.line = line->get<unsigned>();
  if (!known) return Wrong(absl::StrCat("line ", command.line, ": unknown command '", type, "'"));
  command.name = Text(object, "name");
  command.filename = Text(object, "filename");
  command.text = Text(object, "module_type") == "text";
  command.as = Text(object, "as");
  command.instance = Text(object, "instance");
  command.module = Text(object, "module");
  command.message = Text(object, "text");
  command.shared_module = Text(object, "shared_module");
  command.thread = Text(object, "thread");
  absl::Status status;
  if (const json* action = Get(object, "action")) {
    status = ParseAction(*action, command.action);
  }
  if (status.ok() && command.type == CommandType::kAssertReturn) {
    status = ParsePatterns(Get(object, "expected"), command.expected);
  }
  if (status.ok() && command.type == CommandType::kThread) {
    status = ParseCommands(Get(object, "commands"), command.commands);
  }
  if (!status.ok()) return Wrong(absl::StrCat("line ", command.line, ": ", status.message()));
  return absl::OkStatus();
}

absl::Status ParseCommands(const json* array, std::vector<Command>& commands) {
  if (array == nullptr || !array->is_array()) return Wrong("no \"commands\"");
  for (const json& object : *array) {
    if (!object.is_object()) return Wrong("a command that is not an object");
    commands.emplace_back();
    absl::Status status = ParseCommand(object, commands.back());
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

const char* Name(CommandType type) {
  static const char* const names[] = {
#define FERMATA_SPEC_NAME(enumerator, name) name,
      FERMATA_SPEC_COMMANDS(FERMATA_SPEC_NAME)
#undef FERMATA_SPEC_NAME
  };
  return names[static_cast<size_t>(type)];
}

bool IsNegative(CommandType type) {
  return type == CommandType::kAssertInvalid || type == CommandType::kAssertMalformed ||
         type == CommandType::kAssertInvalidCustom || type == CommandType::kAssertMalformedCustom;
}

bool IsExecutable(CommandType type) {
  return IsAssertion(type) && !IsNegative(type) && type != CommandType::kAssertUnlinkable;
}

bool IsAssertion(CommandType type) {
  switch (type) {
    case CommandType::kModule:
    case CommandType::kModuleDefinition:
    case CommandType::kModuleInstance:
    case CommandType::kRegister:
    case CommandType::kThread:
    case CommandType::kWait:
      return false;
    default:
      return true;
  }
}

absl::StatusOr<Script> ParseScript(absl::string_view text) {
  const json object = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded()) return Wrong("not JSON");
  if (!object.is_object()) return Wrong("a script that is not an object");
  Script script;
  script.source = Text(object, "source_filename");
  absl::Status status = ParseCommands(Get(object, "commands"), script.commands);
  if (!status.ok()) return status;
  return script;
}

absl::StatusOr<Script> ReadScript(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::NotFoundError(absl::StrCat(path, ": cannot read"));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  absl::StatusOr<Script> script = ParseScript(text);
  if (!script.ok()) return Wrong(absl::StrCat(path, ": ", script.status().message()));
  return script;
}

std::vector<std::string> ModulesOf(const Script& script) {
  std::vector<std::string> modules;
  std::set<std::string> seen;
  ForEach(script.commands, [&](const Command& command) {
    if (command.filename.empty() || command.text || IsNegative(command.type)) return;
    if (seen.insert(command.filename).second) modules.push_back(command.filename);
  });
  return modules;
}

}  // namespace fermata::spec
