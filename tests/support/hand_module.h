// Modules described by hand, for tests of the runtime that need no translator: what each test asks
// for, in one instance structure with room for a few of everything.
#ifndef FERMATA_TESTS_SUPPORT_HAND_MODULE_H_
#define FERMATA_TESTS_SUPPORT_HAND_MODULE_H_

#include <cstddef>
#include <cstring>
#include <vector>

#include "fermata/core/frame.h"
#include "fermata/dynamic.h"

// As in generated code: conditionally supported, and all compilers we know support it.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace fermata {

// What hosts get by default: with 32-bit addresses no memory can be reserved.
inline constexpr core::MemoryPolicy kUsualPolicy =
    sizeof(void*) < 8 ? core::MemoryPolicy::kChecked : core::MemoryPolicy::kReserved;

struct HandInstance : core::Instance {
  uint32_t types[8];
  core::Function imports[4];
  core::MemoryField memories[2];
  core::Table* tables[2];
  uint64_t globals[4][2];
  uint32_t tags[4];
};

// Each method adds one thing and returns its index; imports come before what is the module's own,
// as in wasm. `Info` is valid until the next change.
class HandModule {
 public:
  uint32_t Type(const core::FuncType& type) { return Add(types_, type); }
  // Without parameters and results.
  uint32_t Type(const char* key, uint32_t supertype = core::kNoType) {
    return Type({nullptr, nullptr, 0, 0, 0, 0, key, supertype,
                 [](core::Instance* base, core::AnyFunction function, const uint64_t*) -> uint64_t {
                   reinterpret_cast<void (*)(core::Instance*)>(function)(base);
                   return 0;
                 },
                 nullptr});
  }
  template <class Code>
  uint32_t Function(const char* name, uint32_t type, Code code, bool may_throw = false,
                    bool may_suspend = false) {
    const auto any = reinterpret_cast<core::AnyFunction>(code);
    functions_.push_back({any, type, 0, may_suspend, may_throw, nullptr});
    return Export(name, ExternKind::kFunction, functions_.size() - 1);
  }
  // All imports are of module "env". A null `suspend` makes it IMMEDIATE.
  uint32_t ImportFunction(const char* name, uint32_t type, core::AnyFunction suspend = nullptr) {
    const uint32_t index = static_cast<uint32_t>(function_imports_.size());
    Import(name, ExternKind::kFunction, index, suspend);
    function_imports_.push_back(
        {static_cast<uint32_t>(offsetof(HandInstance, imports) + index * sizeof(core::Function)),
         type});
    return index;
  }
  // Passes an imported function on; `functions` index.
  uint32_t Reexport(const char* name, uint32_t import, bool may_throw = false) {
    functions_.push_back(
        {nullptr, function_imports_[import].type, import, false, may_throw, nullptr});
    return Export(name, ExternKind::kFunction, functions_.size() - 1);
  }
  uint32_t Memory(const char* name, const core::SizeLimitsInfo& limits, bool imported = false) {
    const uint32_t index = static_cast<uint32_t>(memories_.size());
    memories_.push_back({limits,
                         static_cast<uint32_t>(offsetof(HandInstance, memories) +
                                               index * sizeof(core::MemoryField)),
                         imported});
    return ImportOrExport(name, ExternKind::kMemory, index, imported);
  }
  uint32_t Table(const char* name, ValType type, core::RefType ref,
                 const core::SizeLimitsInfo& limits, bool imported = false) {
    const uint32_t index = static_cast<uint32_t>(tables_.size());
    tables_.push_back(
        {type, limits,
         static_cast<uint32_t>(offsetof(HandInstance, tables) + index * sizeof(core::Table*)),
         imported, ref});
    return ImportOrExport(name, ExternKind::kTable, index, imported);
  }
  uint32_t Global(const char* name, ValType type, core::RefType ref, bool mut,
                  bool imported = false) {
    const uint32_t index = static_cast<uint32_t>(globals_.size());
    globals_.push_back({type, mut, imported,
                        static_cast<uint32_t>(offsetof(HandInstance, globals) + index * 16), ref});
    return ImportOrExport(name, ExternKind::kGlobal, index, imported);
  }
  uint32_t Tag(const char* name, uint32_t type, bool imported = false) {
    const uint32_t index = static_cast<uint32_t>(tags_.size());
    tags_.push_back(
        {type, static_cast<uint32_t>(offsetof(HandInstance, tags) + index * 4), imported});
    return ImportOrExport(name, ExternKind::kTag, index, imported);
  }
  // The site of an op of import `function`, or of a frame.
  uint32_t Site(core::ResumeFunction resume, uint32_t function, uint16_t words) {
    words_.push_back(words);
    details_.push_back({function, 0, ""});
    return Add(sites_, core::SiteInfo{resume, 0, false});
  }

