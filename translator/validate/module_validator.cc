#include "translator/validate/module_validator.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "translator/validate/const_validator.h"
#include "translator/wasm/error.h"
#include "translator/wasm/features.h"
#include "translator/wasm/subtyping.h"

namespace fermata::validate {
namespace {

using wasm::ConstExpr;
using wasm::ExternKind;
using wasm::Feature;
using wasm::ValType;

class ModuleValidator {
 public:
  explicit ModuleValidator(const wasm::Module& module) : m_(module) {}

  absl::Status Run() {
    // What a check finds wrong, later ones would trip over.
    using Step = void (ModuleValidator::*)();
    for (Step step : {&ModuleValidator::CheckFunctions, &ModuleValidator::CheckTags,
                      &ModuleValidator::CheckTables, &ModuleValidator::CheckMemories,
                      &ModuleValidator::CheckGlobals, &ModuleValidator::CheckExports,
                      &ModuleValidator::CheckStart, &ModuleValidator::CheckElements,
                      &ModuleValidator::CheckDatas}) {
      if (status_.ok()) (this->*step)();
    }
    return status_;
  }

 private:
  // The first error is kept. Always false, to return from checks.
  bool Fail(uint32_t offset, absl::string_view message,
            absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
    if (status_.ok()) status_ = wasm::ErrorAt(m_.path, offset, message, code);
    return false;
  }

  bool Known(uint32_t offset, uint32_t index, size_t count, const char* what) {
    return index < count || Fail(offset, absl::StrCat("unknown ", what, " ", index));
  }

  void CheckFunctions() {
    for (const wasm::Function& f : m_.functions) KnownType(f.offset, f.type);
  }

  bool KnownType(uint32_t offset, uint32_t type) {
    if (!Known(offset, type, m_.types.size(), "type")) return false;
    return m_.type_defs[type].kind == wasm::TypeDef::kFunc ||
           Fail(offset, absl::StrCat("type mismatch: type ", type, " is not a function type"));
  }

  void CheckTags() {
    for (const wasm::Tag& tag : m_.tags) {
      if (!KnownType(tag.offset, tag.type) || m_.types[tag.type].results.empty()) continue;
      if (m_.features.Has(Feature::kStackSwitching)) {
        Fail(tag.offset, wasm::NeedsProposal(Feature::kStackSwitching),
             absl::StatusCode::kUnimplemented);
      } else {
        Fail(tag.offset, "non-empty tag result type");
      }
    }
  }

  // ---- Limits ----

  bool CheckRange(uint32_t offset, const wasm::SizeLimits& limits, uint64_t most,
                  const char* error) {
    if (limits.min > most || (limits.has_max && limits.max > most)) return Fail(offset, error);
    if (limits.has_max && limits.min > limits.max) {
      return Fail(offset, absl::StrCat("size minimum must not be greater than maximum: ",
                                       limits.min, ", ", limits.max));
    }
    return true;
  }

  void CheckTables() {
    for (const wasm::Table& table : m_.tables) {
      const bool is64 = table.type.limits.is64;
      CheckRange(table.offset, table.type.limits, is64 ? ~uint64_t{0} : 0xffffffff,
                 "table size must be at most 2^32-1");
      if (!table.init.empty()) {
        // Imported globals only; the module's own come later.
        CheckConst(table.offset, table.init, table.type.element, m_.imported_globals);
      } else if (!table.imported && !table.type.element.is_defaultable()) {
        Fail(table.offset, absl::StrCat("type mismatch: a table of ", Name(table.type.element),
                                        " needs an initial value"));
      }
    }
  }

  void CheckMemories() {
    for (const wasm::Memory& memory : m_.memories) CheckMemory(memory);
  }

  void CheckMemory(const wasm::Memory& memory) {
    const wasm::SizeLimits& limits = memory.type.limits;
    if (memory.type.page_log2 == 0) {
      CheckRange(memory.offset, limits, limits.is64 ? ~uint64_t{0} : 0xffffffff,
                 limits.is64 ? "memory size must be at most 2^64-1 pages of one byte"
                             : "memory size must be at most 2^32-1 pages of one byte");
    } else if (limits.is64) {
      CheckRange(memory.offset, limits, uint64_t{1} << 48,
                 "memory size must be at most 2^48 pages");
    } else {
      CheckRange(memory.offset, limits, 65536, "memory size must be at most 65536 pages (4GiB)");
    }
    if (limits.shared && !limits.has_max) {
      Fail(memory.offset, "shared memory must have maximum");
    }
  }

