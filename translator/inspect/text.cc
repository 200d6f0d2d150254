#include "translator/inspect/text.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "translator/inspect/describe.h"
#include "translator/wasm/printable.h"

namespace fermata::inspect {
namespace {

using wasm::ExternKind;

constexpr size_t kMaxColumn = 72;
constexpr uint8_t kCodeSection = 10;
constexpr uint32_t kMaxSections = 32;  // whose names are shown

// Of UTF-8, in characters.
size_t WidthOf(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; });
}

// Lines of cells, in columns. A cell that is longer than a column may be moves the rest of its
// line.
class Columns {
 public:
  using Row = std::vector<std::string>;

  explicit Columns(llvm::raw_ostream& out) : out_(out) {}

  // Rows are asked for twice, for their widths first, so that no more than one is kept.
  void Write(size_t count, const std::function<Row(size_t)>& row) {
    widths_.clear();
    for (size_t i = 0; i < count; ++i) Measure(row(i));
    for (size_t i = 0; i < count; ++i) WriteRow(row(i));
  }

 private:
  void Measure(const Row& row) {
    if (widths_.size() < row.size()) widths_.resize(row.size());
    for (size_t i = 0; i < row.size(); ++i) {
      const size_t width = WidthOf(row[i]);
      if (width <= kMaxColumn) widths_[i] = std::max(widths_[i], width);
    }
  }
  void WriteRow(const Row& row) {
    out_ << " ";
    for (size_t i = 0; i < row.size(); ++i) {
      out_ << " " << row[i];
      if (i + 1 == row.size()) break;
      const size_t width = WidthOf(row[i]);
      out_.indent(static_cast<unsigned>(widths_[i] - std::min(width, widths_[i]) + 1));
    }
    out_ << "\n";
  }

  llvm::raw_ostream& out_;
  std::vector<size_t> widths_;
};

