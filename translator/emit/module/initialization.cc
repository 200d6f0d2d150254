#include "translator/emit/module/initialization.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "translator/emit/freestanding.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/function/objects.h"
#include "translator/emit/memory_view.h"
#include "translator/emit/module/freestanding_source.h"
#include "translator/emit/module/object_image.h"
#include "translator/emit/names.h"
#include "translator/emit/writer.h"

namespace fermata::emit {
namespace {

using wasm::ConstExpr;
using wasm::ConstInstr;
using wasm::SegmentMode;

class InitializationEmitter {
 public:
  InitializationEmitter(const ModuleContext& context, Writer& out)
      : context_(context), module_(context.module), image_(context), out_(out) {}

  void Run(const SiteTable& sites) {
    EmitElementLists();
    EmitDataList();
    image_.EmitData(out_);
    out_.Put("\nvoid initialize(Instance* base) {\n  SELF;\n");
    if (context_.graph.uses_heap) out_.Put("  u8* const heap = self.heap;\n  (void)heap;\n");
    image_.EmitLoad(out_);
    if (context_.options.freestanding) EmitFreestandingSetUp(context_, sites, out_);
    for (uint32_t i = module_.imported_globals; i < module_.globals.size(); ++i) {
      out_.Emit("  self.g$0 = $1;\n", i, Text(module_.globals[i].init));
    }
    for (uint32_t i = 0; i < module_.tables.size(); ++i) {
      if (module_.tables[i].init.empty() || IsConstantTable(context_, i)) continue;
      out_.Emit("  table_fill(base, self.table$0, 0, $1, self.table$0->size);\n", i,
                Text(module_.tables[i].init));
    }
    for (uint32_t i = 0; i < module_.elements.size(); ++i) EmitElements(i);
    EmitDataSegments();
    out_.Put("}\n");
  }

 private:
  // The C++ of a constant expression: a small stack program. Objects that it makes are statements,
  // which are printed first.
  std::string Text(const ConstExpr& expr) {
    if (const std::optional<uint32_t> made = image_.Find(expr)) {
      return absl::StrCat("image + ", *made, "u");
    }
    std::vector<std::string> stack;
    const auto binary = [&](const char* symbol) {
      std::string b = std::move(stack.back());
      stack.pop_back();
      stack.back() = absl::StrCat("(", stack.back(), symbol, b, ")");
    };
    for (const ConstInstr& i : expr) {
      switch (i.kind) {
        case ConstInstr::kI32Const:
          stack.push_back(Literal(ir::Kind::kI32, i.bits));
          break;
        case ConstInstr::kI64Const:
          stack.push_back(Literal(ir::Kind::kI64, i.bits));
          break;
        case ConstInstr::kF32Const:
          stack.push_back(Literal(ir::Kind::kF32, i.bits));
          break;
        case ConstInstr::kF64Const:
          stack.push_back(Literal(ir::Kind::kF64, i.bits));
          break;
        case ConstInstr::kV128Const:
          stack.push_back(Literal(ir::Kind::kV128, i.bits, i.high));
          break;
        case ConstInstr::kGlobalGet:
          stack.push_back(
              absl::StrCat(module_.globals[i.index].imported ? "*self.g" : "self.g", i.index));
          break;
        case ConstInstr::kRefFunc:
          stack.push_back(
              absl::StrCat("ref(self.function_base + ", context_.info_index[i.index], "u)"));
          break;
        case ConstInstr::kStructNew:
        case ConstInstr::kStructNewDefault:
        case ConstInstr::kArrayNew:
        case ConstInstr::kArrayNewDefault:
        case ConstInstr::kArrayNewFixed:
          MakeObject(i, stack);
          break;
        case ConstInstr::kRefI31:
          stack.back() = absl::StrCat("ref_i31(", stack.back(), ")");
          break;
        case ConstInstr::kAnyConvertExtern:
        case ConstInstr::kExternConvertAny:
          break;  // the same word
        case ConstInstr::kI32Add:
        case ConstInstr::kI64Add:
          binary(" + ");
          break;
        case ConstInstr::kI32Sub:
        case ConstInstr::kI64Sub:
          binary(" - ");
          break;
        case ConstInstr::kI32Mul:
        case ConstInstr::kI64Mul:
          binary(" * ");
          break;
        case ConstInstr::kRefNull:
          stack.push_back("ref(0)");
          break;
      }
    }
    return stack.empty() ? "0" : stack.back();
  }

