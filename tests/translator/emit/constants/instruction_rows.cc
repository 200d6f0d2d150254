#include "tests/translator/emit/constants/instruction_rows.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace fermata::constants {
namespace {

using testing_support::Bytes;
using testing_support::Code;
using testing_support::Concat;
using testing_support::Encode;
using testing_support::Repeat;
using testing_support::Signed;
using testing_support::Unsigned;
using testing_support::WasmBuilder;
using wasm::Immediate;
using wasm::Opcode;

constexpr int kAccessed = 32;  // the address of the bytes that loads and stores are about

struct Instruction {
  Opcode opcode;
  absl::string_view name;
  Immediate immediate;
  absl::string_view signature;
};
constexpr Instruction kInstructions[] = {
#define FERMATA_OPCODE(enumerator, name, code, feature, immediate, signature) \
  {Opcode::enumerator, name, Immediate::immediate, signature},
#include "translator/wasm/opcodes.def"
};

class RowMaker {
 public:
  std::vector<Row> Take() {
    for (const Instruction& i : kInstructions) Add(i);
    for (Row& row : rows_) {
      row.cases = OperandsOf(row.name, row.params);
      row.constants.resize(row.params.size());
      if (row.kind != Row::kNumeric || row.params.size() < 2) continue;
      for (size_t k = 0; k < row.params.size(); ++k) row.constants[k] = Distinct(row.cases, k);
    }
    return std::move(rows_);
  }

 private:
  static uint8_t Steps(const Instruction& i, Immediate from) {
    return static_cast<uint8_t>(static_cast<int>(i.immediate) - static_cast<int>(from));
  }

  // All kinds of immediates, so that a new one is not passed over: the compiler warns.
  void Add(const Instruction& i) {
    switch (i.immediate) {
      case Immediate::kNone:  // of control, or of references, if it has no fixed signature
        if (!i.signature.empty()) AddNumeric(i, "", {});
        return;
      case Immediate::kI32:
      case Immediate::kI64:
      case Immediate::kF32:
      case Immediate::kF64:
      case Immediate::kV128:
        return AddRow({Row::kConstant,
                       i.opcode,
                       std::string(i.name),
                       std::string(i.signature.substr(1)),
                       std::string(i.signature.substr(1)),
                       {},
                       {},
                       {}});
      case Immediate::kLane2:
      case Immediate::kLane4:
      case Immediate::kLane8:
      case Immediate::kLane16:
        return AddLanes(i, 2 << Steps(i, Immediate::kLane2));
      case Immediate::kShuffle:
        return AddShuffles(i);
      case Immediate::kMemArg8:
      case Immediate::kMemArg16:
      case Immediate::kMemArg32:
      case Immediate::kMemArg64:
      case Immediate::kMemArg128:
        return AddAccess(i, "", {0, 0}, /*writes=*/absl::EndsWith(i.signature, ":"));
      case Immediate::kMemLane8:
      case Immediate::kMemLane16:
      case Immediate::kMemLane32:
      case Immediate::kMemLane64:
        return AddLaneAccess(i, 16 >> Steps(i, Immediate::kMemLane8));
      case Immediate::kAtomic8:
      case Immediate::kAtomic16:
      case Immediate::kAtomic32:
      case Immediate::kAtomic64:
        return AddAtomic(i, Steps(i, Immediate::kAtomic8));
      // Nothing that is computed: control, variables, tables, references, bulk operations.
      case Immediate::kBlock:
      case Immediate::kLabel:
      case Immediate::kBrTable:
      case Immediate::kFunction:
      case Immediate::kCallIndirect:
      case Immediate::kSelectTypes:
      case Immediate::kLocal:
      case Immediate::kGlobal:
      case Immediate::kTable:
      case Immediate::kMemory:
      case Immediate::kHeapType:
      case Immediate::kDataMemory:
      case Immediate::kData:
      case Immediate::kMemoryMemory:
      case Immediate::kElementTable:
      case Immediate::kElement:
      case Immediate::kTableTable:
      case Immediate::kType:
      case Immediate::kTag:
      case Immediate::kTryTable:
      case Immediate::kFence:
      case Immediate::kStruct:
      case Immediate::kStructField:
      case Immediate::kArray:
      case Immediate::kArrayCount:
      case Immediate::kArrayData:
      case Immediate::kArrayElement:
      case Immediate::kArrayArray:
      case Immediate::kCastType:
      case Immediate::kCastBranch:
        return;
    }
  }

  void AddRow(Row row) { rows_.push_back(std::move(row)); }

  static std::pair<std::string, std::string> Split(absl::string_view signature) {
    const size_t colon = signature.find(':');
    return {std::string(signature.substr(0, colon)), std::string(signature.substr(colon + 1))};
  }

