// The two modules between JavaScript and the module (subject.h), and the plan as JSON.
//
//   host:     (import "js" "f0" (func (param i32 i64 i64)))           log, of a float and a vector
//             (func (export "f0") (param f32 v128) …)                 as the module imports it
//   wrapper:  (import "m" "fz:f7" (func (param v128) (result f64)))
//             (func (export "fz:f7") (param i64 i64) (result i64) …)
//
// A reference goes to JavaScript as whether it is null, and comes from there as null.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/differential/subject.h"

namespace fermata::differential {
namespace {

using testing_support::Code;
using testing_support::Concat;
using testing_support::Name;
using testing_support::Sized;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using wasm::Opcode;

bool IsReference(char letter) { return std::string("iIfFV").find(letter) == std::string::npos; }

// The integers that stand for values of these types. References: given (`told`), or left out.
std::string Integers(absl::string_view types, bool told) {
  std::string integers;
  for (const char letter : types) {
    if (!IsReference(letter)) {
      integers += letter == 'i' || letter == 'f' ? "i" : letter == 'V' ? "II" : "I";
    } else if (told) {
      integers += "i";
    }
  }
  return integers;
}

// A module that begins with the types of another.
class Bridge {
 public:
  explicit Bridge(const wasm::Module& module) {
    for (const wasm::Section& section : module.sections) {
      if (section.id == 1) {
        types_ = Bytes(module.bytes.begin() + section.contents,
                       module.bytes.begin() + section.contents + section.size);
      }
    }
    // The number of the section's items, and the items.
    size_t at = 0;
    for (int shift = 0; at < types_.size(); shift += 7) {
      items_ |= uint64_t{types_[at] & 0x7fu} << shift;
      if ((types_[at++] & 0x80) == 0) break;
    }
    types_.erase(types_.begin(), types_.begin() + at);
    next_type_ = static_cast<uint32_t>(module.types.size());
  }

  uint32_t Type(absl::string_view params, absl::string_view results) {
    types_ = Concat({types_,
                     {0x60},
                     Sized(testing_support::Types(params)),
                     Sized(testing_support::Types(results))});
    ++items_;
    return next_type_++;
  }
  void Import(absl::string_view module, absl::string_view name, const Bytes& description) {
    imports_.push_back(Concat({Name(module), Name(name), description}));
  }
  void Define(uint32_t type, absl::string_view name, const Bytes& body) {
    functions_.push_back(Unsigned(type));
    bodies_.push_back(Sized(body));
    exported_.push_back(std::string(name));
  }
  void DefineGlobal(wasm::ValType type, absl::string_view name) {
    const Bytes zero = !type.is_ref()    ? Zero(type)
                       : type.nullable() ? Concat({Code(Opcode::kRefNull), HeapType(type)})
                                         : NotNull(type);
    Export(name, 3, globals_.size());
    globals_.push_back(Concat({EncodeType(type), {0}, zero, {0x0b}}));
  }
  void DefineTag(uint32_t type, absl::string_view name) {
    Export(name, 4, tags_.size());
    tags_.push_back(Concat({{0}, Unsigned(type)}));
  }

  Bytes Build(size_t imported_functions) {
    for (size_t i = 0; i < exported_.size(); ++i) Export(exported_[i], 0, imported_functions + i);
    std::vector<std::pair<uint8_t, Bytes>> sections = {{1, Concat({Unsigned(items_), types_})}};
    const auto add = [&](uint8_t id, const std::vector<Bytes>& items) {
      if (items.empty()) return;
      sections.emplace_back(id, Concat({Unsigned(items.size()), Concat(items)}));
    };
    add(2, imports_);
    add(3, functions_);
    add(13, tags_);
    add(6, globals_);
    add(7, exports_);
    add(10, bodies_);
    return testing_support::Module(sections);
  }

