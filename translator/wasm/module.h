// A decoded module: everything but the function bodies, which stay bytes until they are validated
// or translated. Byte offsets are from the start of the file.
#ifndef FERMATA_TRANSLATOR_WASM_MODULE_H_
#define FERMATA_TRANSLATOR_WASM_MODULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "translator/wasm/features.h"
#include "translator/wasm/types.h"

namespace fermata::wasm {

enum class ExternKind : uint8_t { kFunction = 0, kTable = 1, kMemory = 2, kGlobal = 3, kTag = 4 };

struct Import {
  absl::string_view module;  // valid UTF-8, may hold NUL
  absl::string_view name;
  ExternKind kind;
  uint32_t index;  // in the index space of its kind
  uint32_t offset;
};

struct Export {
  absl::string_view name;
  ExternKind kind;
  uint32_t index;
  uint32_t offset;
};

// One instruction of a constant expression, in order (extended constant expressions are small stack
// programs). `end` is not included.
struct ConstInstr {
  enum Kind : uint8_t {
    kI32Const,
    kI64Const,
    kF32Const,
    kF64Const,
    kV128Const,
    kGlobalGet,
    kRefNull,
    kRefFunc,
    kI32Add,
    kI32Sub,
    kI32Mul,
    kI64Add,
    kI64Sub,
    kI64Mul,
    kStructNew,
    kStructNewDefault,
    kArrayNew,
    kArrayNewDefault,
    kArrayNewFixed,
    kRefI31,
    kAnyConvertExtern,
    kExternConvertAny,
  };
  Kind kind;
  ValType type;        // kRefNull
  uint32_t index = 0;  // kGlobalGet, kRefFunc; kStructNew to kArrayNewFixed: the type
  uint64_t bits = 0;   // constants: the bit pattern; kV128Const: low half; kArrayNewFixed: elements
  uint64_t high = 0;
  uint32_t offset = 0;
};
using ConstExpr = std::vector<ConstInstr>;

struct Function {
  uint32_t type = 0;  // index into Module::types
  bool imported = false;
  bool exact = false;   // imported: of just that type, and of none of its subtypes
  uint32_t import = 0;  // index into Module::imports, if imported
  // Defined functions:
  absl::Span<const uint8_t> body;  // local declarations and code, `end` included
  uint32_t body_offset = 0;
  uint32_t offset = 0;  // of the declaration in the import or function section
};

struct Table {
  TableType type;
  bool imported = false;
  ConstExpr init;  // empty: null
  uint32_t offset = 0;
};

struct Memory {
  MemoryType type;
  bool imported = false;
  uint32_t offset = 0;
};

struct Global {
  GlobalType type;
  bool imported = false;
  ConstExpr init;
  uint32_t offset = 0;
};

inline constexpr uint32_t kNoTag = 0xffffffff;

struct Tag {
  uint32_t type = 0;  // index into Module::types
  bool imported = false;
  uint32_t offset = 0;
};

enum class SegmentMode : uint8_t { kActive, kPassive, kDeclarative };

struct ElementSegment {
  SegmentMode mode = SegmentMode::kPassive;
  uint32_t table = 0;
  ConstExpr offset;  // kActive
  ValType type;
  std::vector<uint32_t> functions;  // when given as function indices
  std::vector<ConstExpr> exprs;     // when given as expressions (then `functions` is empty)
  uint32_t file_offset = 0;
  uint32_t size() const { return functions.empty() ? exprs.size() : functions.size(); }
};

struct DataSegment {
  SegmentMode mode = SegmentMode::kPassive;
  uint32_t memory = 0;
  ConstExpr offset;  // kActive
  absl::Span<const uint8_t> bytes;
  uint32_t file_offset = 0;
};

// As they come in the file.
struct Section {
  uint8_t id = 0;          // 0: custom
  absl::string_view name;  // of a custom section; valid UTF-8
  uint32_t offset = 0;     // of the id
  uint32_t contents = 0;   // where they begin
  uint32_t size = 0;       // of the contents, in bytes
};

// "code"; "custom" for all custom sections.
const char* SectionName(uint8_t id);

// From the "name" custom section; anything malformed in it is ignored, as the specification asks
// (appendix "Custom Sections").
struct Names {
  std::string module;
  std::vector<std::string> functions;            // by function index; empty string: none
  std::vector<std::vector<std::string>> locals;  // by function index, then local index
  std::vector<std::string> types;                // by type index
  std::vector<std::vector<std::string>> fields;  // by type index, then field
};

struct Module {
  std::string path;                 // for error messages
  absl::Span<const uint8_t> bytes;  // the whole file; outlives the module
  FeatureSet features;              // it was read with
  FeatureUses uses;                 // outside of function bodies
  std::vector<Section> sections;
  std::vector<FuncType> types;     // empty for structures and arrays
  std::vector<TypeDef> type_defs;  // by type index
  // By type index: the first type of the module that is equal (isorecursively), and a text that two
  // types, of whatever modules, share if and only if they are equal (see type_keys.h).
  std::vector<uint32_t> canonical_types;
  std::vector<std::string> type_keys;
  std::vector<Import> imports;
  std::vector<Function> functions;  // imported ones first
  std::vector<Table> tables;
  std::vector<Memory> memories;
  std::vector<Global> globals;
  std::vector<Tag> tags;
  std::vector<Export> exports;
  std::vector<ElementSegment> elements;
  std::vector<DataSegment> datas;
  bool has_object_types = false;  // structs or arrays
  bool has_start = false;
  uint32_t start = 0;
  uint32_t start_offset = 0;
  bool has_data_count = false;  // without it bodies may not name data segments
  uint32_t imported_functions = 0;
  uint32_t imported_tables = 0;
  uint32_t imported_memories = 0;
  uint32_t imported_globals = 0;
  uint32_t imported_tags = 0;
  // Functions that ref.func may name in bodies: those in element segments, exports, globals.
  std::vector<bool> declared_functions;
  Names names;

  const FuncType& TypeOf(uint32_t function) const { return types[functions[function].type]; }
  // Of ref.func.
  ValType RefTypeOf(uint32_t function) const {
    const Function& f = functions[function];
    return ValType::Ref(f.type, /*nullable=*/false, /*exact=*/!f.imported || f.exact);
  }
};

// What of a type matters at run time: numbers are themselves, references the top of their hierarchy
// (kFuncRef, kExternRef, kExnRef or kAnyRef).
ValType::Kind RepOf(const Module& module, ValType type);

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_MODULE_H_
