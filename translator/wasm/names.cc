#include "translator/wasm/names.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "translator/wasm/decoder.h"
#include "translator/wasm/limits.h"

namespace fermata::wasm {
namespace {

enum Subsection : uint8_t { kModuleName = 0, kFunctionNames = 1, kLocalNames = 2 };

class NamesReader {
 public:
  NamesReader(size_t size, uint32_t functions) : functions_(functions), local_budget_(size) {}

  void Read(uint8_t id, Decoder in) {
    if (id == kModuleName) {
      const absl::string_view name = in.ReadName();
      if (in.ok()) names_.module = std::string(name);
    } else if (id == kFunctionNames) {
      names_.functions.resize(functions_);
      ReadMap(in, [&](uint32_t index, absl::string_view name) {
        if (index < functions_) names_.functions[index] = std::string(name);
      });
    } else if (id == kLocalNames) {
      ReadLocals(in);
    }
  }

  Names Take() { return std::move(names_); }

 private:
  template <class Add>
  static void ReadMap(Decoder& in, const Add& add) {
    const uint32_t count = in.ReadU32();
    for (uint32_t i = 0; i < count && in.ok(); ++i) {
      const uint32_t index = in.ReadU32();
      const absl::string_view name = in.ReadName();
      if (in.ok()) add(index, name);
    }
  }

  void ReadLocals(Decoder& in) {
    names_.locals.resize(functions_);
    const uint32_t count = in.ReadU32();
    for (uint32_t i = 0; i < count && in.ok(); ++i) {
      const uint32_t function = in.ReadU32();
      ReadMap(in, [&](uint32_t local, absl::string_view name) {
        if (function < functions_) AddLocal(names_.locals[function], local, name);
      });
    }
  }

  // A name takes at least two bytes of the section, so one slot for each byte is enough for names
  // that leave every other local out; a few high indices can't ask for more.
  void AddLocal(std::vector<std::string>& locals, uint32_t local, absl::string_view name) {
    if (local >= kMaxLocals) return;
    if (local >= locals.size()) {
      const size_t growth = local + 1 - locals.size();
      if (growth > local_budget_) return;
      local_budget_ -= growth;
      locals.resize(local + 1);
    }
    locals[local] = std::string(name);
  }

  const uint32_t functions_;
  size_t local_budget_;
  Names names_;
};

}  // namespace

Names ReadNames(absl::Span<const uint8_t> contents, uint32_t functions) {
  NamesReader reader(contents.size(), functions);
  Decoder in(contents);
  while (in.ok() && !in.at_end()) {
    const uint8_t id = in.ReadByte();
    const absl::Span<const uint8_t> bytes = in.ReadBytes(in.ReadU32());
    if (in.ok()) reader.Read(id, Decoder(bytes));
  }
  return reader.Take();
}

}  // namespace fermata::wasm
