// Value types, function types and limits of a module (specification §2.3).
#ifndef FERMATA_TRANSLATOR_WASM_TYPES_H_
#define FERMATA_TRANSLATOR_WASM_TYPES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace fermata::wasm {

// A value type. Reference types carry a nullability and, for references to a type of the module,
// its index, and whether they are exact: to that type and none of its subtypes. The abstract heap
// types are kinds of their own.
class ValType {
 public:
  enum Kind : uint8_t {
    kBottom,
#define FERMATA_VALUE_TYPE(enumerator, ...) enumerator,
#define FERMATA_HEAP_TYPE(enumerator, ...) enumerator,
#include "include/fermata/core/value_types.def"
    kTypedRef
  };

  constexpr ValType() = default;
  constexpr ValType(Kind kind) : kind_(kind) {}  // NOLINT: a kind is a type

  static constexpr ValType Ref(uint32_t type_index, bool nullable, bool exact = false) {
    ValType type(kTypedRef);
    type.type_index_ = type_index;
    type.nullable_ = nullable;
    type.exact_ = exact;
    return type;
  }

  constexpr ValType With(bool nullable) const {
    ValType type = *this;
    type.nullable_ = nullable;
    return type;
  }

  constexpr Kind kind() const { return kind_; }
  constexpr bool nullable() const { return nullable_; }
  constexpr bool exact() const { return exact_; }
  constexpr uint32_t type_index() const { return type_index_; }
  constexpr bool is_ref() const { return kind_ >= kFuncRef; }
  constexpr bool is_num() const { return kind_ >= kI32 && kind_ <= kF64; }
  // Has a default value, for locals and tables.
  constexpr bool is_defaultable() const { return !is_ref() || nullable_; }
  constexpr bool operator==(const ValType& o) const {
    return kind_ == o.kind_ && nullable_ == o.nullable_ && exact_ == o.exact_ &&
           type_index_ == o.type_index_;
  }
  constexpr bool operator!=(const ValType& o) const { return !(*this == o); }

 private:
  Kind kind_ = kBottom;      // kBottom: unknown, in unreachable code only
  bool nullable_ = true;     // references
  bool exact_ = false;       // kTypedRef
  uint32_t type_index_ = 0;  // kTypedRef
};

// The code of a number, vector or abstract reference type in the binary format (specification §5.3);
// 0 for kBottom and kTypedRef.
uint8_t CodeOf(ValType::Kind kind);

// The letter of value_types.def; '\0' for types that are no value types of the ABI.
char LetterOf(ValType::Kind kind);

// The type of values that references of this kind are, the top of their hierarchy; numbers, vectors
// and kBottom are their own. Not for kTypedRef, which RepOf in subtyping.h looks up.
ValType::Kind TopOf(ValType::Kind kind);

// The type's name in the text format: "i32", "funcref"; "bottom" for kBottom.
const char* Name(ValType type);

struct FuncType {
  std::vector<ValType> params;
  std::vector<ValType> results;
  bool operator==(const FuncType& o) const { return params == o.params && results == o.results; }
};

inline constexpr uint32_t kNoSupertype = 0xffffffff;
inline constexpr uint32_t kNoDescriptor = 0xffffffff;

// A defined type, as far as it is not in FuncType.
struct Field {
  ValType type;
  uint8_t packed_bits = 0;  // 8 or 16; 0: of `type`
  bool mut = false;
  uint32_t offset = 0;  // in objects; of an array: of the first element

  // Log2 of its size in objects, in bytes.
  uint32_t SizeLog2() const;
};
struct TypeDef {
  enum Kind : uint8_t { kFunc, kStruct, kArray };
  Kind kind = kFunc;
  bool final = true;
  uint32_t supertype = kNoSupertype;
  uint32_t depth = 0;  // how many supertypes it has, theirs included
  uint32_t group = 0;  // index of the first type of its recursive group
  uint32_t group_size = 1;
  std::vector<Field> fields;  // kStruct; kArray: one
  uint32_t bytes = 0;         // of an object: kStruct; kArray: without the elements
  // Custom descriptors: the type whose objects describe this type's, and the type that this type's
  // objects describe; kNoDescriptor if there is none.
  uint32_t descriptor = kNoDescriptor;
  uint32_t describes = kNoDescriptor;
  // With a descriptor: where objects refer to theirs, and before which field that lies.
  uint32_t descriptor_offset = 0;
  uint32_t descriptor_field = 0;

  bool has_descriptor() const { return descriptor != kNoDescriptor; }
};

// "[i32 i64] -> [f32]".
std::string ToString(const FuncType& type);

struct SizeLimits {
  uint64_t min = 0;
  uint64_t max = 0;  // valid if has_max
  bool has_max = false;
  bool is64 = false;
  bool shared = false;
};

struct TableType {
  ValType element;
  SizeLimits limits;
};

struct MemoryType {
  SizeLimits limits;
  uint8_t page_log2 = 16;
};

// Whether pages behind the memory can take the place of checks. They cover 32 bits of address, and
// end where pages of 64 KiB do.
inline bool IsGuardable(const MemoryType& type) {
  return !type.limits.is64 && type.page_log2 == 16;
}

struct GlobalType {
  ValType type;
  bool mut = false;
};

}  // namespace fermata::wasm

#endif  // FERMATA_TRANSLATOR_WASM_TYPES_H_
