#include "translator/debug/dwarf_units.h"

#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/debug/abbreviations.h"
#include "translator/debug/address_ranges.h"

namespace fermata::debug {
namespace {

// Tags and attributes (DWARF 5, §7.5.3 and §7.5.4); unit types (§7.5.1).
enum Tag : uint16_t { kInlinedSubroutine = 0x1d, kSubprogram = 0x2e };
enum AttributeName : uint16_t {
  kName = 0x03,
  kStmtList = 0x10,
  kLowPc = 0x11,
  kHighPc = 0x12,
  kCompDir = 0x1b,
  kAbstractOrigin = 0x31,
  kSpecification = 0x47,
  kRanges = 0x55,
  kCallColumn = 0x57,
  kCallFile = 0x58,
  kCallLine = 0x59,
  kLinkageName = 0x6e,
  kStrOffsetsBase = 0x72,
  kAddrBase = 0x73,
  kRnglistsBase = 0x74,
  kMipsLinkageName = 0x2007,
};
enum UnitType : uint8_t { kType = 2, kSkeleton = 4, kSplitCompile = 5, kSplitType = 6 };

// Of an entry: what is of interest here.
struct Entry {
  uint64_t offset = 0;
  const Abbreviation* abbreviation = nullptr;
  std::optional<FormValue> name, linkage_name, folder, line_table, low, high, ranges, origin;
  std::optional<FormValue> call_file, call_line, call_column, str_offsets, addr, rnglists;
};

std::optional<FormValue>* Place(Entry& entry, uint16_t attribute) {
  switch (attribute) {
    case kName:
      return &entry.name;
    case kLinkageName:
    case kMipsLinkageName:
      return &entry.linkage_name;
    case kCompDir:
      return &entry.folder;
    case kStmtList:
      return &entry.line_table;
    case kLowPc:
      return &entry.low;
    case kHighPc:
      return &entry.high;
    case kRanges:
      return &entry.ranges;
    case kAbstractOrigin:
    case kSpecification:
      return &entry.origin;
    case kCallFile:
      return &entry.call_file;
    case kCallLine:
      return &entry.call_line;
    case kCallColumn:
      return &entry.call_column;
    case kStrOffsetsBase:
      return &entry.str_offsets;
    case kAddrBase:
      return &entry.addr;
    case kRnglistsBase:
      return &entry.rnglists;
    default:
      return nullptr;
  }
}

class UnitsReader {
 public:
  explicit UnitsReader(const DwarfSections& sections)
      : sections_(sections), budget_(BudgetOf(sections)) {}

  DwarfUnits Run(std::optional<DwarfError>& error) {
    Bytes in(sections_.info);
    while (in.ok() && in.left() > 0 && !budget_.spent()) {
      const uint64_t begin = in.at();
      encoding_ = {};
      in_ = ReadUnit(in, encoding_);
      unit_ = begin;
      if (!in_.ok()) {
        Complain(begin, "a unit that is cut off");
        break;
      }
      ReadOne();
    }
    // Without units there are no names of folders, but lines there may be.
    if (sections_.info.empty()) ReadLinesAlone();
    if (budget_.spent()) Complain(unit_, "debug data that refers to itself too often");
    NameScopes();
    if (error_) error = std::move(error_);
    return std::move(result_);
  }

 private:
  // Sound data is looked at about once.
  static uint64_t BudgetOf(const DwarfSections& s) {
    const uint64_t size = s.info.size() + s.abbrev.size() + s.line.size() + s.str.size() +
                          s.line_str.size() + s.ranges.size() + s.rnglists.size();
    return 16 * size + 65536;
  }
  void Complain(uint64_t offset, std::string what, absl::string_view section = ".debug_info") {
    if (!error_) error_ = DwarfError{section, offset, std::move(what)};
  }

  void ReadLinesAlone() {
    uint64_t at = 0;
    while (at < sections_.line.size() && !budget_.spent()) {
      Encoding encoding;
      Bytes in(sections_.line, at);
      ReadUnit(in, encoding);
      AddLines(at, "");
      if (!in.ok()) break;
      at = in.at();
    }
  }

