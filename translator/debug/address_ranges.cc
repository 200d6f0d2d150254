#include "translator/debug/address_ranges.h"

namespace fermata::debug {
namespace {

std::vector<AddressRange> ReadOldRanges(const DwarfSections& sections, const Encoding& encoding,
                                        uint64_t base, uint64_t offset, Budget& budget) {
  std::vector<AddressRange> ranges;
  Bytes in(sections.ranges, offset);
  const uint64_t largest =
      encoding.address_size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * encoding.address_size)) - 1;
  while (in.ok() && budget.Spend(2u * encoding.address_size)) {
    const uint64_t low = in.Unsigned(encoding.address_size);
    const uint64_t high = in.Unsigned(encoding.address_size);
    if (!in.ok() || (low == 0 && high == 0)) break;
    if (low == largest) {
      base = high;
    } else if (low < high) {
      ranges.push_back({base + low, base + high});
    }
  }
  return ranges;
}

std::vector<AddressRange> ReadRangeList(const DwarfSections& sections, const Encoding& encoding,
                                        const UnitBases& bases, uint64_t offset, Budget& budget) {
  std::vector<AddressRange> ranges;
  Bytes in(sections.rnglists, offset);
  uint64_t base = bases.low;
  const auto address = [&] { return in.Unsigned(encoding.address_size); };
  const auto indexed = [&] { return AddressAt(sections, encoding, bases, in.Uleb()); };
  while (in.ok()) {
    const uint64_t begin = in.at();
    uint64_t low = 0, high = 0;
    switch (in.U8()) {
      case 0:  // end_of_list
        return ranges;
      case 1:  // base_addressx
        base = indexed();
        break;
      case 2:  // startx_endx
        low = indexed();
        high = indexed();
        break;
      case 3:  // startx_length
        low = indexed();
        high = low + in.Uleb();
        break;
      case 4:  // offset_pair
        low = base + in.Uleb();
        high = base + in.Uleb();
        break;
      case 5:  // base_address
        base = address();
        break;
      case 6:  // start_end
        low = address();
        high = address();
        break;
      case 7:  // start_length
        low = address();
        high = low + in.Uleb();
        break;
      default:
        return ranges;
    }
    if (!in.ok() || !budget.Spend(in.at() - begin)) return ranges;
    if (low < high) ranges.push_back({low, high});
  }
  return ranges;
}

}  // namespace

uint64_t AddressAt(const DwarfSections& sections, const Encoding& encoding, const UnitBases& bases,
                   uint64_t index) {
  if (index > sections.addr.size()) return 0;
  Bytes in(sections.addr, bases.addr);
  in.Skip(index * encoding.address_size);
  return in.Unsigned(encoding.address_size);
}

std::vector<AddressRange> ReadRanges(const DwarfSections& sections, const Encoding& encoding,
                                     const UnitBases& bases, const FormValue& value,
                                     Budget& budget) {
  if (encoding.version < 5) {
    return ReadOldRanges(sections, encoding, bases.low, value.number, budget);
  }
  uint64_t offset = value.number;
  if (value.form == Form::kRnglistx) {
    if (value.number > sections.rnglists.size()) return {};
    Bytes in(sections.rnglists, bases.rnglists);
    in.Skip(value.number * encoding.offset_size());
    offset = bases.rnglists + in.Unsigned(encoding.offset_size());
    if (!in.ok()) return {};
  }
  return ReadRangeList(sections, encoding, bases, offset, budget);
}

}  // namespace fermata::debug
