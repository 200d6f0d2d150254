// Rules about addresses and names: fermata/wasi/network.h.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fermata/wasi/network.h"
#include "runtime/wasi/network_address.h"

namespace fermata::wasi {
namespace {

using Family = NetworkAddress::Family;

uint8_t BitsOf(Family family) { return family == Family::kIpv4 ? 32 : 128; }

bool ParsePort(absl::string_view text, uint16_t& port) {
  uint32_t value = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(text, &value) || value > 0xffff) return false;
  port = static_cast<uint16_t>(value);
  return true;
}

// "*", "80" or "8000-8100".
bool ParsePorts(absl::string_view text, uint16_t& first, uint16_t& last) {
  first = 0;
  last = 0xffff;
  if (text == "*") return true;
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  if (!absl::StrContains(text, '-')) return ParsePort(text, first) && ParsePort(text, last);
  return ParsePort(ends.first, first) && ParsePort(ends.second, last) && first <= last;
}

bool SharesBits(const std::array<uint8_t, 16>& a, const std::array<uint8_t, 16>& b, uint8_t bits) {
  for (size_t i = 0; i < bits / 8u; ++i) {
    if (a[i] != b[i]) return false;
  }
  const int rest = bits % 8;
  return rest == 0 || ((a[bits / 8u] ^ b[bits / 8u]) >> (8 - rest)) == 0;
}

// A name for the list: "example.org", "*.example.org" or "*".
bool IsNamePattern(absl::string_view text) {
  if (text == "*") return true;
  absl::ConsumePrefix(&text, "*.");
  absl::ConsumeSuffix(&text, ".");
  if (!IsHostName(text)) return false;
  // Mistyped addresses ("10.0.0", "300.1.1.1") are no names: none ends in a number.
  const absl::string_view last = text.substr(text.rfind('.') + 1);  // npos + 1 is 0
  return !last.empty() && !std::all_of(last.begin(), last.end(), absl::ascii_isdigit);
}

std::string Normalized(absl::string_view name) {
  absl::ConsumeSuffix(&name, ".");
  return absl::AsciiStrToLower(name);
}

}  // namespace

struct NetworkPolicy::Rule {
  std::vector<Range> ranges;
  std::vector<std::string> names;
};

absl::Status NetworkPolicy::ParseRange(absl::string_view text, Range& range) {
  absl::string_view address = text, bits_text, ports = "*";
  const bool bracketed = absl::StartsWith(text, "[");
  if (bracketed) {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return absl::InvalidArgumentError("\"]\" is missing");
    address = text.substr(1, end - 1);
    absl::string_view rest = text.substr(end + 1);
    if (absl::StartsWith(rest, "/")) {
      bits_text = rest.substr(0, rest.find(':'));
      rest.remove_prefix(bits_text.size());
    }
    if (absl::ConsumePrefix(&rest, ":")) {
      ports = rest;
    } else if (!rest.empty()) {
      return absl::InvalidArgumentError("expected \":\" and ports after \"]\"");
    }
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    address = text.substr(0, text.find(':'));
    ports = text.substr(text.find(':') + 1);
  }
  if (!ParsePorts(ports, range.first_port, range.last_port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", ports, "\" is neither a port nor a range of ports"));
  }
  if (bits_text.empty() && absl::StrContains(address, '/')) {
    bits_text = address.substr(address.find('/'));
    address.remove_suffix(bits_text.size());
  }
  NetworkAddress parsed;
  if (!ParseAddress(address, parsed) || (bracketed && parsed.family == Family::kIpv4)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is neither an address nor a name"));
  }
  uint32_t bits = BitsOf(parsed.family);
  if (absl::ConsumePrefix(&bits_text, "/")) {
    uint16_t given = 0;
    if (!ParsePort(bits_text, given) || given > bits) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"/", bits_text, "\" is not a number of bits from 0 to ", bits));
    }
    bits = given;
  }
  // What is IPv4 as a whole is written down as IPv4, as it is looked up.
  if (parsed.family == Family::kIpv6 && bits >= 96 && Unmap(parsed)) bits -= 96;
  range.family = parsed.family;
  range.bytes = parsed.bytes;
  range.bits = static_cast<uint8_t>(bits);
  return absl::OkStatus();
}

