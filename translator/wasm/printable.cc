#include "translator/wasm/printable.h"

#include <cstdint>

#include "absl/strings/str_format.h"

namespace fermata::wasm {
namespace {

bool Between(uint8_t c, uint8_t first, uint8_t last) { return c >= first && c <= last; }

// The length of what stands at the start of `s` if it must be escaped, or 0.
size_t UnprintableAt(absl::string_view s) {
  const auto byte = [&](size_t i) { return i < s.size() ? static_cast<uint8_t>(s[i]) : 0; };
  if (byte(0) < 0x20 || byte(0) == 0x7f) return 1;
  if (byte(0) == 0xc2 && Between(byte(1), 0x80, 0x9f)) return 2;  // control characters
  if (byte(0) != 0xe2) return 0;
  // Marks of direction and ends of lines: U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
  const bool marks =
      (byte(1) == 0x80 && (Between(byte(2), 0x8e, 0x8f) || Between(byte(2), 0xa8, 0xae))) ||
      (byte(1) == 0x81 && Between(byte(2), 0xa6, 0xa9));
  return marks ? 3 : 0;
}

void AppendEscaped(absl::string_view bytes, std::string& out) {
  for (char c : bytes) {
    if (c == '\n') {
      out.append("\\n");
    } else if (c == '\t') {
      out.append("\\t");
    } else if (c == '\r') {
      out.append("\\r");
    } else {
      absl::StrAppendFormat(&out, "\\%03o", static_cast<uint8_t>(c));
    }
  }
}

}  // namespace

std::string Printable(absl::string_view name, size_t max_bytes) {
  const bool cut = name.size() > max_bytes;
  if (cut) {
    // Not within a character's bytes.
    size_t size = max_bytes;
    while (size > 0 && (static_cast<uint8_t>(name[size]) & 0xc0) == 0x80) --size;
    name = name.substr(0, size);
  }
  std::string out;
  while (!name.empty()) {
    const size_t unprintable = UnprintableAt(name);
    if (unprintable > 0) {
      AppendEscaped(name.substr(0, unprintable), out);
    } else {
      if (name[0] == '"' || name[0] == '\\') out.push_back('\\');
      out.push_back(name[0]);
    }
    name.remove_prefix(unprintable > 0 ? unprintable : 1);
  }
  if (cut) out.append("…");
  return out;
}

}  // namespace fermata::wasm
