#include "translator/wasm/names.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "translator/wasm/decoder.h"
#include "translator/wasm/limits.h"

namespace fermata::wasm {
namespace {

enum Subsection : uint8_t {
  kModuleName = 0,
  kFunctionNames = 1,
  kLocalNames = 2,
  kTypeNames = 4,
  kFieldNames = 10
};

class NamesReader {
 public:
  NamesReader(size_t size, uint32_t functions, uint32_t types)
      : functions_(functions), types_(types), budget_(size) {}

  void Read(uint8_t id, Decoder in) {
    if (id == kModuleName) {
      const absl::string_view name = in.ReadName();
      if (in.ok()) names_.module = std::string(name);
    } else if (id == kFunctionNames) {
      ReadNamesOf(in, functions_, names_.functions);
    } else if (id == kLocalNames) {
      ReadNamesWithin(in, functions_, names_.locals);
    } else if (id == kTypeNames) {
      ReadNamesOf(in, types_, names_.types);
    } else if (id == kFieldNames) {
      ReadNamesWithin(in, types_, names_.fields);
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

  static void ReadNamesOf(Decoder& in, uint32_t count, std::vector<std::string>& names) {
    names.resize(count);
    ReadMap(in, [&](uint32_t index, absl::string_view name) {
      if (index < count) names[index] = std::string(name);
    });
  }

  // Of the locals of functions, or the fields of types.
  void ReadNamesWithin(Decoder& in, uint32_t owners, std::vector<std::vector<std::string>>& names) {
    names.resize(owners);
    const uint32_t count = in.ReadU32();
    for (uint32_t i = 0; i < count && in.ok(); ++i) {
      const uint32_t owner = in.ReadU32();
      ReadMap(in, [&](uint32_t index, absl::string_view name) {
        if (owner < owners) AddWithin(names[owner], index, name);
      });
    }
  }

  // A name takes at least two bytes of the section, so one slot for each byte is enough for names
  // that leave every other local out; a few high indices can't ask for more.
  void AddWithin(std::vector<std::string>& names, uint32_t index, absl::string_view name) {
    if (index >= kMaxLocals) return;
    if (index >= names.size()) {
      const size_t growth = index + 1 - names.size();
      if (growth > budget_) return;
      budget_ -= growth;
      names.resize(index + 1);
    }
    names[index] = std::string(name);
  }

  const uint32_t functions_;
  const uint32_t types_;
  size_t budget_;
  Names names_;
};

}  // namespace

Names ReadNames(absl::Span<const uint8_t> contents, uint32_t functions, uint32_t types) {
  NamesReader reader(contents.size(), functions, types);
  Decoder in(contents);
  while (in.ok() && !in.at_end()) {
    const uint8_t id = in.ReadByte();
    const absl::Span<const uint8_t> bytes = in.ReadBytes(in.ReadU32());
    if (in.ok()) reader.Read(id, Decoder(bytes));
  }
  return reader.Take();
}

}  // namespace fermata::wasm