  // Replaces the operands of an instruction that makes an object by the name of the object.
  void MakeObject(const ConstInstr& i, std::vector<std::string>& stack) {
    const wasm::TypeDef& def = module_.type_defs[i.index];
    const std::string type = TypeNumberOf(module_.canonical_types[i.index]);
    const std::string object = absl::StrCat("o", objects_++);
    const auto take = [&](size_t n) {
      std::vector<std::string> values(stack.end() - n, stack.end());
      stack.resize(stack.size() - n);
      return values;
    };
    const auto put = [&](const wasm::Field& field, uint64_t at, const std::string& value) {
      out_.Emit("  object_put$0(heap, $1, $2, $3);\n", PutSuffix(field), object, at, value);
    };
    if (def.kind == wasm::TypeDef::kStruct) {
      const bool defaults = i.kind == ConstInstr::kStructNewDefault;
      std::string descriptor;
      if (def.has_descriptor()) {
        descriptor = absl::StrCat(object, "_descriptor");
        out_.Emit("  const ref $0 = non_null(base, $1);\n", descriptor, take(1)[0]);
      }
      const std::vector<std::string> values = take(defaults ? 0 : def.fields.size());
      out_.Emit("  make_room(base, heap, $0);\n  const ref $1 = new_object$2(heap, $0, $3);\n",
                def.bytes, object, defaults && !def.fields.empty() ? "_of_zeros" : "", type);
      for (size_t f = 0; f < values.size(); ++f)
        put(def.fields[f], def.fields[f].offset, values[f]);
      if (def.has_descriptor()) {
        out_.Emit("  object_put32(heap, $0, $1, $2);\n", object, def.descriptor_offset, descriptor);
      }
    } else {
      const wasm::Field& element = def.fields[0];
      const bool fixed = i.kind == ConstInstr::kArrayNewFixed;
      const bool defaults = i.kind == ConstInstr::kArrayNewDefault;
      const std::vector<std::string> values = take(fixed ? i.bits : defaults ? 1 : 2);
      const std::string length = fixed ? absl::StrCat(i.bits, "u") : values.back();
      out_.Emit("  make_room(base, heap, array_bytes($0, $1));\n  const ref $2 = ", length,
                element.SizeLog2(), object);
      if (fixed || defaults) {
        out_.Emit("new_array$0(heap, $1, $2, $3);\n", defaults ? "_of_zeros" : "",
                  element.SizeLog2(), type, length);
      } else {
        out_.Emit("new_array$0(heap, $1, $2, $3);\n", PutSuffix(element), type, values[0], length);
      }
      for (size_t k = 0; fixed && k < values.size(); ++k) {
        put(element, element.offset + (uint64_t{k} << element.SizeLog2()), values[k]);
      }
    }
    stack.push_back(object);
  }

  // The segment as indices into ModuleInfo::functions, ~0u for null; false if an element is known
  // at instantiation only.
  bool Constant(const wasm::ElementSegment& segment, std::vector<uint32_t>& indices) const {
    for (uint32_t f : segment.functions) indices.push_back(context_.info_index[f]);
    for (const ConstExpr& expr : segment.exprs) {
      if (expr.size() != 1 ||
          (expr[0].kind != ConstInstr::kRefFunc && expr[0].kind != ConstInstr::kRefNull)) {
        return false;
      }
      indices.push_back(expr[0].kind == ConstInstr::kRefFunc ? context_.info_index[expr[0].index]
                                                             : ~0u);
    }
    return true;
  }

  void EmitElementLists() {
    for (uint32_t i = 0; i < module_.elements.size(); ++i) {
      std::vector<uint32_t> indices;
      if (module_.elements[i].mode == SegmentMode::kDeclarative || IsInTable(i) ||
          !Constant(module_.elements[i], indices)) {
        continue;
      }
      out_.Emit("\nconst u32 elements_$0[] = {", i);
      for (size_t k = 0; k < indices.size(); ++k) {
        out_.Put(k % 16 == 0 ? "\n" : "", indices[k], indices[k] == ~0u ? "u," : ",");
      }
      out_.Put(" 0};\n");
    }
  }

  // The segment has become part of a constant table.
  bool IsInTable(uint32_t segment) const {
    const wasm::ElementSegment& s = module_.elements[segment];
    return s.mode == SegmentMode::kActive && IsConstantTable(context_, s.table);
  }

