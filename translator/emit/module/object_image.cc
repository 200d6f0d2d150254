#include "translator/emit/module/object_image.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "include/fermata/core/objects.h"
#include "translator/emit/names.h"

namespace fermata::emit {
namespace {

using wasm::ConstExpr;
using wasm::ConstInstr;

constexpr uint64_t kMostArrayBytes = 64u << 10;  // of one; larger ones are made by code
constexpr uint64_t kMostBytes = 16u << 20;

uint64_t RoundUp(uint64_t bytes) {
  return (bytes + core::kObjectAlignment - 1) & ~uint64_t{core::kObjectAlignment - 1};
}

}  // namespace

ObjectImage::ObjectImage(const ModuleContext& context) : context_(context) {
  const wasm::Module& module = context.module;
  if (!module.has_object_types) return;
  for (uint32_t i = module.imported_globals; i < module.globals.size(); ++i) {
    const wasm::Global& global = module.globals[i];
    const std::optional<Known> known = Add(global.init);
    if (known && !global.type.mut) globals_[i] = *known;
  }
  for (const wasm::Table& table : module.tables) Add(table.init);
  for (const wasm::ElementSegment& segment : module.elements) {
    if (segment.mode == wasm::SegmentMode::kDeclarative) continue;
    for (const ConstExpr& expr : segment.exprs) Add(expr);
  }
}

std::optional<uint32_t> ObjectImage::Find(const ConstExpr& expr) const {
  const auto found = objects_.find(&expr);
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

std::optional<ObjectImage::Known> ObjectImage::Add(const ConstExpr& expr) {
  const size_t bytes = bytes_.size(), patches = patches_.size();
  const std::optional<Known> value = Compute(expr);
  if (value && value->kind == Known::kObject) {
    objects_[&expr] = static_cast<uint32_t>(value->bits);
    return value;
  }
  bytes_.resize(bytes);
  patches_.erase(patches_.begin() + static_cast<std::ptrdiff_t>(patches), patches_.end());
  return value;
}

// The value of an expression; nothing if it is known at instantiation only.
std::optional<ObjectImage::Known> ObjectImage::Compute(const ConstExpr& expr) {
  std::vector<Known> stack;
  for (const ConstInstr& instr : expr) {
    if (!Step(instr, stack)) return std::nullopt;
  }
  if (stack.size() != 1) return std::nullopt;
  return stack[0];
}

bool ObjectImage::Step(const ConstInstr& instr, std::vector<Known>& stack) {
  switch (instr.kind) {
    case ConstInstr::kI32Const:
    case ConstInstr::kI64Const:
    case ConstInstr::kF32Const:
    case ConstInstr::kF64Const:
    case ConstInstr::kV128Const:
      stack.push_back({Known::kBits, instr.bits, instr.high});
      return true;
    case ConstInstr::kRefNull:
      stack.push_back({});
      return true;
    case ConstInstr::kRefFunc:
      stack.push_back({Known::kFunction, context_.info_index[instr.index]});
      return true;
    case ConstInstr::kGlobalGet: {
      const wasm::Global& global = context_.module.globals[instr.index];
      const auto known = globals_.find(instr.index);
      if (known != globals_.end()) {
        stack.push_back(known->second);
        return true;
      }
      if (!global.imported || !global.type.type.is_ref()) return false;
      stack.push_back({Known::kImported, instr.index});
      return true;
    }
    case ConstInstr::kStructNew:
    case ConstInstr::kStructNewDefault:
      return MakeStruct(instr, stack);
    case ConstInstr::kArrayNew:
    case ConstInstr::kArrayNewDefault:
    case ConstInstr::kArrayNewFixed:
      return MakeArray(instr, stack);
    case ConstInstr::kRefI31:
      stack.back().bits = (stack.back().bits << 1 | core::kI31Tag) & 0xffffffff;
      return stack.back().kind == Known::kBits;
    case ConstInstr::kAnyConvertExtern:
    case ConstInstr::kExternConvertAny:
      return true;  // the same word
    case ConstInstr::kI32Add:
    case ConstInstr::kI32Sub:
    case ConstInstr::kI32Mul:
    case ConstInstr::kI64Add:
    case ConstInstr::kI64Sub:
    case ConstInstr::kI64Mul:
      return false;
  }
  return false;
}

bool ObjectImage::MakeStruct(const ConstInstr& instr, std::vector<Known>& stack) {
  const wasm::TypeDef& def = context_.module.type_defs[instr.index];
  Known descriptor;
  if (def.has_descriptor()) {
    descriptor = stack.back();
    stack.pop_back();
    if (descriptor.kind != Known::kObject) return false;  // null traps
  }
  if (bytes_.size() + def.bytes > kMostBytes) return false;
  const size_t count = instr.kind == ConstInstr::kStructNewDefault ? 0 : def.fields.size();
  const uint32_t object = Make(instr.index, def.bytes);
  for (size_t i = 0; i < count; ++i) {
    Put(def.fields[i], object + def.fields[i].offset, stack[stack.size() - count + i]);
  }
  if (def.has_descriptor()) {
    patches_.push_back(
        {object + def.descriptor_offset, Patch::kObject, static_cast<uint32_t>(descriptor.bits)});
  }
  stack.resize(stack.size() - count);
  stack.push_back({Known::kObject, object});
  return true;
}

bool ObjectImage::MakeArray(const ConstInstr& instr, std::vector<Known>& stack) {
  const wasm::Field& element = context_.module.type_defs[instr.index].fields[0];
  const bool fixed = instr.kind == ConstInstr::kArrayNewFixed;
  const Known length = fixed ? Known{Known::kBits, instr.bits} : stack.back();
  if (!fixed) stack.pop_back();
  if (length.kind != Known::kBits) return false;
  const uint64_t count = length.bits & 0xffffffff;
  const uint64_t bytes = RoundUp(core::kArrayHeader + (count << element.SizeLog2()));
  if (bytes > kMostArrayBytes || bytes_.size() + bytes > kMostBytes) return false;
  const uint32_t array = Make(instr.index, bytes);
  PutBits(array + core::kArrayLengthAt, count, 4);
  const auto at = [&](uint64_t i) {
    return array + core::kArrayHeader + (i << element.SizeLog2());
  };
  if (fixed) {
    for (uint64_t i = 0; i < count; ++i) {
      Put(element, at(i), stack[stack.size() - count + i]);
    }
    stack.resize(stack.size() - count);
  } else if (instr.kind == ConstInstr::kArrayNew) {
    for (uint64_t i = 0; i < count; ++i) Put(element, at(i), stack.back());
    stack.pop_back();
  }
  stack.push_back({Known::kObject, array});
  return true;
}

uint32_t ObjectImage::Make(uint32_t type, uint64_t bytes) {
  const uint32_t object = static_cast<uint32_t>(bytes_.size());
  bytes_.resize(bytes_.size() + bytes);
  patches_.push_back({object, Patch::kType, context_.module.canonical_types[type]});
  return object;
}

void ObjectImage::PutBits(uint64_t at, uint64_t bits, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) bytes_[at + i] = static_cast<uint8_t>(bits >> 8 * i);
}

void ObjectImage::Put(const wasm::Field& field, uint64_t at, const Known& value) {
  const uint32_t place = static_cast<uint32_t>(at), word = static_cast<uint32_t>(value.bits);
  switch (value.kind) {
    case Known::kBits: {
      const uint32_t size = 1u << field.SizeLog2();
      PutBits(at, value.bits, std::min(size, 8u));
      if (size == 16) PutBits(at + 8, value.high, 8);
      return;
    }
    case Known::kObject:
      return patches_.push_back({place, Patch::kObject, word});
    case Known::kFunction:
      return patches_.push_back({place, Patch::kFunction, word});
    case Known::kImported:
      return patches_.push_back({place, Patch::kImported, word});
  }
}

void ObjectImage::EmitData(Writer& out) const {
  if (empty()) return;
  out.Put("\n// Objects of constant expressions, and what of them is known to an instance only.\n");
  out.Put("const u32 image_words[] = {");
  for (size_t i = 0; i < bytes_.size(); i += 4) {
    uint32_t word = 0;
    for (size_t k = 0; k < 4; ++k) word |= uint32_t{bytes_[i + k]} << 8 * k;
    out.Put(i % 64 == 0 ? "\n" : "", word, word > 0x7fffffff ? "u," : ",");
  }
  out.Put("};\nconst ImagePatch image_patches[] = {\n");
  constexpr const char* kKinds[] = {"kType", "kObject", "kFunction", "kImported"};
  for (const Patch& patch : patches_) {
    const std::string value = patch.kind == Patch::kImported
                                  ? absl::StrCat("offsetof(Self, g", patch.value, ")")
                                  : absl::StrCat(patch.value);
    out.Emit("  {$0 | ImagePatch::$1, $2},\n", patch.at, kKinds[patch.kind], value);
  }
  out.Put("};\n");
}

void ObjectImage::EmitLoad(Writer& out) const {
  if (empty()) return;
  out.Emit(
      "  const ref image = LoadImage(base, heap, self.object_types, image_words, $0, "
      "image_patches, $1);\n",
      bytes_.size() / 4, patches_.size());
}

}  // namespace fermata::emit
