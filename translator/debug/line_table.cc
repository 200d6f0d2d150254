#include "translator/debug/line_table.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace fermata::debug {
namespace {

// A path that begins at a root, of Unix or of Windows.
bool IsAbsolute(absl::string_view path) {
  return !path.empty() &&
         (path[0] == '/' || path[0] == '\\' ||
          (path.size() > 2 && path[1] == ':' && (path[2] == '/' || path[2] == '\\')));
}

std::string Join(absl::string_view folder, absl::string_view path) {
  if (folder.empty() || IsAbsolute(path)) return std::string(path);
  if (folder.back() == '/') folder.remove_suffix(1);
  return absl::StrCat(folder, "/", path);
}

class LineReader {
 public:
  LineReader(const DwarfSections& sections, uint64_t offset, absl::string_view folder,
             FileTable& files, Budget& budget)
      : sections_(sections), offset_(offset), folder_(folder), files_(files), budget_(budget) {}

  LineTable Run(std::optional<DwarfError>& error) {
    Bytes all(sections_.line, offset_);
    in_ = ReadUnit(all, encoding_);
    if (!in_.ok()) {
      Complain("a line number program that is cut off");
    } else if (!budget_.Spend(in_.left())) {
      Complain("line number programs that are used again and again");
    } else if (ReadHeader()) {
      Execute();
    }
    if (error_ && !error) error = std::move(error_);
    return std::move(table_);
  }

 private:
  void Complain(std::string what) {
    if (!error_) error_ = DwarfError{".debug_line", in_.ok() ? in_.at() : offset_, std::move(what)};
  }

  bool ReadHeader() {
    encoding_.version = in_.U16();
    if (encoding_.version < 2 || encoding_.version > 5) {
      Complain(absl::StrCat("version ", encoding_.version, " is not supported"));
      return false;
    }
    if (encoding_.version >= 5) {
      encoding_.address_size = in_.U8();
      in_.U8();  // of a segment selector
    }
    const uint64_t header = in_.Unsigned(encoding_.offset_size());
    Bytes rest = in_;
    in_ = rest.Take(header);
    min_instruction_ = in_.U8();
    if (encoding_.version >= 4) in_.U8();  // operations of a VLIW instruction
    in_.U8();                              // default_is_stmt: rows count in any case
    line_base_ = static_cast<int8_t>(in_.U8());
    line_range_ = in_.U8();
    opcode_base_ = in_.U8();
    for (uint32_t i = 1; i < opcode_base_; ++i) lengths_[i] = in_.U8();
    if (line_range_ == 0 || opcode_base_ == 0) {
      Complain("a line range or an opcode base of 0");
      return false;
    }
    encoding_.version >= 5 ? ReadTables() : ReadOldTables();
    if (!in_.ok() || !rest.ok()) {
      Complain("a header that is cut off");
      return false;
    }
    in_ = rest;
    return true;
  }

  // Versions 2 to 4.
  void ReadOldTables() {
    folders_.emplace_back(folder_);
    while (in_.ok()) {
      const absl::string_view folder = in_.String();
      if (folder.empty()) break;
      AddFolder(folder);
    }
    table_.files.push_back(0);  // numbers begin at 1
    while (in_.ok()) {
      const absl::string_view name = in_.String();
      if (name.empty()) break;
      ReadOldFile(name);
    }
  }
  void ReadOldFile(absl::string_view name) {
    const uint64_t folder = in_.Uleb();
    in_.Uleb();  // time
    in_.Uleb();  // size
    AddFile(name, folder);
  }

  // Version 5: what the entries consist of, and then the entries.
  void ReadTables() {
    ReadEntries([&](absl::string_view path, uint64_t) { AddFolder(path); });
    ReadEntries([&](absl::string_view path, uint64_t folder) { AddFile(path, folder); });
  }
  template <class Add>
  void ReadEntries(Add&& add) {
    constexpr uint64_t kPath = 1, kDirectoryIndex = 2;
    std::vector<std::pair<uint64_t, uint16_t>> format(in_.U8());
    for (auto& [content, form] : format) {
      content = in_.Uleb();
      form = static_cast<uint16_t>(in_.Uleb());
    }
    const uint64_t count = in_.Uleb();
    // Each takes a byte at least, or says nothing.
    for (uint64_t i = 0; i < count && in_.ok() && !format.empty(); ++i) {
      absl::string_view path;
      uint64_t folder = 0;
      const uint64_t begin = in_.at();
      for (const auto& [content, form] : format) {
        const FormValue value = ReadForm(in_, form, encoding_);
        if (content == kPath) path = TextOf(value);
        if (content == kDirectoryIndex) folder = value.number;
      }
      if (in_.at() == begin) return Complain("entries of no size");
      if (in_.ok()) add(path, folder);
    }
  }
  absl::string_view TextOf(const FormValue& value) {
    if (value.form == Form::kString) return value.text;
    return StringAt(value.form == Form::kLineStrp ? sections_.line_str : sections_.str,
                    value.number, budget_);
  }

