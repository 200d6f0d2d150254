#include "tests/replay/trace.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "tests/support/value_or.h"

namespace fermata::replay {
namespace {

using core::ValType;
namespace json = llvm::json;

llvm::StringRef Ref(absl::string_view s) { return {s.data(), s.size()}; }

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed trace: ", what));
}

// JSON has lone surrogates as escapes, for which the parser puts a replacement character. They are
// kept as code points that no text has: these, by their low 11 bits.
constexpr uint32_t kLone = 0x10f800;

// The four hexadecimal digits at `at`; -1 if there are none.
int HexAt(absl::string_view text, size_t at) {
  int value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    if (i >= text.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[i]))) return -1;
    value = value * 16 + static_cast<int>(llvm::hexDigitValue(text[i]));
  }
  return value;
}

// A code point above U+FFFF.
void AppendUtf8(uint32_t point, std::string& out) {
  out.push_back(static_cast<char>(0xf0 | point >> 18));
  for (int shift : {12, 6, 0}) out.push_back(static_cast<char>(0x80 | (point >> shift & 0x3f)));
}

// Pairs of escapes become characters, too: LLVM 14 gets those above U+1FFFF wrong.
std::string KeepLoneSurrogates(absl::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      out.push_back(line[i]);
      continue;
    }
    const int unit = line[i + 1] == 'u' ? HexAt(line, i + 2) : -1;
    if (unit < 0xd800 || unit > 0xdfff) {
      absl::StrAppend(&out, line.substr(i, 2));
      ++i;
      continue;
    }
    const int low = unit < 0xdc00 && line.substr(i + 6, 2) == "\\u" ? HexAt(line, i + 8) : -1;
    if ((low & ~0x3ff) == 0xdc00) {
      AppendUtf8(0x10000 + ((static_cast<uint32_t>(unit) & 0x3ff) << 10) +
                     (static_cast<uint32_t>(low) & 0x3ff),
                 out);
      i += 11;
      continue;
    }
    AppendUtf8(kLone + (static_cast<uint32_t>(unit) & 0x7ff), out);
    i += 5;
  }
  return out;
}

// UTF-8 that the parser has checked.
std::u16string UnitsOf(llvm::StringRef text) {
  std::u16string units;
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<uint8_t>(text[i]);
    const size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t point = more == 0 ? first : first & (0x3fu >> more);
    for (size_t k = 1; k <= more && i + k < text.size(); ++k) {
      point = point << 6 | (static_cast<uint8_t>(text[i + k]) & 0x3fu);
    }
    i += more + 1;
    if (point >= kLone && point < kLone + 0x800) {
      units.push_back(static_cast<char16_t>(0xd800 + (point - kLone)));
    } else if (point >= 0x10000) {
      units.push_back(static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10)));
      units.push_back(static_cast<char16_t>(0xdc00 + (point & 0x3ff)));
    } else {
      units.push_back(static_cast<char16_t>(point));
    }
  }
  return units;
}

absl::StatusOr<json::Value> ParseJson(absl::string_view line) {
  const bool escapes = absl::StrContains(line, "\\ud") || absl::StrContains(line, "\\uD");
  llvm::Expected<json::Value> value =
      escapes ? json::parse(KeepLoneSurrogates(line)) : json::parse(Ref(line));
  if (!value) return Malformed(llvm::toString(value.takeError()));
  return std::move(*value);
}

// Decimal digits modulo 2^64, as BigInt.asUintN(64, …) has it.
bool ParseBigInt(llvm::StringRef text, uint64_t& bits) {
  if (!text.consume_back("n")) return false;
  const bool negative = text.consume_front("-");
  if (text.empty()) return false;
  bits = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    bits = bits * 10 + static_cast<uint64_t>(c - '0');
  }
  if (negative) bits = -bits;
  return true;
}

bool ParseReference(const json::Object& object, TraceValue& value) {
  constexpr std::pair<const char*, TraceValue::Kind> kIds[] = {
      {"r", TraceValue::kRef}, {"g", TraceValue::kObject}, {"f", TraceValue::kFunction}};
  for (const auto& [name, kind] : kIds) {
    if (const auto id = object.getInteger(name)) {
      value.kind = kind;
      value.ref = *id;
      return true;
    }
  }
  if (const auto text = object.getString("s")) {
    value.kind = TraceValue::kString;
    value.text = UnitsOf(*text);
    return true;
  }
  if (const auto name = object.getString("x")) {
    value.kind = TraceValue::kExport;
    value.name = name->str();
    return true;
  }
  if (const json::Value* truth = object.get("b")) {
    value.kind = TraceValue::kBool;
    value.number = ValueOr(truth->getAsBoolean(), ValueOr(truth->getAsInteger(), 0) != 0);
    return true;
  }
  value.kind = TraceValue::kUndefined;
  return object.get("u") != nullptr;
}