absl::Status NetworkPolicy::Parse(absl::string_view text, Rule& rule) {
  uint8_t uses = kConnect | kListen;
  bool addresses = true, names = true;
  if (absl::ConsumePrefix(&text, "connect:")) {
    uses = kConnect;
    names = false;
  } else if (absl::ConsumePrefix(&text, "listen:")) {
    uses = kListen;
    names = false;
  } else if (absl::ConsumePrefix(&text, "resolve:")) {
    addresses = false;
  }
  if (names && IsNamePattern(text)) rule.names.push_back(Normalized(text));
  if (!addresses) {
    return rule.names.empty() ? absl::InvalidArgumentError("not a name") : absl::OkStatus();
  }
  const bool all = text == "*" || absl::StartsWith(text, "*:");
  if (!rule.names.empty() && !all) return absl::OkStatus();
  const bool one_colon = std::count(text.begin(), text.end(), ':') == 1;  // more: IPv6
  if (names && !all && one_colon && IsNamePattern(text.substr(0, text.find(':')))) {
    return absl::InvalidArgumentError(
        "a rule for a name allows resolving it and has no ports; its addresses need rules of their "
        "own");
  }
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Range range = {uses, family, {}, 0, 0, 0xffff};
    if (all && text != "*" && !ParsePorts(text.substr(2), range.first_port, range.last_port)) {
      return absl::InvalidArgumentError("expected ports after \"*:\"");
    }
    if (!all) {
      if (const absl::Status status = ParseRange(text, range); !status.ok()) return status;
    }
    rule.ranges.push_back(range);
    if (!all) break;
  }
  return absl::OkStatus();
}

absl::Status NetworkPolicy::Allow(absl::string_view rules) {
  Rule all;
  for (absl::string_view text : absl::StrSplit(rules, ',')) {
    text = absl::StripAsciiWhitespace(text);
    Rule rule;
    if (const absl::Status status = Parse(text, rule); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": ", status.message()));
    }
    all.ranges.insert(all.ranges.end(), rule.ranges.begin(), rule.ranges.end());
    all.names.insert(all.names.end(), rule.names.begin(), rule.names.end());
  }
  ranges_.insert(ranges_.end(), all.ranges.begin(), all.ranges.end());
  names_.insert(names_.end(), all.names.begin(), all.names.end());
  return absl::OkStatus();
}

bool NetworkPolicy::Covers(uint8_t use, NetworkAddress address, bool any_port) const {
  Unmap(address);
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return (range.uses & use) != 0 && range.family == address.family &&
           SharesBits(range.bytes, address.bytes, range.bits) &&
           (any_port || (address.port >= range.first_port && address.port <= range.last_port));
  });
}

bool NetworkPolicy::AllowsConnect(const NetworkAddress& address) const {
  return Covers(kConnect, Destination(address), /*any_port=*/false);
}
bool NetworkPolicy::AllowsListen(const NetworkAddress& address) const {
  return Covers(kListen, address, /*any_port=*/false);
}
bool NetworkPolicy::AllowsGroup(const NetworkAddress& address) const {
  return Covers(kListen, address, /*any_port=*/true);
}
bool NetworkPolicy::AllowsLiteral(const NetworkAddress& address) const {
  return Covers(kConnect, Destination(address), /*any_port=*/true) ||
         Covers(kListen, address, /*any_port=*/true);
}

bool NetworkPolicy::AllowsName(absl::string_view name) const {
  const std::string wanted = Normalized(name);
  return std::any_of(names_.begin(), names_.end(), [&](absl::string_view pattern) {
    if (pattern == "*") return true;
    if (!absl::ConsumePrefix(&pattern, "*")) return wanted == pattern;
    return wanted.size() > pattern.size() && absl::EndsWith(wanted, pattern);
  });
}

}  // namespace fermata::wasi
