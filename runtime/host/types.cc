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

using core::HeapType;

struct Type {
  Signature signature;
  uint32_t supertype = core::kNoType;
  core::ObjectKind kind = core::ObjectKind::kNone;  // kNone: a function
};

// The types by number. Those whose number is their key are few and looked up under the lock; the
// others are in blocks that never move, each twice as large as the one before, so that readers need
// no lock. A number gets to a reader after its type was written: through the lock, or through
// whatever handed it from one thread to another.
class Types {
 public:
  uint32_t Number(absl::string_view key, absl::Span<const ValType> params,
                  absl::Span<const ValType> results, uint32_t supertype, core::ObjectKind kind) {
    const Type type{
        {{params.begin(), params.end()}, {results.begin(), results.end()}}, supertype, kind};
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
  // What the first module says that has a heap.
  void SetRefs(uint32_t number, std::vector<core::RefType> refs) {
    std::lock_guard<std::mutex> lock(mutex_);
    refs_.try_emplace(number, std::make_unique<const std::vector<core::RefType>>(std::move(refs)));
  }
  const std::vector<core::RefType>& RefsOf(uint32_t number) const {
    static const auto* none = new std::vector<core::RefType>;
    std::lock_guard<std::mutex> lock(mutex_);
    const auto it = refs_.find(number);
    return it == refs_.end() ? *none : *it->second;
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
  absl::flat_hash_map<uint32_t, std::unique_ptr<const std::vector<core::RefType>>> refs_;
  uint32_t count_ = 0;
  std::array<std::unique_ptr<Type[]>, 27> owned_;
  std::array<std::atomic<const Type*>, 27> blocks_{};
};

Types& All() {
  static Types* types = new Types;  // never freed: other threads may outlive the main one
  return *types;
}

HeapType HeapOf(const core::RefType& ref) { return static_cast<HeapType>(ref.heap); }

bool IsFunction(const core::RefType& ref) {
  return IsOfModule(ref) ? All()[ref.type].kind == core::ObjectKind::kNone
                         : core::TopOf(HeapOf(ref)) == ValType::kFuncRef;
}
// Of the hierarchy of any.
bool IsAny(const core::RefType& ref) {
  return IsOfModule(ref) ? All()[ref.type].kind != core::ObjectKind::kNone
                         : core::TopOf(HeapOf(ref)) == ValType::kAnyRef;
}
bool IsOfKind(const core::RefType& ref, core::ObjectKind kind) {
  return IsOfModule(ref) ? All()[ref.type].kind == kind : HeapOf(ref) == HeapType::kNoneRef;
}

bool HeapMatches(const core::RefType& type, const core::RefType& wanted) {
  if (IsOfModule(type) && IsOfModule(wanted)) {
    if (HeapOf(wanted) == HeapType::kConcrete) return IsSubtype(type.type, wanted.type);
    return HeapOf(type) == HeapType::kExact && type.type == wanted.type;
  }
  if (type.heap == wanted.heap) return true;
  switch (HeapOf(wanted)) {
    case HeapType::kConcrete:
    case HeapType::kExact:
      return HeapOf(type) == (IsFunction(wanted) ? HeapType::kNoFuncRef : HeapType::kNoneRef);
    case HeapType::kFuncRef:
      return IsFunction(type);
    case HeapType::kAnyRef:
      return IsAny(type);
    case HeapType::kEqRef:
      return IsAny(type) && HeapOf(type) != HeapType::kAnyRef;
    case HeapType::kI31Ref:
      return HeapOf(type) == HeapType::kNoneRef;
    case HeapType::kStructRef:
      return IsOfKind(type, core::ObjectKind::kStruct);
    case HeapType::kArrayRef:
      return IsOfKind(type, core::ObjectKind::kArray);
    case HeapType::kExternRef:
      return HeapOf(type) == HeapType::kNoExternRef;
    case HeapType::kExnRef:
      return HeapOf(type) == HeapType::kNoExnRef;
    case HeapType::kNoneRef:
    case HeapType::kNoFuncRef:
    case HeapType::kNoExternRef:
    case HeapType::kNoExnRef:
    case HeapType::kI32:
    case HeapType::kI64:
    case HeapType::kF32:
    case HeapType::kF64:
    case HeapType::kV128:
      return false;
  }
  return false;
}

}  // namespace

std::vector<uint32_t> CanonicalTypes(absl::Span<const core::FuncType> types) {
  std::vector<uint32_t> numbers;
  for (const core::FuncType& type : types) {
    // A supertype comes before its subtypes.
    const uint32_t supertype =
        type.supertype < numbers.size() ? numbers[type.supertype] : core::kNoType;
    numbers.push_back(All().Number(type.key, {type.params, type.param_count},
                                   {type.results, type.result_count}, supertype, type.kind));
  }
  return numbers;
}

void NoteSignatureRefs(const ModuleInfo& module, absl::Span<const uint32_t> canonical) {
  for (uint32_t t = 0; t < module.type_count && module.signature_refs != nullptr; ++t) {
    const core::RefType* const refs = module.signature_refs[t];
    if (refs == nullptr) continue;
    const uint32_t count = module.types[t].param_count + module.types[t].result_count;
    std::vector<core::RefType> numbered(refs, refs + count);
    for (core::RefType& ref : numbered) {
      if (IsOfModule(ref) && ref.type < canonical.size()) ref.type = canonical[ref.type];
    }
    All().SetRefs(canonical[t], std::move(numbered));
  }
}

uint32_t CanonicalType(const Signature& signature) {
  std::string key;
  for (ValType t : signature.params) key += core::LetterOf(t);
  key += ':';
  for (ValType t : signature.results) key += core::LetterOf(t);
  return All().Number(key, signature.params, signature.results, core::kNoType,
                      core::ObjectKind::kNone);
}

const std::vector<core::RefType>& RefsOfType(uint32_t type) { return All().RefsOf(type); }

const Signature& SignatureOfType(uint32_t type) { return All()[type].signature; }

bool IsSubtype(uint32_t type, uint32_t wanted) {
  while (type != core::kNoType && type != wanted) type = All()[type].supertype;
  return type != core::kNoType;
}

bool IsSubtype(const core::RefType& type, const core::RefType& wanted) {
  return (wanted.nullable || !type.nullable) && HeapMatches(type, wanted);
}

core::RefType RefOfHostGlobal(ValType type, uint64_t value, bool mut) {
  core::RefType ref = AbstractRef(type);
  if (mut || !core::IsRef(type)) return ref;
  if (value != 0) {
    ref.nullable = false;
    return ref;
  }
  switch (type) {
    case ValType::kFuncRef:
      ref.heap = static_cast<uint8_t>(HeapType::kNoFuncRef);
      break;
    case ValType::kExternRef:
      ref.heap = static_cast<uint8_t>(HeapType::kNoExternRef);
      break;
    case ValType::kExnRef:
      ref.heap = static_cast<uint8_t>(HeapType::kNoExnRef);
      break;
    default:
      ref.heap = static_cast<uint8_t>(HeapType::kNoneRef);
  }
  return ref;
}

bool SameType(const core::RefType& a, const core::RefType& b) {
  return a.heap == b.heap && a.nullable == b.nullable && (!IsOfModule(a) || a.type == b.type);
}

}  // namespace fermata::internal
