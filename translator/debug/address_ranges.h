// Lists of address ranges (DWARF 5, §2.17.3): .debug_ranges up to version 4, .debug_rnglists from
// version 5 on.
#ifndef FERMATA_TRANSLATOR_DEBUG_ADDRESS_RANGES_H_
#define FERMATA_TRANSLATOR_DEBUG_ADDRESS_RANGES_H_

#include <cstdint>
#include <vector>

#include "translator/debug/dwarf.h"
#include "translator/debug/dwarf_units.h"

namespace fermata::debug {

// Where a unit's indices into other sections begin.
struct UnitBases {
  uint64_t low = 0;  // what addresses in its lists go on from
  uint64_t str_offsets = 0;
  uint64_t addr = 0;
  uint64_t rnglists = 0;
};

// Address number `index` of a unit; 0 if there is none.
uint64_t AddressAt(const DwarfSections& sections, const Encoding& encoding, const UnitBases& bases,
                   uint64_t index);

// The list that `value`, of DW_AT_ranges, leads to; what of it is sound.
std::vector<AddressRange> ReadRanges(const DwarfSections& sections, const Encoding& encoding,
                                     const UnitBases& bases, const FormValue& value,
                                     Budget& budget);

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_ADDRESS_RANGES_H_