  // Values of integers that are the locals from `local` on: pushes those of `types`.
  Bytes FromIntegers(const std::vector<wasm::ValType>& types, absl::string_view letters,
                     uint32_t local) {
    Bytes code;
    const auto get = [&] { return Concat({Code(Opcode::kLocalGet), Unsigned(local++)}); };
    for (size_t i = 0; i < types.size(); ++i) {
      if (IsReference(letters[i])) {
        code = Concat({code, Code(Opcode::kRefNull), HeapType(types[i])});
        continue;
      }
      code = Concat({code, get()});
      if (letters[i] == 'f') code = Concat({code, Code(Opcode::kF32ReinterpretI32)});
      if (letters[i] == 'F') code = Concat({code, Code(Opcode::kF64ReinterpretI64)});
      if (letters[i] == 'V') {
        code =
            Concat({code, Code(Opcode::kI64x2Splat), get(), Code(Opcode::kI64x2ReplaceLane), {1}});
      }
    }
    return code;
  }
  // Pushes the integers that stand for the locals from `local` on.
  static Bytes ToIntegers(absl::string_view letters, uint32_t local) {
    Bytes code;
    for (size_t i = 0; i < letters.size(); ++i) {
      const Bytes get = Concat({Code(Opcode::kLocalGet), Unsigned(local + i)});
      code = Concat({code, get});
      if (letters[i] == 'f') code = Concat({code, Code(Opcode::kI32ReinterpretF32)});
      if (letters[i] == 'F') code = Concat({code, Code(Opcode::kI64ReinterpretF64)});
      if (letters[i] == 'V') {
        code = Concat({code,
                       Code(Opcode::kI64x2ExtractLane),
                       {0},
                       get,
                       Code(Opcode::kI64x2ExtractLane),
                       {1}});
      }
      if (IsReference(letters[i])) code = Concat({code, Code(Opcode::kRefIsNull)});
    }
    return code;
  }
  // Sets the locals from `local` on, the last first.
  static Bytes Store(size_t count, uint32_t local) {
    Bytes code;
    for (size_t i = count; i-- > 0;) {
      code = Concat({code, Code(Opcode::kLocalSet), Unsigned(local + i)});
    }
    return code;
  }
  static Bytes Locals(const std::vector<Bytes>& types) {
    std::vector<Bytes> parts = {Unsigned(types.size())};
    for (const Bytes& type : types) parts.push_back(Concat({{1}, type}));
    return Concat(parts);
  }

 private:
  void Export(absl::string_view name, uint8_t kind, uint64_t index) {
    exports_.push_back(Concat({Name(name), {kind}, Unsigned(index)}));
  }
  static Bytes NotNull(wasm::ValType type) {
    const bool external = type.kind() == wasm::ValType::kExternRef;
    return Concat({{0x41, kNotNull},
                   Code(Opcode::kRefI31),
                   external ? Code(Opcode::kExternConvertAny) : Bytes{}});
  }
  static Bytes Zero(wasm::ValType type) {
    switch (type.kind()) {
      case wasm::ValType::kI32:
        return {0x41, 0};
      case wasm::ValType::kI64:
        return {0x42, 0};
      case wasm::ValType::kF32:
        return Concat({{0x43}, Bytes(4)});
      case wasm::ValType::kF64:
        return Concat({{0x44}, Bytes(8)});
      default:
        return Concat({{0xfd, 0x0c}, Bytes(16)});
    }
  }

