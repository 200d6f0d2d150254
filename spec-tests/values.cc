#include "spec-tests/values.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fermata/core/objects.h"

namespace fermata::spec {
namespace {

// Whether a reference of the type that a script names may be one of the runtime's kind: the suite
// names the most exact type, the runtime the top of its hierarchy.
bool SameHierarchy(const std::string& type, ValType kind) {
  switch (kind) {
    case ValType::kFuncRef:
      return type == "funcref" || type == "nullfuncref";
    case ValType::kExternRef:
      return type == "externref" || type == "nullexternref";
    case ValType::kExnRef:
      return type == "exnref" || type == "nullexnref";
    case ValType::kAnyRef:
      return type == "anyref" || type == "eqref" || type == "i31ref" || type == "structref" ||
             type == "arrayref" || type == "nullref";
    default:
      return false;
  }
}

bool IsNumber(ValType type) {
  return type == ValType::kI32 || type == ValType::kI64 || type == ValType::kF32 ||
         type == ValType::kF64 || type == ValType::kV128;
}

absl::StatusOr<ValType> TypeOf(const std::string& name) {
  for (ValType type :
       {ValType::kI32, ValType::kI64, ValType::kF32, ValType::kF64, ValType::kV128,
        ValType::kFuncRef, ValType::kExternRef, ValType::kExnRef, ValType::kAnyRef}) {
    if (name == core::NameOf(type) || (!IsNumber(type) && SameHierarchy(name, type))) return type;
  }
  return absl::UnimplementedError(absl::StrCat("a value of type ", name));
}

uint64_t LaneOf(const Value& value, unsigned bits, size_t index) {
  const size_t at = bits * index;
  const uint64_t word = at < 64 ? value.low : value.high;
  const uint64_t shifted = word >> (at % 64);
  return bits == 64 ? shifted : shifted & ((uint64_t{1} << bits) - 1);
}

template <class T>
std::string DescribeAll(absl::Span<const T> values) {
  std::string text = "[";
  for (const T& value : values) {
    absl::StrAppend(&text, text.size() > 1 ? " " : "", Describe(value));
  }
  return text + "]";
}

}  // namespace

absl::StatusOr<Lane> ParseLane(absl::string_view text) {
  if (text == "nan:canonical") return Lane{Lane::Kind::kCanonicalNan, 0};
  if (text == "nan:arithmetic") return Lane{Lane::Kind::kArithmeticNan, 0};
  Lane lane;
  if (!absl::SimpleAtoi(text, &lane.bits)) {
    return absl::InvalidArgumentError(absl::StrCat("not a number: '", text, "'"));
  }
  return lane;
}

bool LaneMatches(const Lane& lane, uint64_t value, unsigned bits) {
  if (lane.kind == Lane::Kind::kBits) return value == lane.bits;
  const unsigned fraction = bits == 32 ? 23 : 52;
  const uint64_t sign = uint64_t{1} << (bits - 1);
  const uint64_t quiet = uint64_t{1} << (fraction - 1);
  const uint64_t exponent = sign - (uint64_t{1} << fraction);
  if (lane.kind == Lane::Kind::kCanonicalNan) return (value & ~sign) == (exponent | quiet);
  return (value & (exponent | quiet)) == (exponent | quiet);
}

// The reference to a value of the host.
uint64_t HostWord(uint32_t number) { return number << 2 | core::kHostTag; }

absl::StatusOr<Value> ToValue(const Pattern& pattern) {
  absl::StatusOr<ValType> type = TypeOf(pattern.type);
  if (!type.ok()) return type.status();
  Value value;
  value.type = *type;
  switch (pattern.kind) {
    case Pattern::Kind::kNull:
      return value;
    case Pattern::Kind::kHostReference:
      value.low = HostWord(pattern.reference);
      return value;
    case Pattern::Kind::kLanes:
      for (size_t i = 0; i < pattern.lanes.size(); ++i) {
        if (pattern.lanes[i].kind != Lane::Kind::kBits) {
          return absl::InvalidArgumentError("a NaN pattern is no argument");
        }
        const size_t at = pattern.lane_bits * i;
        (at < 64 ? value.low : value.high) |= pattern.lanes[i].bits << (at % 64);
      }
      return value;
    default:
      return absl::InvalidArgumentError(absl::StrCat("not an argument: ", Describe(pattern)));
  }
}

bool Matches(const Pattern& pattern, const Value& value) {
  switch (pattern.kind) {
    case Pattern::Kind::kEither:
      for (const Pattern& choice : pattern.choices) {
        if (Matches(choice, value)) return true;
      }
      return false;
    case Pattern::Kind::kNull:
      return !IsNumber(value.type) && value.low == 0 &&
             (pattern.type == "refnull" || SameHierarchy(pattern.type, value.type));
    case Pattern::Kind::kNonNull:
      return !IsNumber(value.type) && value.low != 0 && SameHierarchy(pattern.type, value.type);
    case Pattern::Kind::kHostReference:
      return SameHierarchy(pattern.type, value.type) && !IsNumber(value.type) &&
             value.low == HostWord(pattern.reference);
    case Pattern::Kind::kLanes:
      break;
  }
  if (pattern.type != core::NameOf(value.type)) return false;
  for (size_t i = 0; i < pattern.lanes.size(); ++i) {
    if (!LaneMatches(pattern.lanes[i], LaneOf(value, pattern.lane_bits, i), pattern.lane_bits)) {
      return false;
    }
  }
  return true;
}

bool Matches(absl::Span<const Pattern> patterns, absl::Span<const Value> values) {
  if (patterns.size() != values.size()) return false;
  for (size_t i = 0; i < patterns.size(); ++i) {
    if (!Matches(patterns[i], values[i])) return false;
  }
  return true;
}

std::string Describe(const Pattern& pattern) {
  std::string text = absl::StrCat("(", pattern.type);
  switch (pattern.kind) {
    case Pattern::Kind::kEither:
      text = "(either";
      for (const Pattern& choice : pattern.choices) absl::StrAppend(&text, " ", Describe(choice));
      break;
    case Pattern::Kind::kNull:
      text += " null";
      break;
    case Pattern::Kind::kNonNull:
      text += " not null";
      break;
    case Pattern::Kind::kHostReference:
      absl::StrAppend(&text, " ", pattern.reference);
      break;
    case Pattern::Kind::kLanes:
      if (pattern.lanes.size() > 1) {
        absl::StrAppend(&text, " ", pattern.lane_bits, "x", pattern.lanes.size());
      }
      for (const Lane& lane : pattern.lanes) {
        if (lane.kind == Lane::Kind::kBits) {
          absl::StrAppend(&text, " 0x", absl::Hex(lane.bits));
        } else {
          text += lane.kind == Lane::Kind::kCanonicalNan ? " nan:canonical" : " nan:arithmetic";
        }
      }
  }
  return text + ")";
}

std::string Describe(const Value& value) {
  if (value.type == ValType::kV128) {
    return absl::StrCat("(v128 64x2 0x", absl::Hex(value.low), " 0x", absl::Hex(value.high), ")");
  }
  if (IsNumber(value.type)) {
    return absl::StrCat("(", core::NameOf(value.type), " 0x", absl::Hex(value.low), ")");
  }
  return absl::StrCat("(", core::NameOf(value.type), " ",
                      value.low == 0 ? "null" : absl::StrCat("handle ", value.low), ")");
}

std::string Describe(absl::Span<const Pattern> patterns) { return DescribeAll(patterns); }
std::string Describe(absl::Span<const Value> values) { return DescribeAll(values); }

}  // namespace fermata::spec
