// Assembles modules byte by byte, right or wrong, for tests of the reader and the validator.
//
//   WasmBuilder b;
//   const uint32_t type = b.Type("i", "i");
//   b.Function(type, "", Code(Opcode::kLocalGet, 0, Opcode::kI32Eqz));   // `end` is added
//   std::vector<uint8_t> module = b.Build();
//
// Types are strings of letters: i = i32, I = i64, f = f32, F = f64, V = v128, r = funcref,
// e = externref, n = exnref, a = anyref.
// Nothing is checked. Index spaces count imports first, so imports must be added before
// definitions.
#ifndef FERMATA_TESTS_SUPPORT_WASM_BUILDER_H_
#define FERMATA_TESTS_SUPPORT_WASM_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "translator/validate/sink.h"
#include "translator/wasm/opcodes.h"

namespace fermata::testing_support {

using Bytes = std::vector<uint8_t>;

Bytes Unsigned(uint64_t value);  // LEB128
Bytes Signed(int64_t value);
Bytes Name(absl::string_view name);      // length and bytes
Bytes Sized(const Bytes& bytes);         // length and bytes
Bytes Types(absl::string_view letters);  // without length
Bytes Concat(const std::vector<Bytes>& parts);
Bytes Repeat(const Bytes& bytes, size_t times);

inline Bytes Encode(const Bytes& bytes) { return bytes; }
inline Bytes Encode(int value) { return Signed(value); }
Bytes Encode(wasm::Opcode op);
Bytes Encode(char type);  // a type's letter, or '_' for the empty block type

// Instructions: opcodes, immediates as signed numbers (an index below 64 is the same unsigned),
// letters of types, and whole pieces.
template <class... Parts>
Bytes Code(const Parts&... parts) {
  return Concat({Encode(parts)...});
}

class WasmBuilder {
 public:
  uint32_t Type(absl::string_view params, absl::string_view results);
  uint32_t RawType(const Bytes& type);  // one item of the section; a group counts as one here
  uint32_t ImportFunction(uint32_t type);
  uint32_t ImportGlobal(char type, bool mut);
  uint32_t Function(uint32_t type, absl::string_view locals, const Bytes& code);
  uint32_t RawBody(uint32_t type, const Bytes& body);
  uint32_t Table(char element, uint32_t min);
  uint32_t Memory(uint32_t min);
  uint32_t RawTable(const Bytes& table);
  uint32_t RawMemory(const Bytes& limits);  // flags, minimum, …
  uint32_t Tag(uint32_t type);
  uint32_t Global(char type, bool mut, const Bytes& init);  // without `end`
  void Export(absl::string_view name, uint8_t kind, uint32_t index);
  void Start(uint32_t function);
  void Element(const Bytes& segment);
  void Data(const Bytes& segment);
  void DataCount(uint32_t count);
  void Custom(absl::string_view name, const Bytes& contents);  // at the end

  // Replaces a section's contents, or adds it.
  void Section(uint8_t id, const Bytes& contents) { raw_[id] = contents; }

  Bytes Build() const;

 private:
  // Items of a section, by its number.
  uint32_t Add(uint8_t section, const Bytes& item);

  std::map<uint8_t, std::vector<Bytes>> items_;
  std::map<uint8_t, Bytes> raw_;
  std::vector<Bytes> customs_;
  uint32_t imports_[4] = {};  // by kind
};

// The module header, then the sections as given.
Bytes Module(const std::vector<std::pair<uint8_t, Bytes>>& sections);

// Reads and validates all of it, as "m.wasm". Bodies are told to `sink`, if there is one.
absl::Status Check(const Bytes& module, validate::InstructionSink* sink = nullptr);

// The message without the position, "" if ok: `m.wasm: 0x1f3 (function 1): unknown type 7` gives
// "unknown type 7".
std::string Words(const absl::Status& status);

}  // namespace fermata::testing_support

#endif  // FERMATA_TESTS_SUPPORT_WASM_BUILDER_H_
