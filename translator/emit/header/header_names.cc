#include "translator/emit/header/header_names.h"

#include <iterator>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

// And the one word that can't be the name of a macro.
constexpr const char* kKeywords[] = {
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char8_t",
    "char16_t",
    "char32_t",
    "class",
    "compl",
    "concept",
    "const",
    "consteval",
    "constexpr",
    "constinit",
    "const_cast",
    "continue",
    "contract_assert",
    "co_await",
    "co_return",
    "co_yield",
    "decltype",
    "default",
    "defined",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

// What generated text uses.
constexpr const char* kUsed[] = {
    "Create",   "Element", "GuestBase", "ModuleInfo", "Op",       "ReadOp",  "Result",
    "Start",    "absl",    "arguments", "fermata",    "float_t",  "host",    "imports",
    "instance", "int32_t", "int64_t",   "kImport",    "limits",   "size_t",  "std",
    "step",     "store",   "uint16_t",  "uint32_t",   "uint64_t", "uint8_t",
};

bool IsReserved(absl::string_view name) {
  static const auto* words = [] {
    auto* all =
        new absl::flat_hash_set<absl::string_view>(std::begin(kKeywords), std::end(kKeywords));
    all->insert(std::begin(kUsed), std::end(kUsed));
    return all;
  }();
  return words->contains(name);
}

}  // namespace

bool CanBeNamespace(absl::string_view name) {
  return absl::c_find(kKeywords, name) == std::end(kKeywords) && name != "absl" &&
         name != "fermata" && name != "std";
}

bool CanBeClass(absl::string_view name) {
  return CanBeNamespace(name) && !IsReserved(name) && name != "memory";
}

std::string NameSet::Unique(absl::string_view wasm_name, absl::string_view fallback) {
  std::string wanted = Sanitize(wasm_name, 80);
  if (wanted.empty()) wanted = std::string(fallback);
  if (absl::ascii_isdigit(wanted[0])) wanted.insert(0, "n");
  const auto [it, first] = used_.try_emplace(wanted, 2);
  if (first && !IsReserved(wanted)) return wanted;
  uint32_t number = it->second;
  std::string name;
  do {
    name = absl::StrCat(wanted, "_", number++);
  } while (IsReserved(name) || !used_.try_emplace(name, 2).second);
  used_[wanted] = number;
  return name;
}

void MacroGuard::AddNamespace(absl::string_view name_space) {
  for (absl::string_view part : absl::StrSplit(name_space, "::")) Add(std::string(part));
}

std::string MacroGuard::Push() const {
  std::string text;
  for (const std::string& name : names_) {
    absl::StrAppend(&text, "#pragma push_macro(\"", name, "\")\n#undef ", name, "\n");
  }
  return text;
}

std::string MacroGuard::Pop() const {
  std::string text;
  // The last one first: g++ looks for them in that order.
  for (auto name = names_.rbegin(); name != names_.rend(); ++name) {
    absl::StrAppend(&text, "#pragma pop_macro(\"", *name, "\")\n");
  }
  return text;
}

std::string IncludeGuard(absl::string_view name_space, absl::string_view class_name) {
  std::vector<absl::string_view> parts = absl::StrSplit(name_space, "::");
  parts.push_back(class_name);
  std::string guard = absl::StrCat("FERMATA_GUEST_", absl::StrJoin(parts, "_"), "_H_");
  // a::b_c and a_b::c differ in the parts' lengths.
  const auto has_underscore = [](absl::string_view part) { return absl::StrContains(part, "_"); };
  if (parts.size() == 2 && absl::c_none_of(parts, has_underscore)) return guard;
  for (absl::string_view part : parts) absl::StrAppend(&guard, part.size(), "_");
  return guard;
}

}  // namespace fermata::emit