bool ParseValue(const json::Value& json, TraceValue& value) {
  if (json.getAsNull()) {
    value.kind = TraceValue::kNull;
    return true;
  }
  if (const auto number = json.getAsNumber()) {
    value.number = *number;
    return true;
  }
  if (const json::Object* object = json.getAsObject()) {
    return ParseReference(*object, value);
  }
  const auto text = json.getAsString();
  if (!text) return false;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::pair<const char*, double> kSpecial[] = {
      {"nan", std::nan("")}, {"inf", kInfinity}, {"-inf", -kInfinity}, {"-0", -0.0}};
  for (const auto& [name, number] : kSpecial) {
    if (*text == name) {
      value.number = number;
      return true;
    }
  }
  value.kind = TraceValue::kBigInt;
  return ParseBigInt(*text, value.bits);
}

bool ParseValues(const json::Value& json, std::vector<TraceValue>& values) {
  const json::Array* array = json.getAsArray();
  if (array == nullptr) return false;
  values.resize(array->size());
  for (size_t i = 0; i < array->size(); ++i) {
    if (!ParseValue((*array)[i], values[i])) return false;
  }
  return true;
}

bool ParseNumber(const json::Value& json, uint64_t& number) {
  const auto integer = json.getAsInteger();
  if (!integer || *integer < 0) return false;
  number = static_cast<uint64_t>(*integer);
  return true;
}

bool ParseString(const json::Value& json, std::string& text) {
  const auto string = json.getAsString();
  if (!string) return false;
  text = string->str();
  return true;
}

bool ParseElement(const json::Value& json, TraceEvent& event) {
  if (json.getAsNull()) return true;
  const json::Object* object = json.getAsObject();
  if (object == nullptr) return false;
  event.element = TraceEvent::kForeign;
  if (const auto name = object->getString("export")) {
    event.element = TraceEvent::kExport;
    event.name = name->str();
  } else if (const auto host = object->getString("host")) {
    const auto signature = object->getString("sig");
    if (!signature) return false;
    event.element = TraceEvent::kHostFunction;
    event.name = host->str();
    event.text = signature->str();
  }
  return true;
}

bool ParseBytes(const json::Value& json, std::string& bytes) {
  const auto text = json.getAsString();
  if (!text) return false;
  return text && absl::Base64Unescape(absl::string_view(text->data(), text->size()), &bytes);
}

// The third part of a trap or a throw, in version 2.
bool ParseThrown(const json::Array& a, TraceEvent& event) {
  if (a.size() < 3) return a.size() == 2;
  const json::Object* info = a[2].getAsObject();
  if (info == nullptr) return a.size() == 3 && bool(a[2].getAsNull());
  if (const json::Value* value = info->get("js")) {
    event.thrown = TraceEvent::kHostValue;
    event.values.emplace_back();
    return ParseValue(*value, event.values[0]);
  }
  if (const json::Value* tag = info->get("tag")) {
    event.thrown = TraceEvent::kTagged;
    event.name = ValueOr(tag->getAsString(), "").str();
    const json::Value* arguments = info->get("args");
    return arguments == nullptr || ParseValues(*arguments, event.values);
  }
  if (info->get("same") != nullptr) event.thrown = TraceEvent::kSameAsBefore;
  if (info->get("trap") != nullptr) event.thrown = TraceEvent::kRealTrap;
  return true;
}

