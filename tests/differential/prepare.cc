// Making a module ready: its memory, table and export sections are written anew.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/differential/subject.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/module_validator.h"
#include "translator/validate/null_sink.h"
#include "translator/validate/sink.h"
#include "translator/wasm/reader.h"

namespace fermata::differential {
namespace {

using testing_support::Concat;
using testing_support::Name;
using testing_support::Unsigned;

constexpr uint64_t kMorePages = 3, kMoreElements = 50;
constexpr uint8_t kTables = 4, kMemories = 5, kExports = 7;

Bytes EncodeLimits(const wasm::SizeLimits& limits, uint64_t most, uint8_t more_flags = 0) {
  const uint64_t max = limits.has_max ? std::min(limits.max, most) : most;
  const uint8_t flags = 1 | (limits.shared ? 2 : 0) | (limits.is64 ? 4 : 0) | more_flags;
  return Concat({{flags}, Unsigned(limits.min), Unsigned(max)});
}

Bytes EncodeMemories(const wasm::Module& module) {
  std::vector<Bytes> parts = {Unsigned(module.memories.size() - module.imported_memories)};
  for (const wasm::Memory& memory : module.memories) {
    if (memory.imported) continue;
    const bool pages = memory.type.page_log2 != 16;
    const uint64_t more = kMorePages << (16 - memory.type.page_log2);
    const wasm::SizeLimits& limits = memory.type.limits;
    parts.push_back(EncodeLimits(limits, limits.min + more, pages ? 8 : 0));
    if (pages) parts.push_back(Unsigned(memory.type.page_log2));
  }
  return Concat(parts);
}

Bytes EncodeTables(const wasm::Module& module) {
  std::vector<Bytes> parts = {Unsigned(module.tables.size() - module.imported_tables)};
  for (const wasm::Table& table : module.tables) {
    if (table.imported) continue;
    parts.push_back(EncodeType(table.type.element));
    parts.push_back(EncodeLimits(table.type.limits, table.type.limits.min + kMoreElements));
  }
  return Concat(parts);
}

Bytes EncodeExports(const wasm::Module& module) {
  std::vector<Bytes> items;
  const auto add = [&](absl::string_view name, wasm::ExternKind kind, uint64_t index) {
    items.push_back(Concat({Name(name), {static_cast<uint8_t>(kind)}, Unsigned(index)}));
  };
  for (const wasm::Export& e : module.exports) {
    // Ours are there if the module was made ready before.
    if (!absl::StartsWith(e.name, "fz:")) add(e.name, e.kind, e.index);
  }
  for (size_t i = module.imported_functions; i < module.functions.size(); ++i) {
    add(absl::StrCat("fz:f", i), wasm::ExternKind::kFunction, i);
  }
  for (size_t i = 0; i < module.globals.size(); ++i) {
    add(absl::StrCat("fz:g", i), wasm::ExternKind::kGlobal, i);
  }
  for (size_t i = 0; i < module.memories.size(); ++i) {
    add(absl::StrCat("fz:m", i), wasm::ExternKind::kMemory, i);
  }
  return Concat({Unsigned(items.size()), Concat(items)});
}

absl::Status Validate(const wasm::Module& module) {
  absl::Status status = validate::ValidateModule(module);
  validate::NullSink nobody;
  for (uint32_t f = module.imported_functions; status.ok() && f < module.functions.size(); ++f) {
    status = validate::ValidateFunction(module, f, nobody);
  }
  return status;
}

}  // namespace

absl::StatusOr<Bytes> Prepare(const Bytes& bytes) {
  absl::StatusOr<wasm::Module> module = wasm::ReadModule("module", bytes);
  if (!module.ok()) return module.status();
  const absl::Status valid = Validate(*module);
  if (!valid.ok()) return valid;
  // Tables with an initializer of their own stay as they are.
  const bool tables = std::all_of(module->tables.begin(), module->tables.end(),
                                  [](const wasm::Table& table) { return table.init.empty(); });
  std::vector<std::pair<uint8_t, Bytes>> sections;
  bool exported = false;
  const auto add_exports = [&] {
    if (!exported) sections.emplace_back(kExports, EncodeExports(*module));
    exported = true;
  };
  for (const wasm::Section& section : module->sections) {
    if (section.id == 0) continue;
    if (section.id > kExports && section.id != 13) add_exports();  // 13: tags come before
    const auto begin = bytes.begin() + section.contents;
    if (section.id == kMemories) {
      sections.emplace_back(section.id, EncodeMemories(*module));
    } else if (section.id == kTables && tables) {
      sections.emplace_back(section.id, EncodeTables(*module));
    } else if (section.id == kExports) {
      add_exports();
    } else {
      sections.emplace_back(section.id, Bytes(begin, begin + section.size));
    }
  }
  add_exports();
  return testing_support::Module(sections);
}

}  // namespace fermata::differential
