#include "spec-tests/script.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

namespace fermata::spec {
namespace {

namespace json = llvm::json;

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

// The four hex digits after "\\u" at `at`, or 0.
uint32_t Unit(absl::string_view text, size_t at) {
  uint32_t unit = 0;
  if (text.substr(at, 2) != "\\u" || !absl::SimpleHexAtoi(text.substr(at + 2, 4), &unit)) return 0;
  return unit;
}

// Escaped surrogate pairs as UTF-8: LLVM 14 decodes those of half the planes wrongly.
std::string WithoutSurrogates(absl::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    const uint32_t high = Unit(text, i), low = Unit(text, i + 6);
    if (high - 0xd800 < 0x400 && low - 0xdc00 < 0x400) {
      const uint32_t c = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
      for (uint32_t byte :
           {0xf0 | c >> 18, 0x80 | (c >> 12 & 63), 0x80 | (c >> 6 & 63), 0x80 | (c & 63)}) {
        result += static_cast<char>(byte);
      }
      i += 11;
    } else {
      absl::StrAppend(&result, text.substr(i++, 2));
    }
  }
  return result;
}

// The text under `key`, or "".
std::string Text(const json::Object& object, llvm::StringRef key) {
  const auto text = object.getString(key);
  return text ? text->str() : "";
}

bool IsReference(const std::string& type) {
  return absl::string_view(type).size() > 3 && type.compare(type.size() - 3, 3, "ref") == 0;
}

absl::Status ParseVector(const json::Object& object, Pattern& pattern) {
  const std::string lane_type = Text(object, "lane_type");
  if (lane_type.size() < 2 || !absl::SimpleAtoi(lane_type.substr(1), &pattern.lane_bits)) {
    return Wrong("a v128 without lane_type");
  }
  const json::Array* lanes = object.getArray("value");
  if (lanes == nullptr || lanes->size() * pattern.lane_bits != 128) {
    return Wrong("a v128 with another number of lanes");
  }
  for (const json::Value& text : *lanes) {
    const auto string = text.getAsString();
    if (!string) return Wrong("a lane that is not a string");
    absl::StatusOr<Lane> lane = ParseLane(string->str());
    if (!lane.ok()) return lane.status();
    pattern.lanes.push_back(*lane);
  }
  return absl::OkStatus();
}

absl::StatusOr<Pattern> ParsePattern(const json::Value& value);

absl::Status ParsePatterns(const json::Array* values, std::vector<Pattern>& patterns) {
  if (values == nullptr) return Wrong("a list of values is missing");
  for (const json::Value& value : *values) {
    absl::StatusOr<Pattern> pattern = ParsePattern(value);
    if (!pattern.ok()) return pattern.status();
    patterns.push_back(*std::move(pattern));
  }
  return absl::OkStatus();
}

absl::StatusOr<Pattern> ParsePattern(const json::Value& value) {
  const json::Object* object = value.getAsObject();
  if (object == nullptr) return Wrong("a value that is not an object");
  Pattern pattern;
  pattern.type = Text(*object, "type");
  if (pattern.type == "either") {
    pattern.kind = Pattern::Kind::kEither;
    absl::Status status = ParsePatterns(object->getArray("values"), pattern.choices);
    if (!status.ok()) return status;
    return pattern;
  }
  if (pattern.type == "v128") {
    absl::Status status = ParseVector(*object, pattern);
    if (!status.ok()) return status;
    return pattern;
  }
  const bool has_value = object->get("value") != nullptr;
  const std::string text = Text(*object, "value");
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

absl::Status ParseAction(const json::Object& object, Action& action) {
  action.get = Text(object, "type") == "get";
  action.module = Text(object, "module");
  action.field = Text(object, "field");
  if (action.get) return absl::OkStatus();
  return ParsePatterns(object.getArray("args"), action.arguments);
}

absl::Status ParseCommands(const json::Array* array, std::vector<Command>& commands);

absl::Status ParseCommand(const json::Object& object, Command& command) {
  const std::string type = Text(object, "type");
  bool known = false;
#define FERMATA_SPEC_PARSE(enumerator, text) \
  if (type == text) {                        \
    command.type = CommandType::enumerator;  \
    known = true;                            \
  }
  FERMATA_SPEC_COMMANDS(FERMATA_SPEC_PARSE)
#undef FERMATA_SPEC_PARSE
  command.line = static_cast<unsigned>(object.getInteger("line").getValueOr(0));
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
  if (const json::Object* action = object.getObject("action")) {
    status = ParseAction(*action, command.action);
  }
  if (status.ok() && command.type == CommandType::kAssertReturn) {
    status = ParsePatterns(object.getArray("expected"), command.expected);
  }
  if (status.ok() && command.type == CommandType::kThread) {
    status = ParseCommands(object.getArray("commands"), command.commands);
  }
  if (!status.ok()) return Wrong(absl::StrCat("line ", command.line, ": ", status.message()));
  return absl::OkStatus();
}

absl::Status ParseCommands(const json::Array* array, std::vector<Command>& commands) {
  if (array == nullptr) return Wrong("no \"commands\"");
  for (const json::Value& value : *array) {
    const json::Object* object = value.getAsObject();
    if (object == nullptr) return Wrong("a command that is not an object");
    commands.emplace_back();
    absl::Status status = ParseCommand(*object, commands.back());
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
  llvm::Expected<json::Value> value = json::parse(WithoutSurrogates(text));
  if (!value) return Wrong(llvm::toString(value.takeError()));
  const json::Object* object = value->getAsObject();
  if (object == nullptr) return Wrong("a script that is not an object");
  Script script;
  script.source = Text(*object, "source_filename");
  absl::Status status = ParseCommands(object->getArray("commands"), script.commands);
  if (!status.ok()) return status;
  return script;
}

absl::StatusOr<Script> ReadScript(const std::string& path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": ", file.getError().message()));
  const llvm::StringRef text = (*file)->getBuffer();
  absl::StatusOr<Script> script = ParseScript({text.data(), text.size()});
  if (!script.ok()) return Wrong(absl::StrCat(path, ": ", script.status().message()));
  return script;
}

}  // namespace fermata::spec
