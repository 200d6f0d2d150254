#include "translator/restrictions.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "translator/emit/memory_view.h"
#include "translator/wasm/error.h"

namespace fermata {
namespace {

constexpr uint64_t kMostElements = 1 << 20;  // of a table, which is written out

absl::Status Unfit(const wasm::Module& module, uint32_t offset, absl::string_view what) {
  return wasm::ErrorAt(module.path, offset,
                       absl::StrCat("a memory of a fixed size can't be ", what),
                       absl::StatusCode::kUnimplemented);
}

// Segments whose place is known. All others are checked when the instance is made.
absl::Status CheckDataSegments(const wasm::Module& module, uint64_t bytes) {
  for (size_t i = 0; i < module.datas.size(); ++i) {
    const wasm::DataSegment& segment = module.datas[i];
    if (segment.mode != wasm::SegmentMode::kActive || segment.offset.size() != 1 ||
        segment.offset[0].kind != wasm::ConstInstr::kI32Const) {
      continue;
    }
    const uint64_t begin = static_cast<uint32_t>(segment.offset[0].bits);
    const uint64_t end = begin + segment.bytes.size();
    if (end <= bytes) continue;
    return wasm::ErrorAt(module.path, segment.file_offset,
                         absl::StrCat("data segment ", i, " is at ", begin, " to ", end,
                                      ", beyond the ", bytes, " bytes of --memory-bytes"));
  }
  return absl::OkStatus();
}

absl::Status NotHere(const wasm::Module& module, uint32_t offset, absl::string_view what) {
  return wasm::ErrorAt(module.path, offset, absl::StrCat("the freestanding profile has no ", what),
                       absl::StatusCode::kUnimplemented);
}

// Of imports and exports: hosts pass numbers, and get at most one.
absl::Status CheckInterface(const wasm::Module& module, uint32_t function, uint32_t offset) {
  const wasm::FuncType& type = module.TypeOf(function);
  if (type.results.size() > 1) {
    return NotHere(module, offset, "imports and exports of functions with several results");
  }
  for (const auto* list : {&type.params, &type.results}) {
    for (const wasm::ValType t : *list) {
      if (!t.is_num()) {
        return NotHere(
            module, offset,
            absl::StrCat("imports and exports of functions with values of type ", wasm::Name(t)));
      }
    }
  }
  return absl::OkStatus();
}

// Segments that are known not to fit: the module would trap whenever it is instantiated.
absl::Status CheckSegments(const wasm::Module& module, const emit::Options& options) {
  const auto check = [&](const char* kind, size_t number, const wasm::ConstExpr& place,
                         uint64_t size, uint64_t room, uint32_t offset) {
    if (place.size() != 1 || (place[0].kind != wasm::ConstInstr::kI32Const &&
                              place[0].kind != wasm::ConstInstr::kI64Const)) {
      return absl::OkStatus();
    }
    const uint64_t begin = place[0].bits;
    if (size <= room && begin <= room - size) return absl::OkStatus();
    return wasm::ErrorAt(module.path, offset,
                         absl::StrCat(kind, " segment ", number, ", ", size, " at ", begin,
                                      ", does not fit into ", room));
  };
  for (size_t i = 0; i < module.datas.size(); ++i) {
    const wasm::DataSegment& s = module.datas[i];
    if (s.mode != wasm::SegmentMode::kActive) continue;
    const absl::Status status =
        check("data", i, s.offset, s.bytes.size(),
              emit::FixedBytes(options, module.memories[s.memory].type), s.file_offset);
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < module.elements.size(); ++i) {
    const wasm::ElementSegment& s = module.elements[i];
    if (s.mode != wasm::SegmentMode::kActive) continue;
    const absl::Status status = check("element", i, s.offset, s.size(),
                                      module.tables[s.table].type.limits.min, s.file_offset);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckFreestanding(const wasm::Module& module, const analysis::CallGraph& graph,
                               const emit::Options& options) {
  if (!options.freestanding) return absl::OkStatus();
  for (const wasm::Import& import : module.imports) {
    if (import.kind != wasm::ExternKind::kFunction) {
      return NotHere(module, import.offset, "imports of memories, tables, globals and tags");
    }
    const absl::Status status = CheckInterface(module, import.index, import.offset);
    if (!status.ok()) return status;
  }
  for (const wasm::Export& e : module.exports) {
    if (e.kind != wasm::ExternKind::kFunction) continue;
    const absl::Status status = CheckInterface(module, e.index, e.offset);
    if (!status.ok()) return status;
  }
  for (const wasm::Memory& memory : module.memories) {
    if (emit::FixedBytes(options, memory.type) > 0x7fffffff) {
      return NotHere(module, memory.offset, "memories of 2 GiB and more");
    }
  }
  if (graph.has_subtypes) {
    return absl::UnimplementedError(
        absl::StrCat(module.path, ": the freestanding profile has no types with subtypes"));
  }
  if (graph.uses_heap) {
    return absl::UnimplementedError(
        absl::StrCat(module.path, ": the freestanding profile has no garbage collection"));
  }
  if (graph.uses_atomics) {
    return absl::UnimplementedError(
        absl::StrCat(module.path, ": the freestanding profile has no atomic accesses"));
  }
  for (const wasm::Table& table : module.tables) {
    if (table.type.limits.min > kMostElements) {
      return NotHere(module, table.offset,
                     absl::StrCat("tables of more than ", kMostElements, " elements"));
    }
  }
  return CheckSegments(module, options);
}

absl::Status CheckFixedMemory(const wasm::Module& module, const emit::Options& options) {
  if (!emit::IsFixed(options)) return absl::OkStatus();
  for (size_t i = 0; i < module.memories.size(); ++i) {
    const wasm::Memory& memory = module.memories[i];
    if (i > 0) return Unfit(module, memory.offset, "one of several");
    if (memory.imported) return Unfit(module, memory.offset, "imported");
    if (memory.type.limits.shared) return Unfit(module, memory.offset, "shared");
    if (memory.type.limits.is64) return Unfit(module, memory.offset, "one of 64-bit addresses");
  }
  if (!options.memory_bytes) return absl::OkStatus();
  if (module.memories.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(module.path, ": --memory-bytes: the module has no memory"));
  }
  const wasm::Memory& memory = module.memories[0];
  const uint64_t declared = memory.type.limits.min << memory.type.page_log2;
  if (*options.memory_bytes > declared) {
    return wasm::ErrorAt(
        module.path, memory.offset,
        absl::StrCat("--memory-bytes=", *options.memory_bytes, " is more than the ", declared,
                     " bytes that the module declares"));
  }
  return CheckDataSegments(module, *options.memory_bytes);
}

}  // namespace fermata
