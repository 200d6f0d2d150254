#include "tests/differential/log.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace fermata::differential {
namespace {

bool IsNan32(uint64_t bits) { return (bits & 0x7fffffff) > 0x7f800000; }
bool IsNan64(uint64_t bits) { return (bits & ~uint64_t{0} >> 1) > uint64_t{0x7ff} << 52; }

// Whether the call that line `at` belongs to uses up its stack. What it does before that depends on
// how large the stack is.
bool UsesUpStack(const std::vector<absl::string_view>& lines, size_t at) {
  while (at < lines.size() && absl::StartsWith(lines[at], "  import")) ++at;
  return at < lines.size() && absl::EndsWith(lines[at], "traps stack");
}

}  // namespace

std::string Words(absl::string_view types, absl::Span<const uint64_t> words) {
  std::string text;
  size_t at = 0;
  for (const char letter : types) {
    absl::StrAppend(&text, " ", absl::string_view(&letter, 1), ":");
    const uint64_t word = words[at++];
    switch (letter) {
      case 'i':
      case 'I':
        absl::StrAppend(&text, absl::Hex(word));
        break;
      case 'f':
      case 'F':
        if (letter == 'f' ? IsNan32(word) : IsNan64(word)) {
          absl::StrAppend(&text, "nan");
        } else {
          absl::StrAppend(&text, absl::Hex(word));
        }
        break;
      case 'V':
        absl::StrAppend(&text, absl::Hex(word), ",", absl::Hex(words[at++]));
        break;
      default:
        absl::StrAppend(&text, word != 0 ? "null" : "ref");
    }
  }
  return text;
}

const char* TrapKind(Trap trap) {
  switch (trap) {
    case Trap::kUnreachable:
      return "unreachable";
    case Trap::kMemoryOutOfBounds:
      return "memory";
    case Trap::kTableOutOfBounds:
    case Trap::kUndefinedElement:
      return "table";
    case Trap::kIntegerDivideByZero:
      return "zero";
    case Trap::kIntegerOverflow:
    case Trap::kInvalidConversionToInteger:
      return "range";
    case Trap::kUninitializedElement:
    case Trap::kIndirectCallTypeMismatch:
      return "callee";
    case Trap::kNullReference:
    case Trap::kNullFunctionReference:
    case Trap::kNullExceptionReference:
      return "null";
    case Trap::kCastFailure:
      return "cast";
    case Trap::kArrayOutOfBounds:
      return "array";
    case Trap::kCallStackExhausted:
    case Trap::kHeapExhausted:  // engines differ in what they have room for, too
      return "stack";
    case Trap::kUncaughtException:
      return "exception";
    case Trap::kUnalignedAtomic:
      return "unaligned";
    case Trap::kUnsharedWait:
      return "wait";
    default:
      return "other";
  }
}

Comparison Compare(absl::string_view expected, absl::string_view found) {
  const std::vector<absl::string_view> a = absl::StrSplit(expected, '\n'),
                                       b = absl::StrSplit(found, '\n');
  Comparison result;
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const absl::string_view x = i < a.size() ? a[i] : "(nothing more)",
                            y = i < b.size() ? b[i] : "(nothing more)";
    if (absl::EndsWith(x, "traps stack") && x == y) return result;
    if (x != y) {
      if (UsesUpStack(a, i) || UsesUpStack(b, i)) return result;
      result.same = false;
      result.line = i + 1;
      result.expected = std::string(x);
      result.found = std::string(y);
      return result;
    }
    result.calls += absl::StartsWith(x, "returns") || absl::StartsWith(x, "traps");
  }
  return result;
}

}  // namespace fermata::differential
