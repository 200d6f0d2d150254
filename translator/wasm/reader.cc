#include "translator/wasm/reader.h"

#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "translator/wasm/const_expr.h"
#include "translator/wasm/decoder.h"
#include "translator/wasm/error.h"
#include "translator/wasm/limits.h"
#include "translator/wasm/names.h"
#include "translator/wasm/type_reader.h"

namespace fermata::wasm {
namespace {

enum SectionId : uint8_t {
  kCustom = 0,
  kType = 1,
  kImport = 2,
  kFunction = 3,
  kTable = 4,
  kMemory = 5,
  kGlobal = 6,
  kExport = 7,
  kStart = 8,
  kElement = 9,
  kCode = 10,
  kData = 11,
  kDataCount = 12,
  kTag = 13,
};

constexpr const char* kSectionNames[] = {"custom", "type",   "import",     "function", "table",
                                         "memory", "global", "export",     "start",    "element",
                                         "code",   "data",   "data count", "tag"};

// A section's place in the order that sections must have.
int Rank(uint8_t id) {
  constexpr uint8_t kOrder[] = {kType,   kImport, kFunction, kTable,     kMemory, kTag, kGlobal,
                                kExport, kStart,  kElement,  kDataCount, kCode,   kData};
  for (size_t i = 0; i < sizeof kOrder; ++i) {
    if (kOrder[i] == id) return static_cast<int>(i) + 1;
  }
  return 0;
}

class Reader {
 public:
  Reader(std::string path, absl::Span<const uint8_t> bytes, const FeatureSet& features)
      : in_(bytes) {
    in_.set_features(features);
    in_.set_type_count(0);
    module_.features = features;
    module_.path = std::move(path);
    module_.bytes = bytes;
  }

  absl::StatusOr<Module> Read() {
    ReadHeader();
    while (in_.ok() && !in_.at_end()) ReadSection();
    CheckCounts();
    if (!in_.ok()) {
      const Decoder::Error& e = in_.error();
      return ErrorAt(module_.path, e.offset, e.message, e.code);
    }
    DeclareFunctions();
    module_.uses = in_.uses();
    if (names_)
      module_.names = ReadNames(*names_, module_.functions.size(), module_.type_defs.size());
    return std::move(module_);
  }

 private:
  void ReadHeader() {
    const uint32_t magic = in_.ReadFixed32();
    if (in_.ok() && magic != 0x6d736100) in_.Fail(0, "magic header not detected");
    const uint32_t version = in_.ReadFixed32();
    if (!in_.ok() || version == 1) return;
    in_.Fail(4, version == 0x1000d ? "unknown binary version: this is a component, not a module"
                                   : absl::StrFormat("unknown binary version 0x%x", version));
  }

  void ReadSection() {
    const uint32_t start = in_.offset();
    const uint8_t id = in_.ReadByte();
    if (!KnownSection(id, start)) {
      return in_.Fail(start, absl::StrCat("malformed section id ", id));
    }
    const uint32_t size = in_.ReadU32();
    if (size > in_.remaining()) return in_.Fail(start, "length out of bounds");
    if (id != kCustom) {
      if (Rank(id) <= last_rank_) {
        return in_.Fail(start, absl::StrCat("unexpected content after last section: section ", id,
                                            " is out of order, or occurs twice"));
      }
      last_rank_ = Rank(id);
    }
    const uint32_t end = in_.offset() + size;
    in_.set_section_end(end);
    module_.sections.push_back({id, {}, start, in_.offset(), size});
    ReadContents(id, end);
    if (in_.ok() && in_.offset() != end) {
      in_.Fail(start, absl::StrFormat("section size mismatch: section %u should end at 0x%x, but "
                                      "its contents end at 0x%x",
                                      id, end, in_.offset()));
    }
  }

  bool KnownSection(uint8_t id, uint32_t start) {
    if (id == kTag) return in_.Use(Feature::kExceptions, start);
    if (id == kDataCount) return in_.Use(Feature::kBulkMemory, start);
    return id < kDataCount;
  }