  // ---- Constant expressions ----

  uint32_t all_globals() const { return static_cast<uint32_t>(m_.globals.size()); }

  bool CheckConst(uint32_t offset, const ConstExpr& expr, ValType expected, uint32_t globals) {
    absl::Status status = ValidateConst(m_, offset, expr, expected, globals);
    if (status_.ok()) status_ = std::move(status);
    return status_.ok();
  }

  void CheckGlobals() {
    for (uint32_t i = m_.imported_globals; i < m_.globals.size(); ++i) {
      const wasm::Global& global = m_.globals[i];
      CheckConst(global.offset, global.init, global.type.type, i);
    }
  }

  // ---- Exports and start ----

  void CheckExports() {
    absl::flat_hash_set<absl::string_view> names;
    for (const wasm::Export& e : m_.exports) {
      switch (e.kind) {
        case ExternKind::kFunction:
          Known(e.offset, e.index, m_.functions.size(), "function");
          break;
        case ExternKind::kTable:
          Known(e.offset, e.index, m_.tables.size(), "table");
          break;
        case ExternKind::kMemory:
          Known(e.offset, e.index, m_.memories.size(), "memory");
          break;
        case ExternKind::kGlobal:
          Known(e.offset, e.index, m_.globals.size(), "global");
          break;
        case ExternKind::kTag:
          Known(e.offset, e.index, m_.tags.size(), "tag");
          break;
      }
      if (!names.insert(e.name).second) {
        Fail(e.offset,
             absl::StrCat("duplicate export name \"", absl::Utf8SafeCEscape(e.name), "\""));
      }
    }
  }

  void CheckStart() {
    if (!m_.has_start || !status_.ok()) return;
    if (!Known(m_.start_offset, m_.start, m_.functions.size(), "function")) return;
    const wasm::FuncType& type = m_.TypeOf(m_.start);
    if (!type.params.empty() || !type.results.empty()) {
      Fail(m_.start_offset,
           absl::StrCat("start function must have type [] -> [], not ", ToString(type)));
    }
  }

  // ---- Segments ----

  void CheckElements() {
    for (const wasm::ElementSegment& segment : m_.elements) {
      if (!status_.ok()) return;
      const uint32_t at = segment.file_offset;
      if (segment.mode == wasm::SegmentMode::kActive) {
        if (!Known(at, segment.table, m_.tables.size(), "table")) return;
        const ValType element = m_.tables[segment.table].type.element;
        if (!IsSubtype(m_, segment.type, element)) {
          Fail(at, absl::StrCat("type mismatch: elements of type ", Name(segment.type),
                                " for a table of ", Name(element)));
        }
        const bool is64 = m_.tables[segment.table].type.limits.is64;
        CheckConst(at, segment.offset, is64 ? ValType::kI64 : ValType::kI32, all_globals());
      }
      for (uint32_t function : segment.functions) {
        if (!Known(at, function, m_.functions.size(), "function")) return;
      }
      for (const ConstExpr& expr : segment.exprs) {
        if (!CheckConst(at, expr, segment.type, all_globals())) return;
      }
    }
  }

  void CheckDatas() {
    for (const wasm::DataSegment& segment : m_.datas) {
      if (segment.mode != wasm::SegmentMode::kActive) continue;
      if (!Known(segment.file_offset, segment.memory, m_.memories.size(), "memory")) return;
      const bool is64 = m_.memories[segment.memory].type.limits.is64;
      const ValType address = is64 ? ValType::kI64 : ValType::kI32;
      if (!CheckConst(segment.file_offset, segment.offset, address, all_globals())) return;
    }
  }

  const wasm::Module& m_;
  absl::Status status_;
};

}  // namespace

absl::Status ValidateModule(const wasm::Module& module) { return ModuleValidator(module).Run(); }

}  // namespace fermata::validate