  // Each table once, whoever refers to it: the numbers of its files.
  const std::vector<uint32_t>& AddLines(uint64_t offset, absl::string_view folder) {
    const auto [it, added] = line_tables_.try_emplace(offset);
    if (!added) return it->second;
    LineTable table = ReadLineTable(sections_, offset, folder, result_.files, budget_, error_);
    result_.rows.insert(result_.rows.end(), table.rows.begin(), table.rows.end());
    return it->second = std::move(table.files);
  }

  void ReadOne() {
    encoding_.version = in_.U16();
    if (encoding_.version < 2 || encoding_.version > 5) {
      return Complain(unit_, absl::StrCat("version ", encoding_.version, " is not supported"));
    }
    const uint8_t type = encoding_.version >= 5 ? in_.U8() : 0;
    if (encoding_.version >= 5) encoding_.address_size = in_.U8();
    const uint64_t abbreviations = in_.Unsigned(encoding_.offset_size());
    if (encoding_.version < 5) encoding_.address_size = in_.U8();
    if (encoding_.address_size != 4 && encoding_.address_size != 8) {
      return Complain(unit_, absl::StrCat("addresses of ", encoding_.address_size, " bytes"));
    }
    if (type == kSkeleton || type == kSplitCompile) in_.U64();
    if (type == kType || type == kSplitType) return;  // no code
    const auto [it, added] = abbreviations_.try_emplace(abbreviations);
    if (added) it->second = Abbreviations::Read(sections_.abbrev, abbreviations, budget_);
    ReadEntries(it->second);
  }

  void ReadEntries(const Abbreviations& abbreviations) {
    std::vector<uint32_t> outer;  // of each entry that is open: the innermost scope
    bool first = true;
    while (in_.ok() && in_.left() > 0) {
      const uint64_t begin = in_.at();
      const uint64_t code = in_.Uleb();
      if (code == 0) {
        if (!outer.empty()) outer.pop_back();
        if (outer.empty()) return;
        continue;
      }
      Entry entry;
      entry.offset = begin;
      entry.abbreviation = abbreviations.Find(code);
      if (entry.abbreviation == nullptr) {
        return Complain(begin, absl::StrCat("there is no abbreviation ", code));
      }
      for (const Abbreviation::Attribute& a : entry.abbreviation->attributes) {
        const FormValue value = ReadForm(in_, a.form, encoding_, a.implicit);
        if (std::optional<FormValue>* place = Place(entry, a.name)) *place = value;
      }
      if (!in_.ok()) {
        return Complain(begin, "an entry that is cut off or of an unknown form");
      }
      if (!budget_.Spend(in_.at() - begin)) return;
      if (first) BeginUnit(entry);
      const uint32_t around = outer.empty() ? Scope::kNone : outer.back();
      const uint32_t scope = first ? Scope::kNone : AddScope(entry, around);
      first = false;
      if (entry.abbreviation->children) {
        outer.push_back(scope);
      } else if (outer.empty()) {
        return;
      }
    }
  }

  void BeginUnit(const Entry& entry) {
    bases_ = {};
    // After the header of the section's only contribution, if nothing else is said.
    bases_.str_offsets = entry.str_offsets ? entry.str_offsets->number : 8;
    bases_.addr = entry.addr ? entry.addr->number : 8;
    bases_.rnglists = entry.rnglists ? entry.rnglists->number : 0;
    if (entry.low) bases_.low = Address(*entry.low);
    files_ = nullptr;
    if (entry.line_table) {
      files_ = &AddLines(entry.line_table->number, entry.folder ? Text(*entry.folder) : "");
    }
  }

  uint64_t Address(const FormValue& value) const {
    switch (value.form) {
      case Form::kAddrx:
      case Form::kAddrx1:
      case Form::kAddrx2:
      case Form::kAddrx3:
      case Form::kAddrx4:
        return AddressAt(sections_, encoding_, bases_, value.number);
      default:
        return value.number;
    }
  }
  absl::string_view Text(const FormValue& value) {
    switch (value.form) {
      case Form::kString:
        return value.text;
      case Form::kStrp:
        return StringAt(sections_.str, value.number, budget_);
      case Form::kLineStrp:
        return StringAt(sections_.line_str, value.number, budget_);
      case Form::kStrx:
      case Form::kStrx1:
      case Form::kStrx2:
      case Form::kStrx3:
      case Form::kStrx4: {
        if (value.number > sections_.str_offsets.size()) return "";
        Bytes in(sections_.str_offsets, bases_.str_offsets);
        in.Skip(value.number * encoding_.offset_size());
        const uint64_t offset = in.Unsigned(encoding_.offset_size());
        return in.ok() ? StringAt(sections_.str, offset, budget_) : "";
      }
      default:
        return "";
    }
  }
  // The entry that it refers to, from the start of the section.
  uint64_t Reference(const FormValue& value) const {
    return value.form == Form::kRefAddr ? value.number : unit_ + value.number;
  }