  const ModuleInfo& Info() {
    info.abi_version = core::kAbiVersion;
    info.name = "Hand";
    info.instance_size = sizeof(HandInstance);
    info.instance_align = alignof(HandInstance);
    info.types_offset = offsetof(HandInstance, types);
    info.max_results = 8;
    Set(info.types, info.type_count, types_);
    Set(info.imports, info.import_count, imports_);
    Set(info.exports, info.export_count, exports_);
    Set(info.functions, info.function_count, functions_);
    Set(info.function_imports, info.function_import_count, function_imports_);
    Set(info.tables, info.table_count, tables_);
    Set(info.memories, info.memory_count, memories_);
    Set(info.globals, info.global_count, globals_);
    Set(info.tags, info.tag_count, tags_);
    Set(info.sites, info.site_count, sites_);
    info.site_words = words_.data();
    info.site_details = details_.data();
    if (info.initialize == nullptr) info.initialize = [](core::Instance*) {};
    info.start = core::kNoFunction;
    return info;
  }
  ModuleInfo info = UsualInfo();  // what tests want otherwise

 private:
  static ModuleInfo UsualInfo() {
    ModuleInfo info{};
    info.memory_policy = kUsualPolicy;
    return info;
  }
  static core::Text TextOf(const char* s) { return {s, static_cast<uint32_t>(std::strlen(s))}; }
  template <class T>
  static uint32_t Add(std::vector<T>& list, const T& value) {
    list.push_back(value);
    return static_cast<uint32_t>(list.size() - 1);
  }
  template <class T>
  static void Set(const T*& data, uint32_t& count, const std::vector<T>& list) {
    data = list.data();
    count = static_cast<uint32_t>(list.size());
  }
  void Import(const char* name, ExternKind kind, uint32_t index, core::AnyFunction suspend) {
    imports_.push_back({TextOf("env"), TextOf(name), kind, index, suspend, 0});
  }
  uint32_t Export(const char* name, ExternKind kind, size_t index) {
    exports_.push_back({TextOf(name), kind, static_cast<uint32_t>(index)});
    return static_cast<uint32_t>(index);
  }
  uint32_t ImportOrExport(const char* name, ExternKind kind, uint32_t index, bool imported) {
    if (imported) Import(name, kind, index, nullptr);
    return Export(name, kind, index);
  }

  std::vector<core::FuncType> types_;
  std::vector<core::ImportInfo> imports_;
  std::vector<core::ExportInfo> exports_;
  std::vector<core::FunctionInfo> functions_;
  std::vector<core::FunctionImportSlot> function_imports_;
  std::vector<core::TableInfo> tables_;
  std::vector<core::MemoryInfo> memories_;
  std::vector<core::GlobalInfo> globals_;
  std::vector<core::TagInfo> tags_;
  std::vector<core::SiteInfo> sites_;
  std::vector<uint16_t> words_;
  std::vector<core::SiteDetail> details_;
};

}  // namespace fermata

#endif  // FERMATA_TESTS_SUPPORT_HAND_MODULE_H_
