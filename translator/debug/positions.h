// Where a module's code comes from: files, lines and columns of the guest's source, and the calls
// that its compiler has inlined. From DWARF sections, or from a source map.
#ifndef FERMATA_TRANSLATOR_DEBUG_POSITIONS_H_
#define FERMATA_TRANSLATOR_DEBUG_POSITIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/debug/dwarf_units.h"
#include "translator/wasm/module.h"

namespace fermata::debug {

struct SourceLocation {
  absl::string_view file;  // as its compiler names it; empty: not known
  uint32_t line = 0;       // from 1; 0: not known
  uint32_t column = 0;     // from 1; 0: not known
};

// A function of the source.
struct SourceFrame {
  std::string function;  // as linkers see it; empty: not known
  SourceLocation at;
};

class SourcePositions {
 public:
  SourcePositions() = default;

  // Of a module with the bytes `file`. What is wrong with its debug data goes to `warnings`, a line
  // each, and what can be read is kept: debug data is never a reason to refuse a module. `folder`:
  // where source maps that the module names are looked for; empty: nowhere.
  static SourcePositions Read(const wasm::Module& module, absl::Span<const uint8_t> file,
                              const std::string& folder, std::vector<std::string>& warnings);

  bool empty() const { return rows_.empty(); }
  // The instruction at `offset` bytes from the start of the file. Nothing: not known.
  std::optional<SourceLocation> At(uint32_t offset) const;
  // The same, and which functions it is in, the innermost first: the others have called the one
  // before at `at`, and the compiler has inlined these calls. Empty: nothing is known.
  std::vector<SourceFrame> FramesAt(uint32_t offset) const;

 private:
  // From `begin` up to the next one: the innermost scope.
  struct Segment {
    uint64_t begin = 0;
    uint32_t scope = Scope::kNone;
  };
  void SetRows(std::vector<LineRow> rows);
  void SetScopes(std::vector<Scope> scopes, uint64_t code_size);
  SourceLocation Location(uint32_t file, uint32_t line, uint32_t column) const;

  uint32_t base_ = 0;  // the file's offset at address 0
  FileTable files_;
  std::vector<LineRow> rows_;  // by address
  std::vector<Scope> scopes_;
  std::vector<Segment> segments_;  // by address
};

}  // namespace fermata::debug

#endif  // FERMATA_TRANSLATOR_DEBUG_POSITIONS_H_
