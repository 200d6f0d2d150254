#include "runtime/host/types.h"

#include <array>
#include <atomic>
#include <bit>
#include <memory>
#include <mutex>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace fermata::internal {
namespace {

struct Type {
  Signature signature;
  uint32_t supertype = core::kNoType;
  bool is_function = true;
};

// The types by number. Those whose number is their key are few and looked up under the lock; the
// others are in blocks that never move, each twice as large as the one before, so that readers need
// no lock. A number gets to a reader after its type was written: through the lock, or through
// whatever handed it from one thread to another.
class Types {
 public:
  uint32_t Number(absl::string_view key, absl::Span<const ValType> params,
                  absl::Span<const ValType> results, uint32_t supertype, bool is_function) {
    const Type type{
        {{params.begin(), params.end()}, {results.begin(), results.end()}}, supertype, is_function};
    const uint32_t named = core::TypeNumberOf(key.data(), key.size());
    std::lock_guard<std::mutex> lock(mutex_);
    if (named != core::kNoType) {
      std::unique_ptr<const Type>& entry = named_[named];
      if (entry == nullptr) entry = std::make_unique<const Type>(type);
      return named;
    }
    auto [it, fresh] = numbers_.try_emplace(std::string(key), core::kFirstTypeNumber + count_);
    if (fresh) Make(count_++) = type;
    return it->second;
  }
  const Type& operator[](uint32_t number) const {
    if (number < core::kFirstTypeNumber) {
      std::lock_guard<std::mutex> lock(mutex_);
      return *named_.at(number);
    }
    const Place place(number - core::kFirstTypeNumber);
    return blocks_[place.block].load(std::memory_order_acquire)[place.index];
  }

 private:
  static constexpr uint32_t kFirst = 64;  // types in the first block
  struct Place {
    explicit Place(uint32_t index_of_all)
        : block(std::bit_width(index_of_all / kFirst + 1) - 1),
          index(index_of_all - kFirst * ((1u << block) - 1)) {}
    uint32_t block, index;
  };
  Type& Make(uint32_t index) {
    const Place place(index);
    if (place.index == 0) {
      owned_[place.block] = std::make_unique<Type[]>(size_t{kFirst} << place.block);
      blocks_[place.block].store(owned_[place.block].get(), std::memory_order_release);
    }
    return owned_[place.block][place.index];
  }

  mutable std::mutex mutex_;
  absl::flat_hash_map<uint32_t, std::unique_ptr<const Type>> named_;
  absl::flat_hash_map<std::string, uint32_t> numbers_;  // by key
  uint32_t count_ = 0;
  std::array<std::unique_ptr<Type[]>, 27> owned_;
  std::array<std::atomic<const Type*>, 27> blocks_{};
};

Types& All() {
  static Types* types = new Types;  // never freed: other threads may outlive the main one
  return *types;
}

char Letter(ValType type) {
  switch (type) {
    case ValType::kI32:
      return 'i';
    case ValType::kI64:
      return 'I';
    case ValType::kF32:
      return 'f';
    case ValType::kF64:
      return 'F';
    case ValType::kV128:
      return 'V';
    case ValType::kFuncRef:
      return 'r';
    case ValType::kExternRef:
      return 'x';
    case ValType::kExnRef:
      return 'e';
    case ValType::kAnyRef:
      return 'a';
  }
  return '?';
}

// Heap types by binary code (specification §5.3.3).
enum Heap : uint8_t {
  kConcrete = 0,
  kArray = 0x6a,
  kStruct = 0x6b,
  kI31 = 0x6c,
  kEq = 0x6d,
  kAny = 0x6e,
  kFunc = 0x70,
  kNone = 0x71,
  kNoExtern = 0x72,
  kNoFunc = 0x73,
  kNoExn = 0x74,
  kExtern = 0x6f,
  kExn = 0x69,
};

bool IsFunction(const core::RefType& ref) {
  return ref.heap == kConcrete ? All()[ref.type].is_function
                               : ref.heap == kFunc || ref.heap == kNoFunc;
}
// Of the hierarchy of any. Whether a concrete type is a struct or an array is not recorded: nothing
// makes either.
bool IsAny(const core::RefType& ref) {
  return ref.heap == kConcrete ? !All()[ref.type].is_function
                               : (ref.heap >= kArray && ref.heap <= kAny) || ref.heap == kNone;
}

bool HeapMatches(const core::RefType& type, const core::RefType& wanted) {
  if (type.heap == kConcrete && wanted.heap == kConcrete) return IsSubtype(type.type, wanted.type);
  if (type.heap == wanted.heap) return true;
  switch (wanted.heap) {
    case kConcrete:
      return type.heap == (IsFunction(wanted) ? kNoFunc : kNone);
    case kFunc:
      return IsFunction(type);
    case kAny:
      return IsAny(type);
    case kEq:
      return IsAny(type) && type.heap != kAny;
    case kI31:
    case kStruct:
    case kArray:
      return type.heap == kNone;
    case kExtern:
      return type.heap == kNoExtern;
    case kExn:
      return type.heap == kNoExn;
    default:
      return false;
  }
}

}  // namespace

std::vector<uint32_t> CanonicalTypes(absl::Span<const core::FuncType> types) {
  std::vector<uint32_t> numbers;
  for (const core::FuncType& type : types) {
    // A supertype comes before its subtypes.
    const uint32_t supertype =
        type.supertype < numbers.size() ? numbers[type.supertype] : core::kNoType;
    numbers.push_back(All().Number(type.key, {type.params, type.param_count},
                                   {type.results, type.result_count}, supertype,
                                   type.invoke != nullptr));
  }
  return numbers;
}

uint32_t CanonicalType(const Signature& signature) {
  std::string key;
  for (ValType t : signature.params) key += Letter(t);
  key += ':';
  for (ValType t : signature.results) key += Letter(t);
  return All().Number(key, signature.params, signature.results, core::kNoType, true);
}

const Signature& SignatureOfType(uint32_t type) { return All()[type].signature; }

bool IsSubtype(uint32_t type, uint32_t wanted) {
  while (type != core::kNoType && type != wanted) type = All()[type].supertype;
  return type != core::kNoType;
}

bool IsSubtype(const core::RefType& type, const core::RefType& wanted) {
  return (wanted.nullable || !type.nullable) && HeapMatches(type, wanted);
}

bool SameType(const core::RefType& a, const core::RefType& b) {
  return a.heap == b.heap && a.nullable == b.nullable && (a.heap != kConcrete || a.type == b.type);
}

}  // namespace fermata::internal
