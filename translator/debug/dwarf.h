// What the parts of the DWARF reader share: the sections, the forms of attributes, and how much
// work a module's debug data may make.
//
// DWARF versions 4 and 5 (https://dwarfstd.org), as compilers write them into custom sections of
// WebAssembly modules: addresses are offsets from where the contents of the code section begin.
#ifndef FERMATA_TRANSLATOR_DEBUG_DWARF_H_
#define FERMATA_TRANSLATOR_DEBUG_DWARF_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/debug/bytes.h"
#include "translator/wasm/module.h"

namespace fermata::debug {

// Empty where the module has none.
struct DwarfSections {
  absl::Span<const uint8_t> info, abbrev, line, str, line_str, str_offsets, addr, ranges, rnglists;
  bool empty() const { return line.empty() && info.empty(); }
};
// `file`: the module's bytes.
DwarfSections FindDwarf(const wasm::Module& module, absl::Span<const uint8_t> file);

// What is wrong with a section: its name, and where.
struct DwarfError {
  absl::string_view section;
  uint64_t offset = 0;
  std::string what;
};

// Sections may refer to each other's parts as often as they like. A reader that has looked at many
// times as much as there is gives up.
class Budget {
 public:
  explicit Budget(uint64_t bytes) : left_(bytes) {}
  bool Spend(uint64_t bytes) {
    if (bytes > left_) left_ = 0;
    left_ -= bytes < left_ ? bytes : left_;
    return left_ != 0;
  }
  bool spent() const { return left_ == 0; }

 private:
  uint64_t left_;
};

// Attribute forms (DWARF 5, §7.5.6).
enum class Form : uint16_t {
  kAddr = 0x01,
  kBlock2 = 0x03,
  kBlock4 = 0x04,
  kData2 = 0x05,
  kData4 = 0x06,
  kData8 = 0x07,
  kString = 0x08,
  kBlock = 0x09,
  kBlock1 = 0x0a,
  kData1 = 0x0b,
  kFlag = 0x0c,
  kSdata = 0x0d,
  kStrp = 0x0e,
  kUdata = 0x0f,
  kRefAddr = 0x10,
  kRef1 = 0x11,
  kRef2 = 0x12,
  kRef4 = 0x13,
  kRef8 = 0x14,
  kRefUdata = 0x15,
  kIndirect = 0x16,
  kSecOffset = 0x17,
  kExprloc = 0x18,
  kFlagPresent = 0x19,
  kStrx = 0x1a,
  kAddrx = 0x1b,
  kRefSup4 = 0x1c,
  kStrpSup = 0x1d,
  kData16 = 0x1e,
  kLineStrp = 0x1f,
  kRefSig8 = 0x20,
  kImplicitConst = 0x21,
  kLoclistx = 0x22,
  kRnglistx = 0x23,
  kRefSup8 = 0x24,
  kStrx1 = 0x25,
  kStrx2 = 0x26,
  kStrx3 = 0x27,
  kStrx4 = 0x28,
  kAddrx1 = 0x29,
  kAddrx2 = 0x2a,
  kAddrx3 = 0x2b,
  kAddrx4 = 0x2c,
};

// How the numbers of a unit are written.
struct Encoding {
  uint16_t version = 4;
  bool dwarf64 = false;
  uint8_t address_size = 4;
  uint32_t offset_size() const { return dwarf64 ? 8 : 4; }
};

// A value as it is written: a number (an offset into a section, an index, an address), or text.
struct FormValue {
  Form form{};
  uint64_t number = 0;
  absl::string_view text;  // kString
};
// Reads the value, or passes over it: blocks have none. Fails for forms that are not known.
FormValue ReadForm(Bytes& in, uint16_t form, const Encoding& encoding, int64_t implicit = 0);

// The length that units and tables begin with; the rest is what it is of. `dwarf64` is set.
Bytes ReadUnit(Bytes& in, Encoding& encoding);

// The string at an offset; "" if there is none. Many may ask for one that is as long as the section.
absl::string_view StringAt(absl::Span<const uint8_t> section, uint64_t offset, Budget& budget);

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_DWARF_H_
