// Names in generated headers: taken from the module, so they may be anything.
//
// Members, parameters and types are named after what the module calls them: the letters, digits and
// underscores of the name, without underscores at its ends. What C++ or the header's own text has
// another use for gets a number. What may be a macro can't be known: that depends on which headers
// a host includes, and when. So the header sets macros of all names that it takes from the module
// aside while it is read (MacroGuard). A host that has such a macro where it uses the guest says
// the name as a string, Export_<"EAGAIN">(), which no macro can change.
//
// The header's own helpers have names that end in an underscore; none from the module does.
#ifndef FERMATA_TRANSLATOR_EMIT_HEADER_HEADER_NAMES_H_
#define FERMATA_TRANSLATOR_EMIT_HEADER_HEADER_NAMES_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace fermata::emit {

// Whether an identifier is free to be (a component of) the namespace, or the class: neither C++ nor
// generated text has another use for it.
bool CanBeNamespace(absl::string_view name);
bool CanBeClass(absl::string_view name);

// Gives out names, each once: the wanted one, or with a number after it.
class NameSet {
 public:
  void Reserve(std::string name) { used_.emplace(std::move(name), 2); }
  // A name made from `wasm_name`, or `fallback` if nothing is left of that.
  std::string Unique(absl::string_view wasm_name, absl::string_view fallback);

 private:
  // The names that are taken, each with the first number that has not been tried after it: a module
  // may call all of its imports the same.
  absl::flat_hash_map<std::string, uint32_t> used_;
};

// Collects names, and gives the directives that set macros of these names aside and bring them back
// as they were.
class MacroGuard {
 public:
  void Add(std::string name) { names_.insert(std::move(name)); }
  // All components of "a::b".
  void AddNamespace(absl::string_view name_space);
  std::string Push() const;
  std::string Pop() const;

 private:
  std::set<std::string> names_;
};

// The macro that keeps a header from being read twice: another for each class.
std::string IncludeGuard(absl::string_view name_space, absl::string_view class_name);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_HEADER_HEADER_NAMES_H_