  // The scope in which the entry's children are.
  uint32_t AddScope(const Entry& entry, uint32_t around) {
    const uint16_t tag = entry.abbreviation->tag;
    if (tag != kSubprogram && tag != kInlinedSubroutine) return around;
    Named named;
    if (entry.linkage_name) named.text = Text(*entry.linkage_name);
    if (named.text.empty() && entry.name) named.text = Text(*entry.name);
    named.linkage = entry.linkage_name.has_value();
    if (entry.origin) named.origin = Reference(*entry.origin);
    names_.try_emplace(entry.offset, named);
    std::vector<AddressRange> ranges = RangesOf(entry);
    // Without code: a declaration, or what is only inlined.
    if (ranges.empty()) return tag == kSubprogram ? Scope::kNone : around;
    Scope scope;
    scope.ranges = std::move(ranges);
    if (tag == kInlinedSubroutine) {
      scope.outer = around;
      const uint64_t file = entry.call_file ? entry.call_file->number : 0;
      if (files_ != nullptr && file < files_->size()) scope.call_file = (*files_)[file];
      if (entry.call_line) scope.call_line = static_cast<uint32_t>(entry.call_line->number);
      if (entry.call_column) scope.call_column = static_cast<uint32_t>(entry.call_column->number);
    }
    result_.scopes.push_back(std::move(scope));
    entries_.push_back(entry.offset);
    return static_cast<uint32_t>(result_.scopes.size() - 1);
  }

  std::vector<AddressRange> RangesOf(const Entry& entry) {
    if (entry.ranges) return ReadRanges(sections_, encoding_, bases_, *entry.ranges, budget_);
    if (!entry.low || !entry.high) return {};
    const uint64_t low = Address(*entry.low);
    // A length, unless it is an address.
    const Form form = entry.high->form;
    const bool address = form == Form::kAddr || form == Form::kAddrx ||
                         (form >= Form::kAddrx1 && form <= Form::kAddrx4);
    const uint64_t high = address ? Address(*entry.high) : low + entry.high->number;
    if (high <= low) return {};
    return {{low, high}};
  }

  // Names are found through declarations and abstract instances, which may come later.
  void NameScopes() {
    constexpr int kMostSteps = 8;
    for (size_t i = 0; i < result_.scopes.size(); ++i) {
      uint64_t at = entries_[i];
      absl::string_view name;
      for (int step = 0; step < kMostSteps; ++step) {
        const auto it = names_.find(at);
        if (it == names_.end()) break;
        if (!it->second.text.empty() && (name.empty() || it->second.linkage)) {
          name = it->second.text;
        }
        if (it->second.linkage || it->second.origin == kNoEntry) break;
        at = it->second.origin;
      }
      if (budget_.Spend(name.size())) result_.scopes[i].function = std::string(name);
    }
  }

  static constexpr uint64_t kNoEntry = ~uint64_t{0};
  struct Named {
    absl::string_view text;
    bool linkage = false;
    uint64_t origin = kNoEntry;
  };

  const DwarfSections& sections_;
  Budget budget_;
  Encoding encoding_;
  Bytes in_;           // the unit
  uint64_t unit_ = 0;  // where it begins
  UnitBases bases_;
  const std::vector<uint32_t>* files_ = nullptr;
  DwarfUnits result_;
  std::optional<DwarfError> error_;
  std::vector<uint64_t> entries_;  // by scope
  absl::flat_hash_map<uint64_t, Named> names_;
  absl::flat_hash_map<uint64_t, Abbreviations> abbreviations_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> line_tables_;  // files stay where they are
};

}  // namespace

DwarfUnits ReadUnits(const DwarfSections& sections, std::optional<DwarfError>& error) {
  return UnitsReader(sections).Run(error);
}

}  // namespace fermata::debug