  // Names may be as long as the section, and many may share one.
  void AddFolder(absl::string_view path) {
    const absl::string_view outer =
        folders_.empty() ? folder_ : absl::string_view(folders_.front());
    if (!budget_.Spend(outer.size() + path.size())) return Complain("too many names");
    folders_.push_back(Join(outer, path));
  }
  void AddFile(absl::string_view name, uint64_t folder) {
    const absl::string_view in =
        folder < folders_.size() ? absl::string_view(folders_[folder]) : "";
    if (!budget_.Spend(in.size() + name.size())) return Complain("too many names");
    table_.files.push_back(name.empty() ? 0 : files_.Number(Join(in, name)));
  }

  void Execute() {
    Reset();
    while (in_.ok() && in_.left() > 0) {
      const uint8_t opcode = in_.U8();
      if (opcode >= opcode_base_) {
        const uint32_t adjusted = opcode - opcode_base_;
        Advance(adjusted / line_range_);
        line_ += line_base_ + static_cast<int32_t>(adjusted % line_range_);
        AddRow(false);
      } else if (opcode == 0) {
        Extended();
      } else {
        Standard(opcode);
      }
    }
    if (!in_.ok()) Complain("an instruction that is cut off");
  }

  void Reset() {
    address_ = 0;
    file_ = 1;
    line_ = 1;
    column_ = 0;
    first_ = true;
  }
  void Advance(uint64_t operations) { address_ += operations * min_instruction_; }
  void AddRow(bool end) {
    // Rows whose addresses fall belong to code that the linker has removed.
    LineRow row{address_, 0, static_cast<uint32_t>(line_), static_cast<uint32_t>(column_), end};
    if (file_ < table_.files.size()) row.file = table_.files[file_];
    if (!first_ && address_ < table_.rows.back().address) {
      row.address = table_.rows.back().address;
    }
    table_.rows.push_back(row);
    first_ = end;
  }

  void Standard(uint8_t opcode) {
    switch (opcode) {
      case 1:  // copy
        return AddRow(false);
      case 2:  // advance_pc
        return Advance(in_.Uleb());
      case 3:  // advance_line
        line_ += static_cast<uint64_t>(in_.Sleb());
        return;
      case 4:  // set_file
        file_ = in_.Uleb();
        return;
      case 5:  // set_column
        column_ = in_.Uleb();
        return;
      case 8:  // const_add_pc
        return Advance((255u - opcode_base_) / line_range_);
      case 9:  // fixed_advance_pc
        address_ += in_.U16();
        return;
      default:
        // negate_stmt, set_basic_block, set_prologue_end, set_epilogue_begin, set_isa, and what is
        // not known: the header says how many operands there are.
        for (uint32_t i = 0; i < lengths_[opcode]; ++i) in_.Uleb();
    }
  }

  void Extended() {
    Bytes operands = in_.Take(in_.Uleb());
    const uint64_t size = operands.left();
    switch (operands.U8()) {
      case 1:  // end_sequence
        AddRow(true);
        return Reset();
      case 2:  // set_address
        address_ = operands.Unsigned(static_cast<uint32_t>(size - 1));
        return;
      case 3:  // define_file
        std::swap(in_, operands);
        ReadOldFile(in_.String());
        std::swap(in_, operands);
        return;
      default:
        return;
    }
  }

  const DwarfSections& sections_;
  const uint64_t offset_;
  const absl::string_view folder_;
  FileTable& files_;
  Budget& budget_;
  Encoding encoding_;
  Bytes in_;
  LineTable table_;
  std::optional<DwarfError> error_;
  std::vector<std::string> folders_;
  uint8_t min_instruction_ = 1, line_range_ = 1, opcode_base_ = 1;
  int8_t line_base_ = 0;
  uint8_t lengths_[256] = {};
  // The registers of the state machine.
  uint64_t address_ = 0, file_ = 1, line_ = 1, column_ = 0;
  bool first_ = true;  // of a sequence
};

}  // namespace

uint32_t FileTable::Number(absl::string_view path) {
  const auto [it, added] = numbers_.try_emplace(path, static_cast<uint32_t>(paths_.size()));
  if (added) paths_.emplace_back(path);
  return it->second;
}

LineTable ReadLineTable(const DwarfSections& sections, uint64_t offset, absl::string_view folder,
                        FileTable& files, Budget& budget, std::optional<DwarfError>& error) {
  return LineReader(sections, offset, folder, files, budget).Run(error);
}

}  // namespace fermata::debug