// The parts after the event's name.
bool ParseParts(const json::Array& a, TraceEvent& event) {
  switch (event.kind) {
    case TraceEvent::kCall:
      return a.size() == 3 && ParseString(a[1], event.name) && ParseValues(a[2], event.values);
    case TraceEvent::kTableCall:
      return a.size() == 3 && ParseNumber(a[1], event.number) && ParseValues(a[2], event.values);
    case TraceEvent::kImport:
      return a.size() == 4 && ParseString(a[1], event.module) && ParseString(a[2], event.name) &&
             ParseValues(a[3], event.values);
    case TraceEvent::kReturn:
    case TraceEvent::kResult:
      return a.size() == 2 && ParseValues(a[1], event.values);
    case TraceEvent::kThrow:
    case TraceEvent::kTrap:
      return a.size() >= 2 && ParseString(a[1], event.text) && ParseThrown(a, event);
    case TraceEvent::kFunctionCall:
      return a.size() == 3 && ParseNumber(a[1], event.number) && ParseValues(a[2], event.values);
    case TraceEvent::kGlobalGet:
      event.values.emplace_back();
      return a.size() == 3 && ParseString(a[1], event.name) && ParseValue(a[2], event.values[0]);
    case TraceEvent::kWrite:
      return a.size() == 3 && ParseNumber(a[1], event.number) && ParseBytes(a[2], event.text);
    case TraceEvent::kGrow:
    case TraceEvent::kTableGrow:
      return a.size() == 2 && ParseNumber(a[1], event.number);
    case TraceEvent::kTableSet:
      return a.size() == 3 && ParseNumber(a[1], event.number) && ParseElement(a[2], event);
    case TraceEvent::kMemoryHash:
      return a.size() == 3 && ParseNumber(a[1], event.number) && ParseString(a[2], event.text);
  }
  return false;
}

// ECMAScript ToInt32, as bits.
uint32_t ToInt32(double number) {
  if (!std::isfinite(number)) return 0;
  double modulo = std::fmod(std::trunc(number), 4294967296.0);
  if (modulo < 0) modulo += 4294967296.0;
  return static_cast<uint32_t>(modulo);
}

float FloatOf(uint64_t bits) {
  const uint32_t low = static_cast<uint32_t>(bits);
  float value;
  memcpy(&value, &low, sizeof value);
  return value;
}