  void ReadContents(uint8_t id, uint32_t end) {
    switch (id) {
      case kCustom:
        return ReadCustomSection(end);
      case kType:
        return ReadTypeSection();
      case kImport:
        return ReadImportSection();
      case kFunction:
        return ReadFunctionSection();
      case kTable:
        return ReadTableSection();
      case kMemory:
        return ReadMemorySection();
      case kTag:
        return ReadTagSection();
      case kGlobal:
        return ReadGlobalSection();
      case kExport:
        return ReadExportSection();
      case kStart:
        return ReadStartSection();
      case kElement:
        return ReadElementSection();
      case kDataCount:
        module_.has_data_count = true;
        data_count_ = in_.ReadU32();
        return;
      case kCode:
        return ReadCodeSection();
      case kData:
        return ReadDataSection();
    }
  }

  void ReadCustomSection(uint32_t end) {
    const uint32_t start = in_.offset();
    const absl::string_view name = in_.ReadName();
    if (!in_.ok()) return;
    if (in_.offset() > end) return in_.Fail(start, "unexpected end of section or function");
    module_.sections.back().name = name;
    const absl::Span<const uint8_t> contents = in_.ReadBytes(end - in_.offset());
    // The specification wants it after the data section; tools put it elsewhere, and the first is
    // as good as the last.
    if (name == "name" && !names_) names_ = contents;
  }

  // ---- Types ----

  void ReadTypeSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "types");
    TypeReader reader(in_, module_);
    for (uint32_t i = 0; i < count && in_.ok(); ++i) reader.ReadGroup();
  }

  void CheckAnotherTable(uint32_t offset) {
    if (!module_.tables.empty() && !in_.Use(Feature::kReferenceTypes, offset)) {
      in_.Fail(offset, "multiple tables");
    }
  }
  void CheckAnotherMemory(uint32_t offset) {
    if (!module_.memories.empty() && !in_.Use(Feature::kMultiMemory, offset)) {
      in_.Fail(offset, "multiple memories");
    }
  }

  Table ReadTable() {
    Table table;
    table.offset = in_.offset();
    CheckAnotherTable(table.offset);
    table.type.element = in_.ReadRefType();
    table.type.limits = in_.ReadTableLimits();
    return table;
  }

  Memory ReadMemory() {
    Memory memory;
    memory.offset = in_.offset();
    CheckAnotherMemory(memory.offset);
    memory.type = in_.ReadMemoryType();
    return memory;
  }

  Global ReadGlobalWithoutInit() {
    Global global;
    global.offset = in_.offset();
    global.type.type = in_.ReadValType();
    const uint32_t start = in_.offset();
    const uint8_t mut = in_.ReadByte();
    if (mut > 1) in_.Fail(start, absl::StrFormat("malformed mutability 0x%x", mut));
    global.type.mut = mut == 1;
    return global;
  }

  // ---- Imports and declarations ----