  void EmitElements(uint32_t i) {
    const wasm::ElementSegment& segment = module_.elements[i];
    if (segment.mode == SegmentMode::kDeclarative || IsInTable(i)) return;
    if (segment.mode == SegmentMode::kPassive && !context_.graph.named_elements[i]) return;
    const uint32_t n = segment.size();
    std::vector<uint32_t> indices;
    const bool constant = Constant(segment, indices);
    std::string value = absl::StrCat("element(base, elements_", i, "[i])");
    out_.Put("  {\n");
    if (!constant) {
      std::vector<std::string> values;
      for (const ConstExpr& expr : segment.exprs) values.push_back(Text(expr));
      out_.Put("    const ref values[] = {");
      for (const std::string& text : values) out_.Put(text, ", ");
      out_.Put("0};\n");
      value = "values[i]";
    }
    if (segment.mode == SegmentMode::kPassive) {
      out_.Emit(
          "    for (u32 i = 0; i < $0u; ++i) self.elem$1[i] = $2;\n    self.elem_size$1 = $0u;\n",
          n, i, value);
    } else {
      out_.Emit(R"(    const u64 at = $0;
    if ($1u > self.table$2->size || at > self.table$2->size - $1u) {
      RaiseTrap(base, Trap::kTableOutOfBounds);
    }
    for (u32 i = 0; i < $1u; ++i) table_set(base, self.table$2, at + i, $3);
)",
                Text(segment.offset), n, segment.table, value);
    }
    out_.Put("  }\n");
  }

  // An active segment whose place is known: there may be a hundred thousand of them, so they are
  // data, not code.
  bool Listed(const wasm::DataSegment& segment) const {
    return segment.mode == SegmentMode::kActive && segment.offset.size() == 1 &&
           (segment.offset[0].kind == ConstInstr::kI32Const ||
            segment.offset[0].kind == ConstInstr::kI64Const);
  }

  void EmitDataList() {
    bool any = false;
    uint64_t start = 0;
    for (const wasm::DataSegment& segment : module_.datas) {
      if (Listed(segment)) {
        if (!any) {
          out_.Emit("\nconst $0Segment segments[] = {\n",
                    context_.options.freestanding ? "Fixed" : "Data");
        }
        any = true;
        out_.Emit("{$0u,$1,$2},\n", segment.offset[0].bits, start, segment.bytes.size());
      }
      start += segment.bytes.size();
    }
    if (any) out_.Put("};\n");
  }

  // In the order of the segments: those before one that does not fit are copied.
  void EmitDataSegments() {
    uint64_t start = 0;
    uint32_t listed = 0;
    for (size_t i = 0; i < module_.datas.size();) {
      const wasm::DataSegment& segment = module_.datas[i];
      uint32_t count = 0;
      for (; i + count < module_.datas.size(); ++count) {
        const wasm::DataSegment& next = module_.datas[i + count];
        if (!Listed(next) || next.memory != segment.memory) break;
        start += next.bytes.size();
      }
      if (count != 0) {
        out_.Emit(context_.options.freestanding
                      ? "  memory_put_segments(self.memory$0.base, data, segments + $1, $2);\n"
                      : "  memory_init_segments(base, self.memory$0.memory, data, segments + $1, "
                        "$2);\n",
                  segment.memory, listed, count);
        listed += count;
        i += count;
        continue;
      }
      if (segment.mode == SegmentMode::kActive) {
        EmitData(segment, start);
      } else if (context_.graph.named_datas[i]) {
        out_.Emit("  self.data_size$0 = $1u;\n", i, segment.bytes.size());
      }
      start += segment.bytes.size();
      ++i;
    }
  }

  // One whose place is known at instantiation only.
  void EmitData(const wasm::DataSegment& segment, uint64_t start) {
    const std::string where =
        context_.options.freestanding
            ? absl::StrCat("  memory_copy_in(",
                           FixedViewType(context_.options, module_.memories[segment.memory].type),
                           "(base, self.memory", segment.memory, ")")
            : absl::StrCat("  memory_init(base, self.memory", segment.memory, ".memory");
    out_.Emit("$0, data + $1u, $2u, $3, 0, $2u);\n", where, start, segment.bytes.size(),
              Text(segment.offset));
  }

  const ModuleContext& context_;
  const wasm::Module& module_;
  const ObjectImage image_;
  Writer& out_;
  uint32_t objects_ = 0;  // made by the constant expressions up to now
};

}  // namespace

void EmitInitialization(const ModuleContext& context, const SiteTable& sites, Writer& out) {
  InitializationEmitter(context, out).Run(sites);
}

}  // namespace fermata::emit