  void AddNumeric(const Instruction& i, const std::string& suffix, Bytes immediates) {
    auto [params, results] = Split(i.signature);
    AddRow({Row::kNumeric,
            i.opcode,
            absl::StrCat(i.name, suffix),
            params,
            results,
            std::move(immediates),
            {},
            {}});
  }
  void AddLanes(const Instruction& i, uint8_t lanes) {
    for (uint8_t lane : {uint8_t{0}, static_cast<uint8_t>(lanes - 1)}) {
      AddNumeric(i, absl::StrCat(" ", lane), {lane});
    }
  }
  // Shuffles of lanes of 8, 4, 2 and 1 bytes, and ones that only bytes do: an interleaving, a
  // shift of both operands together, a reversal, and one without order.
  void AddShuffles(const Instruction& i) {
    const Bytes orders[] = {{8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23},
                            {4, 5, 6, 7, 16, 17, 18, 19, 0, 1, 2, 3, 28, 29, 30, 31},
                            {2, 3, 0, 1, 16, 17, 30, 31, 6, 7, 8, 9, 20, 21, 10, 11},
                            {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23},
                            {5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20},
                            {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
                            {31, 3, 17, 9, 22, 22, 0, 13, 1, 30, 7, 26, 11, 4, 19, 2}};
    for (size_t k = 0; k < std::size(orders); ++k) {
      AddNumeric(i, absl::StrCat(" pattern ", k), orders[k]);
    }
  }

  // The address becomes the bytes that are there.
  void AddAccess(const Instruction& i, const std::string& suffix, Bytes immediates, bool writes) {
    auto [params, results] = Split(i.signature);
    params[0] = 'V';
    if (writes) results += 'V';
    AddRow({writes ? Row::kWrite : Row::kLoad,
            i.opcode,
            absl::StrCat(i.name, suffix),
            params,
            results,
            std::move(immediates),
            {},
            {}});
  }
  void AddLaneAccess(const Instruction& i, uint8_t lanes) {
    for (uint8_t lane : {uint8_t{0}, static_cast<uint8_t>(lanes - 1)}) {
      AddAccess(i, absl::StrCat(" ", lane), {0, 0, lane}, absl::EndsWith(i.signature, ":"));
    }
  }
  // What waits and wakes needs other threads to do anything.
  void AddAtomic(const Instruction& i, uint8_t alignment) {
    if (absl::StartsWith(i.name, "memory.")) return;
    AddAccess(i, "", {alignment, 0}, !absl::StrContains(i.name, ".load"));
  }

  // The values of an operand; of vectors, some from all over the list.
  static std::vector<Value> Distinct(const std::vector<Operands>& cases, size_t operand) {
    std::set<std::pair<uint64_t, uint64_t>> seen;
    std::vector<Value> values;
    for (const Operands& operands : cases) {
      const Value& v = operands[operand];
      if (seen.insert({v.low, v.high}).second) values.push_back(v);
    }
    const size_t most = values[0].type == ValType::kV128 ? 6 : 14;
    if (values.size() <= most) return values;
    std::vector<Value> some;
    for (size_t i = 0; i < most; ++i) some.push_back(values[i * (values.size() - 1) / (most - 1)]);
    return some;
  }

  std::vector<Row> rows_;
};

Bytes Little(uint64_t word, int size) {
  Bytes bytes;
  for (int i = 0; i < size; ++i) bytes.push_back(static_cast<uint8_t>(word >> 8 * i));
  return bytes;
}

Bytes Constant(const Value& v) {
  switch (v.type) {
    case ValType::kI32:
      return Concat({Encode(Opcode::kI32Const), Signed(static_cast<int32_t>(v.i32()))});
    case ValType::kI64:
      return Concat({Encode(Opcode::kI64Const), Signed(static_cast<int64_t>(v.i64()))});
    case ValType::kF32:
      return Concat({Encode(Opcode::kF32Const), Little(v.low, 4)});
    case ValType::kF64:
      return Concat({Encode(Opcode::kF64Const), Little(v.low, 8)});
    default:
      return Concat({Encode(Opcode::kV128Const), Little(v.low, 8), Little(v.high, 8)});
  }
}

Bytes Local(Opcode op, size_t index) { return Concat({Encode(op), Unsigned(index)}); }

Bytes Store(char letter, uint32_t address) {
  const Opcode op = letter == 'i'   ? Opcode::kI32Store
                    : letter == 'I' ? Opcode::kI64Store
                    : letter == 'f' ? Opcode::kF32Store
                    : letter == 'F' ? Opcode::kF64Store
                                    : Opcode::kV128Store;
  return Concat({Encode(op), {0}, Unsigned(address)});
}

// The instruction, given the code of each operand.
Bytes Compute(const Row& row, const std::vector<Bytes>& operands) {
  if (row.kind == Row::kConstant) return operands[0];
  std::vector<Bytes> code;
  size_t first = 0;
  if (row.kind != Row::kNumeric) {
    code = {Code(Opcode::kI32Const, 0), operands[0], Store('V', kAccessed),
            Code(Opcode::kI32Const, kAccessed)};
    first = 1;
  }
  code.insert(code.end(), operands.begin() + first, operands.end());
  code.push_back(Encode(row.opcode));
  code.push_back(row.immediates);
  if (row.kind == Row::kWrite) {
    code.push_back(Code(Opcode::kI32Const, kAccessed, Opcode::kV128Load, 0, 0));
  }
  return Concat(code);
}

class ModuleMaker {
 public:
  Bytes Take() {
    module_.Memory(1);
    module_.Export("memory", 2, 0);
    for (size_t r = 0; r < Rows().size(); ++r) AddFunctions(Rows()[r], r);
    return module_.Build();
  }