// "1 call site", "2 call sites".
std::string Some(uint64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

class TextWriter {
 public:
  TextWriter(const Inspection& in, llvm::raw_ostream& out) : in_(in), m_(in.module), out_(out) {}

  void Write(bool functions) {
    WriteHeader();
    WriteStores();
    WriteImports();
    WriteExports();
    WriteFeatures();
    WriteSuspension();
    if (functions) WriteFunctions();
  }

 private:
  void Title(absl::string_view title, size_t count) {
    out_ << "\n" << absl::StrCat(title, " (", count, ")") << "\n";
  }

  void WriteHeader() {
    uint32_t code = 0;
    for (const wasm::Section& section : m_.sections) {
      if (section.id == kCodeSection) code = section.size;
    }
    const std::vector<Columns::Row> rows = {
        {"size", Some(m_.bytes.size(), "byte")},
        {"sha256", Sha256(m_.bytes)},
        {"types", absl::StrCat(m_.types.size())},
        {"functions",
         absl::StrCat(m_.functions.size(), ", ", m_.imported_functions, " of them imported")},
        {"imports", absl::StrCat(m_.imports.size())},
        {"exports", absl::StrCat(m_.exports.size())},
        {"code", Some(code, "byte")},
        {"custom", CustomSections()},
    };
    out_ << wasm::Printable(m_.path, 1000) << "\n";
    Columns(out_).Write(rows.size(), [&](size_t i) { return rows[i]; });
  }

  std::string CustomSections() const {
    std::string text;
    uint32_t count = 0;
    for (const wasm::Section& section : m_.sections) {
      if (section.id != 0 || ++count > kMaxSections) continue;
      absl::StrAppend(&text, count == 1 ? "" : ", ", wasm::Printable(section.name));
    }
    if (count > kMaxSections) absl::StrAppend(&text, ", … ", count - kMaxSections, " more");
    return count == 0 ? "no sections" : text;
  }

  void WriteStores() {
    if (m_.memories.empty() && m_.tables.empty()) return;
    out_ << "\nmemories and tables\n";
    const size_t memories = m_.memories.size();
    Columns(out_).Write(memories + m_.tables.size(), [&](size_t i) -> Columns::Row {
      if (i < memories) {
        return {absl::StrCat("memory ", i), m_.memories[i].imported ? "imported" : "",
                MemoryText(m_.memories[i].type)};
      }
      const wasm::Table& table = m_.tables[i - memories];
      return {absl::StrCat("table ", i - memories), table.imported ? "imported" : "",
              TableText(table.type)};
    });
  }

  void WriteImports() {
    Title("imports", m_.imports.size());
    Columns(out_).Write(m_.imports.size(), [&](size_t i) -> Columns::Row {
      const wasm::Import& import = m_.imports[i];
      Columns::Row row = {
          absl::StrCat(wasm::Printable(import.module), ".", wasm::Printable(import.name)),
          absl::StrCat(KindName(import.kind), " ", import.index),
          ExternTypeText(m_, import.kind, import.index)};
      if (import.kind == ExternKind::kFunction) {
        row.push_back(in_.immediate[import.index] ? "immediate" : "suspends");
      }
      return row;
    });
  }

  void WriteExports() {
    Title("exports", m_.exports.size());
    Columns(out_).Write(m_.exports.size(), [&](size_t i) -> Columns::Row {
      const wasm::Export& e = m_.exports[i];
      Columns::Row row = {wasm::Printable(e.name), absl::StrCat(KindName(e.kind), " ", e.index),
                          ExternTypeText(m_, e.kind, e.index)};
      if (e.kind == ExternKind::kFunction) {
        row.push_back(in_.MaySuspend(e.index) ? absl::StrCat("may suspend: ", in_.Explain(e.index))
                                              : "plain");
      }
      return row;
    });
  }

  void WriteFeatures() {
    Title("features beyond WebAssembly 1.0", in_.features.size());
    Columns(out_).Write(in_.features.size(), [&](size_t i) -> Columns::Row {
      const FeatureNeed& need = in_.features[i];
      return {Name(need.feature), absl::StrFormat("0x%x", need.offset), need.place};
    });
  }

  void WriteSuspension() {
    const Counts& c = in_.counts;
    out_ << "\nsuspension\n";
    const std::vector<Columns::Row> rows = {
        {Some(c.functions, "function"), absl::StrCat(c.suspending_functions, " may suspend")},
        {Some(c.call_sites, "call site"), absl::StrCat(c.suspending_call_sites, " may suspend")},
        {Some(c.indirect_call_sites, "indirect call site"),
         absl::StrCat(c.suspending_indirect_call_sites, " may suspend")},
    };
    Columns(out_).Write(rows.size(), [&](size_t i) { return rows[i]; });
    if (in_.types.empty()) return;
    Title("types that may suspend when called indirectly", in_.types.size());
    Columns(out_).Write(in_.types.size(), [&](size_t i) -> Columns::Row {
      const SuspendingType& type = in_.types[i];
      return {IndirectText(in_, type),
              absl::StrCat(Some(type.sites, "site"), " in ", Some(type.callers, "function")),
              TargetsText(type)};
    });
  }

  // What the calls may reach.
  std::string TargetsText(const SuspendingType& type) const {
    if (type.table == analysis::kAnyTable) return "any function of the type";
    if (type.open) return "any function of the type: others can write to the table";
    return absl::StrCat(type.suspending_targets, " of ", Some(type.targets, "function"),
                        " may suspend: ", in_.Explain(type.example));
  }

  void WriteFunctions() {
    const uint32_t first = m_.imported_functions;
    Title("functions", m_.functions.size() - first);
    Columns(out_).Write(m_.functions.size() - first, [&](size_t i) -> Columns::Row {
      const uint32_t f = first + static_cast<uint32_t>(i);
      // The explanation of a plain function is its name alone.
      return {absl::StrFormat("%7u bytes", m_.functions[f].body.size()),
              in_.MaySuspend(f) ? "resumable" : "plain", in_.Explain(f)};
    });
  }

  const Inspection& in_;
  const wasm::Module& m_;
  llvm::raw_ostream& out_;
};

}  // namespace

void WriteText(const Inspection& in, bool functions, llvm::raw_ostream& out) {
  TextWriter(in, out).Write(functions);
}

void WriteMissingText(const std::string& path, absl::Span<const uint8_t> bytes,
                      const absl::Status& error, llvm::raw_ostream& out) {
  const std::vector<Columns::Row> rows = {
      {"size", Some(bytes.size(), "byte")},
      {"sha256", Sha256(bytes)},
      {"missing",
       absl::StrCat(Name(*wasm::MissingProposal(error)), ": ", PlaceInError(path, error))},
  };
  out << wasm::Printable(path, 1000) << "\n";
  Columns(out).Write(rows.size(), [&](size_t i) { return rows[i]; });
}

}  // namespace fermata::inspect