double DoubleOf(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

absl::StatusOr<TraceHeader> ParseTraceHeader(absl::string_view line) {
  absl::StatusOr<json::Value> json = ParseJson(line);
  if (!json.ok()) return json.status();
  const json::Object* object = json->getAsObject();
  if (object == nullptr) return Malformed("the header is not an object");
  TraceHeader header;
  header.sha256 = ValueOr(object->getString("sha256"), "").str();
  header.init_pages = static_cast<uint64_t>(ValueOr(object->getInteger("init_pages"), 0));
  header.version = static_cast<uint64_t>(ValueOr(object->getInteger("version"), 1));
  header.string_constants = ValueOr(object->getString("string_constants"), "").str();
  if (const json::Array* builtins = object->getArray("builtins")) {
    for (const json::Value& name : *builtins) {
      header.js_strings |= ValueOr(name.getAsString(), "") == "js-string";
    }
  }
  header.truncated = ValueOr(object->getBoolean("truncated"), false);
  if (const json::Array* table = object->getArray("import_table")) {
    if (table->size() != 3 || !ParseNumber((*table)[2], header.import_table_size)) {
      return Malformed("import_table");
    }
  }
  if (const json::Array* globals = object->getArray("import_globals")) {
    for (const json::Value& entry : *globals) {
      const json::Array* parts = entry.getAsArray();
      TraceHeader::Global global;
      if (parts == nullptr || parts->size() != 3 || !ParseString((*parts)[0], global.module) ||
          !ParseString((*parts)[1], global.name) || !ParseValue((*parts)[2], global.value)) {
        return Malformed("import_globals");
      }
      header.import_globals.push_back(std::move(global));
    }
  }
  return header;
}

absl::StatusOr<TraceEvent> ParseTraceEvent(absl::string_view line) {
  constexpr std::pair<const char*, TraceEvent::Kind> kKinds[] = {
      {"call", TraceEvent::kCall},          {"tcall", TraceEvent::kTableCall},
      {"imp", TraceEvent::kImport},         {"ret", TraceEvent::kReturn},
      {"throw", TraceEvent::kThrow},        {"res", TraceEvent::kResult},
      {"trap", TraceEvent::kTrap},          {"mem", TraceEvent::kWrite},
      {"grow", TraceEvent::kGrow},          {"tgrow", TraceEvent::kTableGrow},
      {"tset", TraceEvent::kTableSet},      {"memhash", TraceEvent::kMemoryHash},
      {"fcall", TraceEvent::kFunctionCall}, {"gget", TraceEvent::kGlobalGet},
  };
  absl::StatusOr<json::Value> json = ParseJson(line);
  if (!json.ok()) return json.status();
  const json::Array* array = json->getAsArray();
  std::string kind;
  if (array == nullptr || array->empty() || !ParseString((*array)[0], kind)) {
    return Malformed("an event is not an array that starts with its kind");
  }
  for (const auto& [name, value] : kKinds) {
    if (kind != name) continue;
    TraceEvent event;
    event.kind = value;
    if (!ParseParts(*array, event)) return Malformed(absl::StrCat("event \"", kind, "\""));
    return event;
  }
  return Malformed(absl::StrCat("unknown event \"", kind, "\""));
}

uint64_t NumericBits(const TraceValue& value, ValType type) {
  const double number =
      value.kind == TraceValue::kNumber || value.kind == TraceValue::kBool ? value.number
      : value.kind == TraceValue::kBigInt ? static_cast<double>(static_cast<int64_t>(value.bits))
                                          : 0;  // JavaScript's null is 0
  switch (type) {
    case ValType::kI64: {
      if (value.kind == TraceValue::kBigInt) return value.bits;
      // Not what JavaScript would take, but what a recorder may write for a small number.
      if (number >= -9223372036854775808.0 && number < 9223372036854775808.0) {
        return static_cast<uint64_t>(static_cast<int64_t>(number));
      }
      return number > 0 && number < 18446744073709551616.0 ? static_cast<uint64_t>(number) : 0;
    }
    case ValType::kF32: {
      const float rounded = static_cast<float>(number);
      uint32_t bits;
      memcpy(&bits, &rounded, sizeof bits);
      return bits;
    }
    case ValType::kF64: {
      uint64_t bits;
      memcpy(&bits, &number, sizeof bits);
      return bits;
    }
    default:
      return value.kind == TraceValue::kBigInt ? static_cast<uint32_t>(value.bits)
                                               : ToInt32(number);
  }
}

bool SameNumeric(ValType type, uint64_t bits, const TraceValue& expected) {
  if (expected.kind != TraceValue::kNumber && expected.kind != TraceValue::kBigInt &&
      expected.kind != TraceValue::kBool) {
    return false;
  }
  const uint64_t wanted = NumericBits(expected, type);
  if (type == ValType::kF32) {
    const float a = FloatOf(bits), b = FloatOf(wanted);
    return a == b || (std::isnan(a) && std::isnan(b));
  }
  if (type == ValType::kF64) {
    const double a = DoubleOf(bits), b = DoubleOf(wanted);
    return a == b || (std::isnan(a) && std::isnan(b));
  }
  return bits == wanted;
}

absl::StatusOr<TraceReader> TraceReader::Open(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot read: ", strerror(errno)));
  }
  gzbuffer(file, 128 * 1024);
  TraceReader reader(path, file);
  absl::StatusOr<std::optional<std::string>> line = reader.ReadLine();
  if (!line.ok()) return line.status();
  if (!line->has_value()) return absl::InvalidArgumentError(absl::StrCat(path, ": empty"));
  absl::StatusOr<TraceHeader> header = ParseTraceHeader(**line);
  if (!header.ok()) return header.status();
  reader.header_ = *std::move(header);
  return reader;
}

TraceReader::TraceReader(TraceReader&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, nullptr)),
      header_(std::move(other.header_)),
      position_(other.position_) {}

TraceReader::~TraceReader() {
  if (file_ != nullptr) gzclose(file_);
}

absl::StatusOr<std::optional<std::string>> TraceReader::ReadLine() {
  std::string line;
  std::array<char, 16384> buffer;
  while (gzgets(file_, buffer.data(), buffer.size()) != nullptr) {
    line.append(buffer.data());
    if (!line.empty() && line.back() == '\n') {
      line.pop_back();
      return line;
    }
  }
  int error = Z_OK;
  const char* message = gzerror(file_, &error);
  if (error != Z_OK && error != Z_STREAM_END) {
    return absl::DataLossError(absl::StrCat(path_, ": ", message));
  }
  if (line.empty()) return std::optional<std::string>();
  return line;
}

absl::StatusOr<std::optional<TraceEvent>> TraceReader::Next() {
  absl::StatusOr<std::optional<std::string>> line = ReadLine();
  if (!line.ok()) return line.status();
  if (!line->has_value() || (*line)->empty()) return std::optional<TraceEvent>();
  absl::StatusOr<TraceEvent> event = ParseTraceEvent(**line);
  if (!event.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("event ", position_, ": ", event.status().message()));
  }
  ++position_;
  return std::optional<TraceEvent>(*std::move(event));
}

}  // namespace fermata::replay
