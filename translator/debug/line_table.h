// The line number program of a compilation unit (DWARF 5, §6.2): which byte of the code comes from
// which line of which file.
#ifndef FERMATA_TRANSLATOR_DEBUG_LINE_TABLE_H_
#define FERMATA_TRANSLATOR_DEBUG_LINE_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "translator/debug/dwarf.h"

namespace fermata::debug {

// The files that any unit names, each once.
class FileTable {
 public:
  // 0 is no file.
  uint32_t Number(absl::string_view path);
  const std::string& Path(uint32_t number) const { return paths_[number]; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::vector<std::string> paths_{std::string()};
  absl::flat_hash_map<std::string, uint32_t> numbers_;
};

// From this address on, up to that of the next row.
struct LineRow {
  uint64_t address = 0;
  uint32_t file = 0;  // of the FileTable; 0: none
  uint32_t line = 0;  // 0: no line
  uint32_t column = 0;
  bool end = false;  // of the code that the rows before are of
};

struct LineTable {
  std::vector<uint32_t> files;  // by the unit's numbers: those of the FileTable
  std::vector<LineRow> rows;    // sequences in any order; within one the addresses do not fall
};

// The table at `offset` of .debug_line. `folder`: DW_AT_comp_dir, which relative paths go on from
// up to version 4. An error goes to `error`; rows that were read before it are kept.
LineTable ReadLineTable(const DwarfSections& sections, uint64_t offset, absl::string_view folder,
                        FileTable& files, Budget& budget, std::optional<DwarfError>& error);

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_LINE_TABLE_H_
