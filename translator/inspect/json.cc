#include "translator/inspect/json.h"

#include "absl/strings/string_view.h"
#include "llvm/Support/JSON.h"
#include "translator/inspect/describe.h"

namespace fermata::inspect {
namespace {

using wasm::ExternKind;

// JSON strings must be UTF-8: a module's names are, paths may not be.
std::string Utf8(absl::string_view s) {
  return llvm::json::fixUTF8(llvm::StringRef(s.data(), s.size()));
}

class JsonWriter {
 public:
  JsonWriter(const Inspection& in, llvm::raw_ostream& out)
      : in_(in), m_(in.module), json_(out, /*IndentSize=*/1) {}

  void Write(bool functions) {
    json_.object([&] {
      WriteHeader();
      json_.attributeArray("sections", [&] { WriteSections(); });
      json_.attributeArray("memories", [&] { WriteMemories(); });
      json_.attributeArray("tables", [&] { WriteTables(); });
      json_.attributeArray("imports", [&] { WriteImports(); });
      json_.attributeArray("exports", [&] { WriteExports(); });
      json_.attributeArray("features", [&] { WriteFeatures(); });
      json_.attributeObject("suspension", [&] { WriteSuspension(); });
      if (functions) json_.attributeArray("functions", [&] { WriteFunctions(); });
    });
  }

 private:
  void Number(llvm::StringRef key, uint64_t value) { json_.attribute(key, value); }

  void WriteHeader() {
    json_.attribute("file", Utf8(m_.path));
    Number("size", m_.bytes.size());
    json_.attribute("sha256", Sha256(m_.bytes));
    json_.attributeObject("counts", [&] {
      Number("types", m_.types.size());
      Number("functions", m_.functions.size());
      Number("imported_functions", m_.imported_functions);
      Number("imports", m_.imports.size());
      Number("exports", m_.exports.size());
    });
  }

  void WriteSections() {
    for (const wasm::Section& section : m_.sections) {
      json_.object([&] {
        json_.attribute("kind", wasm::SectionName(section.id));
        if (section.id == 0) json_.attribute("name", Utf8(section.name));
        Number("offset", section.offset);
        Number("size", section.size);
      });
    }
  }

  void WriteLimits(const wasm::SizeLimits& limits) {
    Number("min", limits.min);
    if (limits.has_max) Number("max", limits.max);
    json_.attribute("is64", limits.is64);
  }

  void WriteMemories() {
    for (const wasm::Memory& memory : m_.memories) {
      json_.object([&] {
        json_.attribute("imported", memory.imported);
        WriteLimits(memory.type.limits);
        json_.attribute("shared", memory.type.limits.shared);
        Number("page_size", uint64_t{1} << memory.type.page_log2);
      });
    }
  }

  void WriteTables() {
    for (const wasm::Table& table : m_.tables) {
      json_.object([&] {
        json_.attribute("imported", table.imported);
        WriteLimits(table.type.limits);
        json_.attribute("element", TypeText(table.type.element));
      });
    }
  }

  void WriteExtern(ExternKind kind, uint32_t index) {
    json_.attribute("kind", KindName(kind));
    Number("index", index);
    json_.attribute("type", ExternTypeText(m_, kind, index));
  }

  void WriteImports() {
    for (const wasm::Import& import : m_.imports) {
      json_.object([&] {
        json_.attribute("module", Utf8(import.module));
        json_.attribute("name", Utf8(import.name));
        WriteExtern(import.kind, import.index);
        if (import.kind == ExternKind::kFunction) {
          json_.attribute("suspends", !in_.immediate[import.index]);
        }
      });
    }
  }

  void WriteMaySuspend(uint32_t function) {
    json_.attribute("may_suspend", in_.MaySuspend(function));
    if (in_.MaySuspend(function)) json_.attribute("why", in_.Explain(function));
  }

  void WriteExports() {
    for (const wasm::Export& e : m_.exports) {
      json_.object([&] {
        json_.attribute("name", Utf8(e.name));
        WriteExtern(e.kind, e.index);
        if (e.kind == ExternKind::kFunction) WriteMaySuspend(e.index);
      });
    }
  }

  void WriteFeatures() {
    for (const FeatureNeed& need : in_.features) {
      json_.object([&] {
        json_.attribute("name", Name(need.feature));
        Number("offset", need.offset);
        if (need.function != kNone) Number("function", need.function);
        json_.attribute("place", need.place);
      });
    }
  }

  void WriteSuspension() {
    const Counts& c = in_.counts;
    Number("functions", c.functions);
    Number("suspending_functions", c.suspending_functions);
    Number("call_sites", c.call_sites);
    Number("suspending_call_sites", c.suspending_call_sites);
    Number("indirect_call_sites", c.indirect_call_sites);
    Number("suspending_indirect_call_sites", c.suspending_indirect_call_sites);
    json_.attributeArray("types", [&] {
      for (const SuspendingType& type : in_.types) json_.object([&] { WriteType(type); });
    });
  }

  void WriteType(const SuspendingType& type) {
    Number("type", type.type);
    json_.attribute("signature", SignatureText(m_.types[type.type]));
    if (type.table != analysis::kAnyTable) Number("table", type.table);
    Number("sites", type.sites);
    Number("callers", type.callers);
    json_.attribute("any_function", type.open);
    if (type.table != analysis::kAnyTable) {
      Number("targets", type.targets);
      Number("suspending_targets", type.suspending_targets);
    }
    if (type.example != kNone) json_.attribute("why", in_.Explain(type.example));
  }

  void WriteFunctions() {
    const auto& names = m_.names.functions;
    for (uint32_t f = m_.imported_functions; f < m_.functions.size(); ++f) {
      json_.object([&] {
        Number("index", f);
        if (f < names.size() && !names[f].empty()) json_.attribute("name", Utf8(names[f]));
        Number("bytes", m_.functions[f].body.size());
        WriteMaySuspend(f);
      });
    }
  }

  const Inspection& in_;
  const wasm::Module& m_;
  llvm::json::OStream json_;
};

}  // namespace

void WriteJson(const Inspection& in, bool functions, llvm::raw_ostream& out) {
  JsonWriter(in, out).Write(functions);
  out << "\n";
}

void WriteMissingJson(const std::string& path, absl::Span<const uint8_t> bytes,
                      const absl::Status& error, llvm::raw_ostream& out) {
  llvm::json::OStream json(out, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("file", Utf8(path));
    json.attribute("size", uint64_t{bytes.size()});
    json.attribute("sha256", Sha256(bytes));
    json.attributeObject("missing", [&] {
      json.attribute("name", Name(*wasm::MissingProposal(error)));
      json.attribute("error", Utf8(PlaceInError(path, error)));
    });
  });
  json.flush();
  out << "\n";
}

}  // namespace fermata::inspect
