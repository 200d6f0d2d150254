// The compilation units of a module (DWARF 5, §3.1): their line tables, and their functions with
// what compilers have inlined into them.
#ifndef FERMATA_TRANSLATOR_DEBUG_DWARF_UNITS_H_
#define FERMATA_TRANSLATOR_DEBUG_DWARF_UNITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "translator/debug/dwarf.h"
#include "translator/debug/line_table.h"

namespace fermata::debug {

// Addresses from `low` up to, not including, `high`.
struct AddressRange {
  uint64_t low = 0;
  uint64_t high = 0;
};

// A function, or an inlined call of one.
struct Scope {
  static constexpr uint32_t kNone = 0xffffffff;
  uint32_t outer = kNone;  // the scope that the call was inlined into, an earlier one
  std::string function;    // the name that linkers see, else the source's; empty: not known
  uint32_t call_file = 0;  // of the FileTable: where an inlined call was; 0: not known
  uint32_t call_line = 0;
  uint32_t call_column = 0;
  std::vector<AddressRange> ranges;
};

struct DwarfUnits {
  FileTable files;
  std::vector<LineRow> rows;  // of all units, a sequence after the other
  std::vector<Scope> scopes;
};

// Reads what it can; `error` is the first thing that is wrong.
DwarfUnits ReadUnits(const DwarfSections& sections, std::optional<DwarfError>& error);

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_DWARF_UNITS_H_
