// Debug data: the sections of DWARF, each after its length in two bytes, or a source map, which
// begins with a brace. Whatever is in them, reading them ends, and soon.
#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/fuzz/target.h"
#include "translator/debug/dwarf_units.h"
#include "translator/debug/source_map.h"
#include "translator/wasm/reader.h"

namespace fermata::fuzz {
namespace {

using debug::DwarfSections;

constexpr absl::Span<const uint8_t> DwarfSections::*kSections[] = {
    &DwarfSections::info,     &DwarfSections::abbrev,      &DwarfSections::line,
    &DwarfSections::str,      &DwarfSections::line_str,    &DwarfSections::ranges,
    &DwarfSections::rnglists, &DwarfSections::str_offsets, &DwarfSections::addr};

std::string SeedOf(const std::string& path) {
  const std::string file = ReadSource(path);
  const absl::Span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(file.data()), file.size());
  auto module = wasm::ReadModule(path, bytes, wasm::Supported());
  const DwarfSections sections = debug::FindDwarf(*module, bytes);
  std::string seed;
  for (const auto section : kSections) {
    const absl::Span<const uint8_t> s = sections.*section;
    seed += {static_cast<char>(s.size()), static_cast<char>(s.size() >> 8)};
    seed.append(s.begin(), s.end());
  }
  return seed;
}

}  // namespace

std::vector<std::string> Seeds() {
  return {SeedOf("tests/translator/debug/inlined_4.wasm"),
          SeedOf("tests/translator/debug/inlined_5.wasm"),
          R"({"version": 3, "sources": ["a.ts"], "mappings": "gBAAA,IAEI,I"})"};
}

}  // namespace fermata::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fermata;
  if (size != 0 && data[0] == '{') {
    debug::FileTable files;
    std::string warning;
    debug::ParseSourceMap({reinterpret_cast<const char*>(data), size}, files, warning);
    return 0;
  }
  debug::DwarfSections sections;
  absl::Span<const uint8_t> left(data, size);
  for (const auto section : fuzz::kSections) {
    if (left.size() < 2) break;
    const size_t length = std::min<size_t>(left[0] | left[1] << 8, left.size() - 2);
    sections.*section = left.subspan(2, length);
    left.remove_prefix(2 + length);
  }
  std::optional<debug::DwarfError> error;
  debug::ReadUnits(sections, error);
  return 0;
}
