#include "tests/support/wasm_builder.h"

#include <utility>

#include "translator/validate/function_validator.h"
#include "translator/validate/module_validator.h"
#include "translator/validate/null_sink.h"
#include "translator/wasm/reader.h"

namespace fermata::testing_support {
namespace {

uint8_t TypeByte(char letter) {
  switch (letter) {
    case 'i':
      return 0x7f;
    case 'I':
      return 0x7e;
    case 'f':
      return 0x7d;
    case 'F':
      return 0x7c;
    case 'r':
      return 0x70;
    case 'e':
      return 0x6f;
    case 'V':
      return 0x7b;
    case 'n':
      return 0x69;
    case 'a':
      return 0x6e;
    default:
      return 0x40;
  }
}

Bytes Counted(const std::vector<Bytes>& items) {
  return Concat({Unsigned(items.size()), Concat(items)});
}

}  // namespace

Bytes Unsigned(uint64_t value) {
  Bytes bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(0x80 | (value & 0x7f));
  bytes.push_back(value);
  return bytes;
}

Bytes Signed(int64_t value) {
  Bytes bytes;
  for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push_back(0x80 | (value & 0x7f));
  bytes.push_back(value & 0x7f);
  return bytes;
}

Bytes Name(absl::string_view name) { return Sized(Bytes(name.begin(), name.end())); }

Bytes Sized(const Bytes& bytes) { return Concat({Unsigned(bytes.size()), bytes}); }

Bytes Types(absl::string_view letters) {
  Bytes bytes;
  for (char letter : letters) bytes.push_back(TypeByte(letter));
  return bytes;
}

Bytes Concat(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes Repeat(const Bytes& bytes, size_t times) {
  Bytes all;
  all.reserve(bytes.size() * times);
  for (size_t i = 0; i < times; ++i) all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

Bytes Encode(wasm::Opcode op) {
  const uint32_t code = static_cast<uint32_t>(op);
  if (code <= 0xff) return {static_cast<uint8_t>(code)};
  return Concat({{static_cast<uint8_t>(code >> 16)}, Unsigned(code & 0xffff)});
}

Bytes Encode(char type) { return {TypeByte(type)}; }

uint32_t WasmBuilder::Add(uint8_t section, const Bytes& item) {
  items_[section].push_back(item);
  return static_cast<uint32_t>(items_[section].size() - 1);
}

uint32_t WasmBuilder::Type(absl::string_view params, absl::string_view results) {
  return Add(1, Concat({{0x60}, Sized(Types(params)), Sized(Types(results))}));
}

uint32_t WasmBuilder::RawType(const Bytes& type) { return Add(1, type); }

uint32_t WasmBuilder::ImportFunction(uint32_t type) {
  Add(2, Concat({Name("env"), Name("f"), {0}, Unsigned(type)}));
  return imports_[0]++;
}

uint32_t WasmBuilder::ImportGlobal(char type, bool mut) {
  Add(2, Concat({Name("env"), Name("g"), {3, TypeByte(type), static_cast<uint8_t>(mut)}}));
  return imports_[3]++;
}

uint32_t WasmBuilder::Function(uint32_t type, absl::string_view locals, const Bytes& code) {
  Bytes declared = Unsigned(locals.size());
  for (char letter : locals) declared = Concat({declared, {1, TypeByte(letter)}});
  return RawBody(type, Concat({declared, code, {0x0b}}));
}

uint32_t WasmBuilder::RawBody(uint32_t type, const Bytes& body) {
  Add(10, Sized(body));
  return Add(3, Unsigned(type)) + imports_[0];
}

uint32_t WasmBuilder::Table(char element, uint32_t min) {
  return Add(4, Concat({{TypeByte(element), 0}, Unsigned(min)}));
}

uint32_t WasmBuilder::Memory(uint32_t min) { return Add(5, Concat({{0}, Unsigned(min)})); }

uint32_t WasmBuilder::RawTable(const Bytes& table) { return Add(4, table); }
uint32_t WasmBuilder::RawMemory(const Bytes& limits) { return Add(5, limits); }
uint32_t WasmBuilder::Tag(uint32_t type) { return Add(13, Concat({{0}, Unsigned(type)})); }

uint32_t WasmBuilder::Global(char type, bool mut, const Bytes& init) {
  return Add(6, Concat({{TypeByte(type), static_cast<uint8_t>(mut)}, init, {0x0b}})) + imports_[3];
}

void WasmBuilder::Export(absl::string_view name, uint8_t kind, uint32_t index) {
  Add(7, Concat({Name(name), {kind}, Unsigned(index)}));
}

void WasmBuilder::Start(uint32_t function) { raw_[8] = Unsigned(function); }
void WasmBuilder::Element(const Bytes& segment) { Add(9, segment); }
void WasmBuilder::Data(const Bytes& segment) { Add(11, segment); }
void WasmBuilder::DataCount(uint32_t count) { raw_[12] = Unsigned(count); }

void WasmBuilder::Custom(absl::string_view name, const Bytes& contents) {
  customs_.push_back(Concat({Name(name), contents}));
}

Bytes WasmBuilder::Build() const {
  std::vector<std::pair<uint8_t, Bytes>> sections;
  for (uint8_t id : {1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11}) {
    if (auto raw = raw_.find(id); raw != raw_.end()) {
      sections.emplace_back(id, raw->second);
    } else if (auto items = items_.find(id); items != items_.end()) {
      sections.emplace_back(id, Counted(items->second));
    }
  }
  for (const Bytes& custom : customs_) sections.emplace_back(0, custom);
  return Module(sections);
}

Bytes Module(const std::vector<std::pair<uint8_t, Bytes>>& sections) {
  Bytes bytes = {0, 'a', 's', 'm', 1, 0, 0, 0};
  for (const auto& [id, contents] : sections) bytes = Concat({bytes, {id}, Sized(contents)});
  return bytes;
}

absl::Status Check(const Bytes& module, validate::InstructionSink* sink) {
  absl::StatusOr<wasm::Module> m = wasm::ReadModule("m.wasm", module);
  if (!m.ok()) return m.status();
  absl::Status status = validate::ValidateModule(*m);
  validate::NullSink nobody;
  for (uint32_t f = m->imported_functions; status.ok() && f < m->functions.size(); ++f) {
    status = validate::ValidateFunction(*m, f, sink == nullptr ? nobody : *sink);
  }
  return status;
}

std::string Words(const absl::Status& status) {
  const std::string message(status.message());
  const size_t position = message.find(": ");
  const size_t words = message.find(": ", position + 2);
  return words == std::string::npos ? message : message.substr(words + 2);
}

}  // namespace fermata::testing_support
