// What the entries of .debug_info consist of (DWARF 5, §7.5.3).
#ifndef FERMATA_TRANSLATOR_DEBUG_ABBREVIATIONS_H_
#define FERMATA_TRANSLATOR_DEBUG_ABBREVIATIONS_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "translator/debug/dwarf.h"

namespace fermata::debug {

struct Abbreviation {
  struct Attribute {
    uint16_t name;
    uint16_t form;
    int64_t implicit;  // Form::kImplicitConst: the value
  };
  uint16_t tag = 0;
  bool children = false;
  std::vector<Attribute> attributes;
};

class Abbreviations {
 public:
  // The table that begins at `offset` of .debug_abbrev; as much of it as is sound.
  static Abbreviations Read(absl::Span<const uint8_t> section, uint64_t offset, Budget& budget) {
    Abbreviations table;
    Bytes in(section, offset);
    while (const uint64_t code = in.Uleb()) {
      const uint64_t begin = in.at();
      Abbreviation entry;
      entry.tag = static_cast<uint16_t>(in.Uleb());
      entry.children = in.U8() != 0;
      while (in.ok()) {
        const auto name = static_cast<uint16_t>(in.Uleb());
        const auto form = static_cast<uint16_t>(in.Uleb());
        const bool implicit = form == static_cast<uint16_t>(Form::kImplicitConst);
        const int64_t value = implicit ? in.Sleb() : 0;
        if (name == 0 && form == 0) break;
        entry.attributes.push_back({name, form, value});
      }
      if (!in.ok() || !budget.Spend(in.at() - begin)) break;
      table.entries_.try_emplace(code, std::move(entry));
    }
    return table;
  }
  // Null: there is none.
  const Abbreviation* Find(uint64_t code) const {
    const auto it = entries_.find(code);
    return it == entries_.end() ? nullptr : &it->second;
  }

 private:
  absl::flat_hash_map<uint64_t, Abbreviation> entries_;
};

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_ABBREVIATIONS_H_