  // A count of groups, which were single imports before there were others. One of several imports
  // of a module has an empty name, and a byte that is no kind:
  //   0x7f  then a vector of names with their types
  //   0x7e  then the type of all, and a vector of names
  void ReadImportSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "imports");
    module_.imports.reserve(count);
    for (uint32_t i = 0; i < count && in_.ok(); ++i) {
      Import import{};
      import.offset = in_.offset();
      import.module = in_.ReadName();
      import.name = in_.ReadName();
      const bool compact = import.name.empty() && (in_.Peek() == 0x7f || in_.Peek() == 0x7e);
      if (compact && in_.ok() && in_.Use(Feature::kCompactImports, in_.offset())) {
        ReadImportGroup(import);
      } else {
        AddImport(import, ReadExternType());
      }
    }
    module_.imported_functions = module_.functions.size();
    module_.imported_tables = module_.tables.size();
    module_.imported_memories = module_.memories.size();
    module_.imported_globals = module_.globals.size();
    module_.imported_tags = module_.tags.size();
  }

  void ReadImportGroup(Import import) {
    const bool one_type = in_.ReadByte() == 0x7e;
    ExternType type;
    if (one_type) type = ReadExternType();
    const uint32_t count = in_.ReadCount(kMaxItems, "imports");
    for (uint32_t i = 0; i < count && in_.ok(); ++i) {
      import.offset = in_.offset();
      import.name = in_.ReadName();
      if (!one_type) type = ReadExternType();
      AddImport(import, type);
    }
  }

  // What is imported, and as what.
  struct ExternType {
    ExternKind kind = ExternKind::kFunction;
    Function function;
    Table table;
    Memory memory;
    Global global;
    Tag tag;
  };

  ExternType ReadExternType() {
    ExternType type;
    const uint32_t start = in_.offset();
    const uint8_t kind = in_.ReadByte();
    type.kind = static_cast<ExternKind>(kind);
    switch (kind) {
      case 0:
        type.function = ReadFunction();
        return type;
      case 1:
        type.table = ReadTable();
        return type;
      case 2:
        type.memory = ReadMemory();
        return type;
      case 3:
        type.global = ReadGlobalWithoutInit();
        CheckPassedGlobal(start, type.global);
        return type;
      case 4:
        if (!in_.Use(Feature::kExceptions, start)) break;
        type.tag = ReadTag();
        return type;
      case 0x20:  // a function of just that type
        if (!in_.Use(Feature::kCustomDescriptors, start)) break;
        type.kind = ExternKind::kFunction;
        type.function = ReadFunction();
        type.function.exact = true;
        return type;
      default:
        break;
    }
    in_.Fail(start, absl::StrFormat("malformed import kind 0x%x", kind));
    return type;
  }

  void AddImport(Import& import, const ExternType& type) {
    if (!in_.ok()) return;
    if (module_.imports.size() >= kMaxItems) {
      return in_.Fail(import.offset,
                      absl::StrCat("too many imports (the limit is ", kMaxItems, ")"));
    }
    import.kind = type.kind;
    const auto add = [&import](auto& space, const auto& item) {
      import.index = space.size();
      space.push_back(item);
      space.back().imported = true;
    };
    switch (type.kind) {
      case ExternKind::kFunction:
        add(module_.functions, type.function);
        module_.functions.back().import = module_.imports.size();
        break;
      case ExternKind::kTable:
        CheckAnotherTable(type.table.offset);
        add(module_.tables, type.table);
        break;
      case ExternKind::kMemory:
        CheckAnotherMemory(type.memory.offset);
        add(module_.memories, type.memory);
        break;
      case ExternKind::kGlobal:
        add(module_.globals, type.global);
        break;
      case ExternKind::kTag:
        add(module_.tags, type.tag);
        break;
    }
    module_.imports.push_back(import);
  }

  // An imported or exported one.
  void CheckPassedGlobal(uint32_t offset, const Global& global) {
    if (global.type.mut && !in_.Use(Feature::kMutableGlobals, offset)) {
      in_.Fail(offset, "mutable globals cannot be imported or exported");
    }
  }

  // One that reads a global of the module itself needs what came with garbage collection.
  ConstExpr ReadConst() {
    ConstExpr expr = ReadConstExpr(in_);
    for (const ConstInstr& i : expr) {
      if (i.kind == ConstInstr::kGlobalGet && i.index >= module_.imported_globals &&
          !in_.Use(Feature::kGc, i.offset)) {
        in_.Fail(i.offset, absl::StrCat("unknown global ", i.index));
      }
    }
    return expr;
  }

  Tag ReadTag() {
    Tag tag;
    tag.offset = in_.offset();
    const uint8_t attribute = in_.ReadByte();
    if (attribute != 0) {
      in_.Fail(tag.offset, absl::StrFormat("malformed tag attribute 0x%x", attribute));
    }
    tag.type = in_.ReadU32();
    return tag;
  }

  void ReadTagSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "tags");
    for (uint32_t i = 0; i < count && in_.ok(); ++i) module_.tags.push_back(ReadTag());
  }

  Function ReadFunction() {
    Function function;
    function.offset = in_.offset();
    function.type = in_.ReadU32();
    return function;
  }

  void ReadFunctionSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "functions");
    module_.functions.reserve(module_.functions.size() + count);
    for (uint32_t i = 0; i < count && in_.ok(); ++i) module_.functions.push_back(ReadFunction());
  }

  void ReadTableSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "tables");
    for (uint32_t i = 0; i < count && in_.ok(); ++i) ReadDefinedTable();
  }

  // With an initial value for its elements if it starts with 0x40 0x00.
  void ReadDefinedTable() {
    if (in_.Peek() != 0x40 || !in_.Use(Feature::kFunctionReferences, in_.offset())) {
      module_.tables.push_back(ReadTable());
      return;
    }
    in_.ReadByte();
    const uint32_t start = in_.offset();
    if (in_.ReadByte() != 0) in_.Fail(start, "malformed table: a zero byte is expected");
    Table table = ReadTable();
    table.init = ReadConst();
    if (in_.ok() && table.init.empty()) {
      in_.Fail(start, "type mismatch: a table's initial value is missing");
    }
    module_.tables.push_back(std::move(table));
  }

  void ReadMemorySection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "memories");
    for (uint32_t i = 0; i < count && in_.ok(); ++i) module_.memories.push_back(ReadMemory());
  }

  void ReadGlobalSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "globals");
    for (uint32_t i = 0; i < count && in_.ok(); ++i) {
      Global global = ReadGlobalWithoutInit();
      global.init = ReadConst();
      module_.globals.push_back(std::move(global));
    }
  }

  void ReadExportSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "exports");
    module_.exports.reserve(count);
    for (uint32_t i = 0; i < count && in_.ok(); ++i) {
      Export e{};
      e.offset = in_.offset();
      e.name = in_.ReadName();
      const uint32_t start = in_.offset();
      const uint8_t kind = in_.ReadByte();
      if (kind > 4 || (kind == 4 && !in_.Use(Feature::kExceptions, start))) {
        return in_.Fail(start, absl::StrFormat("malformed export kind 0x%x", kind));
      }
      e.kind = static_cast<ExternKind>(kind);
      e.index = in_.ReadU32();
      if (e.kind == ExternKind::kGlobal && e.index < module_.globals.size()) {
        CheckPassedGlobal(start, module_.globals[e.index]);
      }
      module_.exports.push_back(e);
    }
  }

  void ReadStartSection() {
    module_.has_start = true;
    module_.start_offset = in_.offset();
    module_.start = in_.ReadU32();
  }

  // ---- Segments ----

  void ReadElementSection() {
    const uint32_t count = in_.ReadCount(kMaxItems, "element segments");
    for (uint32_t i = 0; i < count && in_.ok(); ++i) ReadElementSegment();
  }

  // Bit 0: passive or declarative; bit 1: declarative, or an explicit table; bit 2: expressions.
  void ReadElementSegment() {
    ElementSegment segment;
    segment.file_offset = in_.offset();
    const uint32_t flags = in_.ReadU32();
    // WebAssembly 1.0 has active segments of indices for the first table.
    const Feature feature =
        flags == 2 || flags == 3 || flags >= 6 ? Feature::kReferenceTypes : Feature::kBulkMemory;
    if (flags > 7 || (flags != 0 && !in_.Use(feature, segment.file_offset))) {
      return in_.Fail(segment.file_offset, absl::StrCat("malformed elements segment kind ", flags));
    }
    const bool active = (flags & 1) == 0;
    const bool exprs = (flags & 4) != 0;
    segment.mode = active        ? SegmentMode::kActive
                   : (flags & 2) ? SegmentMode::kDeclarative
                                 : SegmentMode::kPassive;
    if (active && (flags & 2)) segment.table = in_.ReadU32();
    if (active) segment.offset = ReadConst();
    // Given as indices, functions are not null.
    segment.type = ValType(ValType::kFuncRef).With(/*nullable=*/exprs);
    if (flags & 3) {
      if (exprs) {
        segment.type = in_.ReadRefType();
      } else {
        ReadElementKind();
      }
    }
    const uint32_t count = in_.ReadCount(kMaxSegmentItems, "elements in a segment");
    if (exprs) {
      segment.exprs.reserve(count);
      for (uint32_t i = 0; i < count && in_.ok(); ++i) segment.exprs.push_back(ReadConst());
    } else {
      segment.functions.reserve(count);
      for (uint32_t i = 0; i < count && in_.ok(); ++i) segment.functions.push_back(in_.ReadU32());
    }
    module_.elements.push_back(std::move(segment));
  }

  void ReadElementKind() {
    const uint32_t start = in_.offset();
    const uint8_t kind = in_.ReadByte();
    if (kind != 0) in_.Fail(start, absl::StrFormat("malformed element kind 0x%x", kind));
  }

  void ReadDataSection() {
    const uint32_t start = in_.offset();
    const uint32_t count = in_.ReadCount(kMaxItems, "data segments");
    if (in_.ok() && module_.has_data_count && count != data_count_) FailForDataCount(start, count);
    for (uint32_t i = 0; i < count && in_.ok(); ++i) {
      DataSegment segment;
      segment.file_offset = in_.offset();
      const uint32_t flags = in_.ReadU32();
      if (flags > 2 || (flags != 0 && !in_.Use(Feature::kBulkMemory, segment.file_offset))) {
        return in_.Fail(segment.file_offset, absl::StrCat("malformed data segment kind ", flags));
      }
      segment.mode = flags == 1 ? SegmentMode::kPassive : SegmentMode::kActive;
      if (flags == 2) segment.memory = in_.ReadU32();
      if (flags != 1) segment.offset = ReadConst();
      segment.bytes = in_.ReadBytes(in_.ReadU32());
      module_.datas.push_back(std::move(segment));
    }
  }

  // ---- Bodies ----

  void ReadCodeSection() {
    const uint32_t start = in_.offset();
    const uint32_t count = in_.ReadCount(kMaxItems, "function bodies");
    const uint32_t defined = module_.functions.size() - module_.imported_functions;
    // Too few is for the end of the file to say: another section may be what is wrong.
    if (in_.ok() && count > defined) FailForBodies(start, count);
    for (uint32_t i = 0; i < count && in_.ok(); ++i) {
      Function& function = module_.functions[module_.imported_functions + i];
      const uint32_t size = in_.ReadU32();
      function.body_offset = in_.offset();
      function.body = in_.ReadBytes(size);
    }
    bodies_ = count;
  }

  // ---- Checks that need several sections ----

  void CheckCounts() {
    const uint32_t end = in_.offset();
    if (!in_.ok()) return;
    if (bodies_ != module_.functions.size() - module_.imported_functions) {
      FailForBodies(end, bodies_);
    }
    if (module_.has_data_count && data_count_ != module_.datas.size()) {
      FailForDataCount(end, module_.datas.size());
    }
  }

  void FailForBodies(uint32_t offset, size_t bodies) {
    in_.Fail(offset, absl::StrCat("function and code section have inconsistent lengths: ",
                                  module_.functions.size() - module_.imported_functions,
                                  " functions, ", bodies, " bodies"));
  }

  void FailForDataCount(uint32_t offset, size_t segments) {
    in_.Fail(offset, absl::StrCat("data count and data section have inconsistent lengths: ",
                                  data_count_, " announced, ", segments, " there"));
  }

  // The functions that occur outside of bodies and the start section (specification
  // section 3.4.11).
  void DeclareFunctions() {
    std::vector<bool>& declared = module_.declared_functions;
    declared.resize(module_.functions.size());
    const auto declare = [&](uint32_t index) {
      if (index < declared.size()) declared[index] = true;
    };
    const auto declare_in = [&](const ConstExpr& expr) {
      for (const ConstInstr& i : expr) {
        if (i.kind == ConstInstr::kRefFunc) declare(i.index);
      }
    };
    for (const Export& e : module_.exports) {
      if (e.kind == ExternKind::kFunction) declare(e.index);
    }
    for (const Table& table : module_.tables) declare_in(table.init);
    for (const Global& global : module_.globals) declare_in(global.init);
    for (const ElementSegment& segment : module_.elements) {
      for (uint32_t index : segment.functions) declare(index);
      for (const ConstExpr& expr : segment.exprs) declare_in(expr);
    }
  }

  Decoder in_;
  Module module_;
  int last_rank_ = 0;
  uint32_t data_count_ = 0;
  uint32_t bodies_ = 0;
  std::optional<absl::Span<const uint8_t>> names_;
};

}  // namespace

const char* SectionName(uint8_t id) {
  return id < std::size(kSectionNames) ? kSectionNames[id] : "?";
}

absl::StatusOr<Module> ReadModule(std::string path, absl::Span<const uint8_t> bytes,
                                  const FeatureSet& features) {
  if (bytes.size() > kMaxModuleBytes) {
    return ErrorAt(path, 0, absl::StrCat("module too large: ", bytes.size(), " bytes"));
  }
  return Reader(std::move(path), bytes, features).Read();
}

}  // namespace fermata::wasm