  Bytes types_;
  uint64_t items_ = 0;
  uint32_t next_type_ = 0;
  std::vector<Bytes> imports_, functions_, tags_, globals_, exports_, bodies_;
  std::vector<std::string> exported_;
};

std::vector<Bytes> EncodeTypes(const std::vector<wasm::ValType>& types) {
  std::vector<Bytes> encoded;
  for (const wasm::ValType type : types) encoded.push_back(EncodeType(type.With(true)));
  return encoded;
}

std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&quoted, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

// The answers that the host gives, by the types of results; members of an object.
std::string AnswersAsJson(const Plan& plan) {
  std::string json;
  for (const Plan::Import& import : plan.imports) {
    const std::string& types = import.type.results;
    if (AnswerWords(types, 0).empty()) continue;
    absl::StrAppend(&json, json.empty() ? "" : ",", Quoted(types), ":[");
    for (uint64_t number = 0; number < kAnswers; ++number) {
      absl::StrAppend(&json, number == 0 ? "[" : ",[");
      const char* comma = "";
      for (const uint64_t word : AnswerWords(types, number)) {
        absl::StrAppend(&json, comma, "\"", word, "\"");
        comma = ",";
      }
      absl::StrAppend(&json, "]");
    }
    absl::StrAppend(&json, "]");
  }
  return json;
}

std::string CallsAsJson(const Plan& plan) {
  std::string json = "[";
  for (const Plan::Call& call : plan.calls) {
    absl::StrAppend(&json, json.size() > 1 ? "," : "", "[", call.number, ",", call.callee);
    for (const uint64_t word : call.words) absl::StrAppend(&json, ",\"", word, "\"");
    absl::StrAppend(&json, "]");
  }
  return json + "]";
}

}  // namespace

Bytes HeapType(wasm::ValType type) {
  if (type.kind() == wasm::ValType::kTypedRef) {
    if (type.exact()) return Concat({{0x62}, Unsigned(type.type_index())});
    return testing_support::Signed(type.type_index());
  }
  return {EncodeType(type.With(true))[0]};
}

Bytes EncodeType(wasm::ValType type) {
  static constexpr struct {
    wasm::ValType::Kind kind;
    uint8_t byte;
  } kBytes[] = {{wasm::ValType::kI32, 0x7f},       {wasm::ValType::kI64, 0x7e},
                {wasm::ValType::kF32, 0x7d},       {wasm::ValType::kF64, 0x7c},
                {wasm::ValType::kV128, 0x7b},      {wasm::ValType::kFuncRef, 0x70},
                {wasm::ValType::kExternRef, 0x6f}, {wasm::ValType::kExnRef, 0x69},
                {wasm::ValType::kAnyRef, 0x6e},    {wasm::ValType::kEqRef, 0x6d},
                {wasm::ValType::kI31Ref, 0x6c},    {wasm::ValType::kStructRef, 0x6b},
                {wasm::ValType::kArrayRef, 0x6a},  {wasm::ValType::kNoneRef, 0x71},
                {wasm::ValType::kNoFuncRef, 0x73}, {wasm::ValType::kNoExternRef, 0x72},
                {wasm::ValType::kNoExnRef, 0x74}};
  if (type.kind() == wasm::ValType::kTypedRef) {
    return Concat({{static_cast<uint8_t>(type.nullable() ? 0x63 : 0x64)}, HeapType(type)});
  }
  for (const auto& entry : kBytes) {
    if (entry.kind != type.kind()) continue;
    if (type.is_ref() && !type.nullable()) return {0x64, entry.byte};
    return {entry.byte};
  }
  return {0x40};
}

Bytes HostModule(const wasm::Module& module, const Plan& plan) {
  Bridge bridge(module);
  for (size_t i = 0; i < plan.imports.size(); ++i) {
    const FunctionType& type = plan.imports[i].type;
    const uint32_t js = bridge.Type(Integers(type.params, true), Integers(type.results, false));
    bridge.Import("js", absl::StrCat("f", i), Concat({{0}, Unsigned(js)}));
  }
  size_t at = 0, other = 0;
  for (const wasm::Import& import : module.imports) {
    if (import.kind == wasm::ExternKind::kGlobal) {
      bridge.DefineGlobal(module.globals[import.index].type.type, absl::StrCat("o", other++));
    } else if (import.kind == wasm::ExternKind::kTag) {
      bridge.DefineTag(module.tags[import.index].type, absl::StrCat("o", other++));
    } else if (import.kind == wasm::ExternKind::kFunction) {
      const wasm::FuncType& type = module.TypeOf(import.index);
      const FunctionType& letters = plan.imports[at].type;
      const uint32_t base = static_cast<uint32_t>(type.params.size());
      const std::string results = Integers(letters.results, false);
      std::vector<Bytes> locals;
      for (const char letter : results) locals.push_back(testing_support::Encode(letter));
      bridge.Define(module.functions[import.index].type, absl::StrCat("f", at),
                    Concat({Bridge::Locals(locals),
                            Bridge::ToIntegers(letters.params, 0),
                            Code(Opcode::kCall),
                            Unsigned(at),
                            Bridge::Store(results.size(), base),
                            bridge.FromIntegers(type.results, letters.results, base),
                            {0x0b}}));
      ++at;
    }
  }
  return bridge.Build(plan.imports.size());
}

Bytes WrapperModule(const wasm::Module& module, const Plan& plan) {
  Bridge bridge(module);
  for (const Plan::Callee& callee : plan.callees) {
    bridge.Import("m", callee.name,
                  Concat({{0}, Unsigned(module.functions[callee.function].type)}));
  }
  for (size_t i = 0; i < plan.globals.size(); ++i) {
    const wasm::GlobalType& type = module.globals[i].type;
    bridge.Import("m", plan.globals[i].name,
                  Concat({{3}, EncodeType(type.type), {static_cast<uint8_t>(type.mut)}}));
  }
  for (size_t i = 0; i < plan.callees.size(); ++i) {
    const Plan::Callee& callee = plan.callees[i];
    const wasm::FuncType& type = module.TypeOf(callee.function);
    const std::string params = Integers(callee.type.params, false);
    const uint32_t base = static_cast<uint32_t>(params.size());
    bridge.Define(bridge.Type(params, Integers(callee.type.results, true)), callee.name,
                  Concat({Bridge::Locals(EncodeTypes(type.results)),
                          bridge.FromIntegers(type.params, callee.type.params, 0),
                          Code(Opcode::kCall),
                          Unsigned(i),
                          Bridge::Store(type.results.size(), base),
                          Bridge::ToIntegers(callee.type.results, base),
                          {0x0b}}));
  }
  for (size_t i = 0; i < plan.globals.size(); ++i) {
    const std::string letter(1, plan.globals[i].type);
    bridge.Define(bridge.Type("", Integers(letter, true)), plan.globals[i].name,
                  Concat({Bridge::Locals({EncodeType(module.globals[i].type.type.With(true))}),
                          Code(Opcode::kGlobalGet),
                          Unsigned(i),
                          Bridge::Store(1, 0),
                          Bridge::ToIntegers(letter, 0),
                          {0x0b}}));
  }
  return bridge.Build(plan.callees.size());
}

std::string PlanAsJson(const Plan& plan, absl::string_view path) {
  const auto list = [](const auto& items, const auto& text) {
    std::string json = "[";
    for (const auto& item : items) absl::StrAppend(&json, json.size() > 1 ? "," : "", text(item));
    return json + "]";
  };
  const auto types = [](const FunctionType& type) {
    return absl::StrCat(Quoted(type.params), ",", Quoted(type.results));
  };
  return absl::StrCat(
      "{\"path\":", Quoted(path), ",\n\"answers\":{", AnswersAsJson(plan), "},\n\"imports\":",
      list(plan.imports,
           [&](const Plan::Import& i) {
             return absl::StrCat("[", Quoted(i.module), ",", Quoted(i.name), ",", types(i.type),
                                 "]");
           }),
      ",\n\"others\":",
      list(plan.others,
           [&](const Plan::OtherImport& i) {
             return absl::StrCat("[", Quoted(i.module), ",", Quoted(i.name), "]");
           }),
      ",\n\"callees\":",
      list(plan.callees,
           [&](const Plan::Callee& c) {
             return absl::StrCat("[", Quoted(c.name), ",", types(c.type), "]");
           }),
      ",\n\"calls\":", CallsAsJson(plan), ",\n\"globals\":",
      list(plan.globals,
           [&](const Plan::Global& g) {
             return absl::StrCat("[", Quoted(g.name), ",", Quoted(std::string(1, g.type)), "]");
           }),
      ",\n\"memories\":", list(plan.memories, [](const std::string& name) { return Quoted(name); }),
      "}");
}

}  // namespace fermata::differential
