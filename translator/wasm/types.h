// Value types, function types and limits of a module (specification §2.3).
#ifndef FERMATA_TRANSLATOR_WASM_TYPES_H_
#define FERMATA_TRANSLATOR_WASM_TYPES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace fermata::wasm {

// A value type. Reference types carry a nullability and, for typed function references, a type
// index; the abstract heap types of WebAssembly 2.0 are kinds of their own.
class ValType {
 public:
  enum Kind : uint8_t {
    kBottom,
    kI32,
    kI64,
    kF32,
    kF64,
    kV128,
    kFuncRef,
    kExternRef,
    kExnRef,
    kTypedRef
  };

  constexpr ValType() = default;
  constexpr ValType(Kind kind) : kind_(kind) {}  // NOLINT: a kind is a type

  constexpr Kind kind() const { return kind_; }
  constexpr bool nullable() const { return nullable_; }
  constexpr uint32_t type_index() const { return type_index_; }
  constexpr bool is_ref() const { return kind_ >= kFuncRef; }
  constexpr bool is_num() const { return kind_ >= kI32 && kind_ <= kF64; }
  constexpr bool operator==(const ValType& o) const {
    return kind_ == o.kind_ && nullable_ == o.nullable_ && type_index_ == o.type_index_;
  }
  constexpr bool operator!=(const ValType& o) const { return !(*this == o); }

 private:
  Kind kind_ = kBottom;      // kBottom: unknown, in unreachable code only
  bool nullable_ = true;     // references
  uint32_t type_index_ = 0;  // kTypedRef
};

// The type's name in the text format: "i32", "funcref"; "bottom" for kBottom.
const char* Name(ValType type);

struct FuncType {
  std::vector<ValType> params;
  std::vector<ValType> results;
  bool operator==(const FuncType& o) const { return params == o.params && results == o.results; }
};

// "[i32 i64] -> [f32]".
std::string ToString(const FuncType& type);

struct Limits {
  uint64_t min = 0;
  uint64_t max = 0;  // valid if has_max
  bool has_max = false;
  bool is64 = false;
  bool shared = false;
};

struct TableType {
  ValType element;
  Limits limits;
};

struct MemoryType {
  Limits limits;
  uint8_t page_log2 = 16;
};

struct GlobalType {
  ValType type;
  bool mut = false;
};

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_TYPES_H_
