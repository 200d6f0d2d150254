#include "translator/debug/positions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "translator/debug/source_map.h"

namespace fermata::debug {
namespace {

// Without the sequences of code that the linker has removed: it is at address 0, or at the end of
// the address space.
std::vector<LineRow> Linked(std::vector<LineRow> rows, uint64_t code_size) {
  size_t begin = 0, kept = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].end && i + 1 < rows.size()) continue;
    if (rows[begin].address != 0 && rows[i].address <= code_size) {
      kept =
          std::copy(rows.begin() + begin, rows.begin() + i + 1, rows.begin() + kept) - rows.begin();
    }
    begin = i + 1;
  }
  rows.resize(kept);
  return rows;
}

}  // namespace

SourcePositions SourcePositions::Read(const wasm::Module& module, absl::Span<const uint8_t> file,
                                      const std::string& folder,
                                      std::vector<std::string>& warnings) {
  SourcePositions positions;
  const wasm::Section* code = nullptr;
  for (const wasm::Section& section : module.sections) {
    if (absl::string_view(wasm::SectionName(section.id)) == "code") code = &section;
  }
  if (code == nullptr) return positions;
  const DwarfSections sections = FindDwarf(module, file);
  if (!sections.empty()) {
    std::optional<DwarfError> error;
    DwarfUnits units = ReadUnits(sections, error);
    if (error) {
      warnings.push_back(
          absl::StrFormat("%s: 0x%x: %s", error->section, error->offset, error->what));
    }
    positions.base_ = code->contents;
    positions.files_ = std::move(units.files);
    positions.SetRows(Linked(std::move(units.rows), code->size));
    positions.SetScopes(std::move(units.scopes), code->size);
  }
  if (positions.empty()) {
    std::string warning;
    positions.base_ = 0;  // a source map has the file's offsets
    std::vector<LineRow> rows = ReadSourceMap(module, file, folder, positions.files_, warning);
    if (!warning.empty()) warnings.push_back(std::move(warning));
    positions.SetRows(std::move(rows));
  }
  return positions;
}

void SourcePositions::SetRows(std::vector<LineRow> rows) {
  rows_ = std::move(rows);
  // One sequence may end where another begins.
  std::stable_sort(rows_.begin(), rows_.end(), [](const LineRow& a, const LineRow& b) {
    return a.address != b.address ? a.address < b.address : a.end && !b.end;
  });
}

void SourcePositions::SetScopes(std::vector<Scope> scopes, uint64_t code_size) {
  scopes_ = std::move(scopes);
  struct Part {
    uint64_t low, high;
    uint32_t scope;
  };
  std::vector<Part> parts;
  for (uint32_t i = 0; i < scopes_.size(); ++i) {
    for (const AddressRange& r : scopes_[i].ranges) {
      if (r.low != 0 && r.low < r.high && r.high <= code_size) parts.push_back({r.low, r.high, i});
    }
  }
  // Outer scopes come first, also by their numbers.
  std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    if (a.low != b.low) return a.low < b.low;
    return a.high != b.high ? a.high > b.high : a.scope < b.scope;
  });
  std::vector<Part> open;
  const auto close_until = [&](uint64_t address) {
    while (!open.empty() && open.back().high <= address) {
      const uint64_t end = open.back().high;
      open.pop_back();
      while (!open.empty() && open.back().high <= end) open.pop_back();
      segments_.push_back({end, open.empty() ? Scope::kNone : open.back().scope});
    }
  };
  for (const Part& part : parts) {
    close_until(part.low);
    open.push_back(part);
    segments_.push_back({part.low, part.scope});
  }
  close_until(~uint64_t{0});
}

SourceLocation SourcePositions::Location(uint32_t file, uint32_t line, uint32_t column) const {
  return {files_.Path(file), line, column};
}

std::optional<SourceLocation> SourcePositions::At(uint32_t offset) const {
  if (offset < base_) return std::nullopt;
  const auto after =
      std::upper_bound(rows_.begin(), rows_.end(), uint64_t{offset} - base_,
                       [](uint64_t address, const LineRow& row) { return address < row.address; });
  if (after == rows_.begin()) return std::nullopt;
  const LineRow& row = after[-1];
  if (row.end || row.line == 0 || row.file == 0) return std::nullopt;
  return Location(row.file, row.line, row.column);
}

std::vector<SourceFrame> SourcePositions::FramesAt(uint32_t offset) const {
  std::optional<SourceLocation> at = At(offset);
  std::vector<SourceFrame> frames;
  uint32_t scope = Scope::kNone;
  const auto after = std::upper_bound(
      segments_.begin(), segments_.end(), uint64_t{offset} - std::min(offset, base_),
      [](uint64_t address, const Segment& segment) { return address < segment.begin; });
  if (offset >= base_ && after != segments_.begin()) scope = after[-1].scope;
  if (scope == Scope::kNone && !at) return frames;
  frames.push_back({"", at.value_or(SourceLocation{})});
  // Scopes are inlined into earlier ones.
  while (scope != Scope::kNone) {
    const Scope& s = scopes_[scope];
    frames.back().function = s.function;
    scope = s.outer;
    if (scope == Scope::kNone) break;
    frames.push_back({"", Location(s.call_file, s.call_line, s.call_column)});
  }
  return frames;
}

}  // namespace fermata::debug