 private:
  void AddFunctions(const Row& row, size_t r) {
    std::vector<Bytes> hidden;
    for (size_t k = 0; k < row.params.size(); ++k) {
      hidden.push_back(Local(Opcode::kLocalGet, k));
    }
    Add(absl::StrCat("h", r), row.params, row.results, "", Compute(row, hidden));
    std::vector<std::vector<Bytes>> constants;
    for (const Operands& operands : row.cases) {
      constants.emplace_back();
      for (const Value& v : operands) constants.back().push_back(Constant(v));
    }
    AddChunks(absl::StrCat("c", r, "_"), row, "", constants);
    for (size_t j = 0; j < row.params.size(); ++j) {
      std::vector<std::vector<Bytes>> mixed;
      for (const Value& v : row.constants[j]) {
        mixed.push_back(hidden);
        mixed.back()[j] = Constant(v);
      }
      AddChunks(absl::StrCat("m", r, "_", j, "_"), row, row.params, mixed);
    }
  }

  // Functions that store the results of a list of operands.
  void AddChunks(const std::string& name, const Row& row, const std::string& params,
                 const std::vector<std::vector<Bytes>>& list) {
    for (size_t begin = 0; begin < list.size(); begin += row.chunk()) {
      std::vector<Bytes> code;
      const size_t end = std::min(list.size(), begin + row.chunk());
      uint32_t address = kResults;
      for (size_t i = begin; i < end; ++i) {
        code.push_back(Compute(row, list[i]));
        for (size_t k = row.results.size(); k-- > 0;) {
          code.push_back(Local(Opcode::kLocalSet, params.size() + k));
        }
        for (size_t k = 0; k < row.results.size(); ++k, address += 16) {
          code.push_back(Code(Opcode::kI32Const, 0));
          code.push_back(Local(Opcode::kLocalGet, params.size() + k));
          code.push_back(Store(row.results[k], address));
        }
      }
      Add(absl::StrCat(name, begin / row.chunk()), params, "", row.results, Concat(code));
    }
  }

  void Add(const std::string& name, const std::string& params, const std::string& results,
           const std::string& locals, const Bytes& code) {
    auto [type, fresh] = types_.try_emplace(params + ":" + results);
    if (fresh) type->second = module_.Type(params, results);
    module_.Export(name, 0, module_.Function(type->second, locals, code));
  }

  WasmBuilder module_;
  std::map<std::string, uint32_t> types_;
};

bool IsArithmetic(const std::string& name) {
  static const std::set<std::string> words = {"add",          "sub",
                                              "mul",          "div",
                                              "min",          "max",
                                              "sqrt",         "ceil",
                                              "floor",        "trunc",
                                              "nearest",      "demote_f64",
                                              "promote_f32",  "demote_f64x2_zero",
                                              "relaxed_madd", "promote_low_f32x4",
                                              "relaxed_min",  "relaxed_max",
                                              "relaxed_nmadd"};
  return words.count(name.substr(name.find('.') + 1)) != 0;
}

}  // namespace

int Row::result_lane() const {
  if (!IsArithmetic(name)) return 0;
  return absl::StartsWith(name, "f32") ? 4 : absl::StartsWith(name, "f64") ? 8 : 0;
}

int Row::operand_lane() const {
  const int result = result_lane();
  return absl::StrContains(name, ".demote_")    ? 8
         : absl::StrContains(name, ".promote_") ? 4
                                                : result;
}

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = RowMaker().Take();
  return rows;
}

Bytes BuildModule() { return ModuleMaker().Take(); }

}  // namespace fermata::constants
