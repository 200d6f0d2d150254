// Functions that are cut into pieces because no C++ compiler could compile them whole: random
// programs of loops, switches, calls and try regions, run by an interpreter here and as wasm.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/code_fixture.h"
#include "tests/support/files.h"
#include "tests/support/wasm_builder.h"

namespace fermata {
namespace {

using testing_support::Bytes;
using testing_support::Code;
using testing_support::Signed;
using testing_support::WasmBuilder;
using I = wasm::Opcode;

constexpr int kNumbers = 8;  // variables x, of 32 bits
constexpr int kWide = 4;     // variables y, of 64 bits
constexpr int kDeepestLoop = 3;
constexpr int kLargest = 4000;  // nodes in a statement: several pieces

struct Node {
  enum Kind {
    kMix,     // x[a] = x[b] * constant ^ x[c]
    kWiden,   // y[a] = y[b] * constant + x[c]
    kMemory,  // memory[x[b]] = x[c]; x[a] = memory[x[c]]
    kCall,    // x[a] = op(x[b])
    kPair,    // x[a], y[b] = op(x[c]), x[c] * 3
    kRisky,   // x[a] = op(x[b]); throws it if x[b] & 15 was 3
    kIf,      // arms[0] if x[a] is odd, else arms[1]
    kSwitch,  // arms[x[a] & 3]
    kLoop,    // twice: arms[0]; break if (x[a] & 7) == 5; arms[1]
    kTry,     // arms[0]; what it throws is added to x[a]
  };
  Kind kind;
  int a, b, c;
  int32_t constant;
  int depth;  // loops around it
  std::vector<std::vector<Node>> arms;
};
using Nodes = std::vector<Node>;

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  // About `count` nodes.
  Nodes Make(int count, int loops, bool in_try) {
    Nodes nodes;
    while (count > 0) {
      const int inner = count < 8 ? 0 : Below(std::min(count, kLargest));
      nodes.push_back(inner < 4 || Below(3) != 0 ? Simple(in_try) : Compound(inner, loops, in_try));
      nodes.back().depth = loops;
      count -= nodes.back().kind >= Node::kIf ? inner : 1;
    }
    return nodes;
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % n); }
  Node Simple(bool in_try) {
    const auto kind = static_cast<Node::Kind>(Below(in_try ? 6 : 5));
    const bool wide = kind == Node::kWiden;
    return {kind,
            Below(wide ? kWide : kNumbers),
            Below(wide || kind == Node::kPair ? kWide : kNumbers),
            Below(kNumbers),
            static_cast<int32_t>(random_()),
            0,
            {}};
  }
  Node Compound(int count, int loops, bool in_try) {
    Node node{static_cast<Node::Kind>(Node::kIf + Below(loops < kDeepestLoop ? 4 : 2)),
              Below(kNumbers),
              0,
              0,
              0,
              0,
              {}};
    const bool loop = node.kind == Node::kLoop;
    const int arms = node.kind == Node::kSwitch ? 4 : node.kind == Node::kTry ? 1 : 2;
    for (int i = 0; i < arms; ++i) {
      node.arms.push_back(Make(count / arms, loops + loop, in_try || node.kind == Node::kTry));
    }
    return node;
  }

  std::mt19937 random_;
};

class Interpreter {
 public:
  // The memory keeps what it holds, as the instance's does.
  Interpreter(uint32_t seed, std::map<uint32_t, uint32_t>& memory) : memory_(memory) {
    for (int i = 0; i < kNumbers; ++i) x_[i] = seed + static_cast<uint32_t>(i);
  }

  // False if an exception is in flight.
  bool Run(const Nodes& nodes) {
    for (const Node& n : nodes) {
      if (!Run(n)) return false;
    }
    return true;
  }

  uint32_t number() const {
    uint32_t sum = 0;
    for (uint32_t x : x_) sum = sum * 31 + x;
    return sum;
  }
  uint64_t wide() const {
    uint64_t sum = 0;
    for (uint64_t y : y_) sum = sum * 31 + y;
    return sum;
  }
  int calls() const { return calls_; }

 private:
  uint32_t CallOp(uint32_t v) {
    ++calls_;
    return Op(Value::I32(v)).i32();
  }
  bool Run(const Node& n) {
    const auto constant = static_cast<uint32_t>(n.constant);
    switch (n.kind) {
      case Node::kMix:
        x_[n.a] = (x_[n.b] * constant) ^ x_[n.c];
        return true;
      case Node::kWiden:
        y_[n.a] = y_[n.b] * static_cast<uint64_t>(int64_t{n.constant}) + x_[n.c];
        return true;
      case Node::kMemory:
        memory_[x_[n.b] & 0xff] = x_[n.c];
        x_[n.a] = memory_[x_[n.c] & 0xff];
        return true;
      case Node::kCall:
        x_[n.a] = CallOp(x_[n.b]);
        return true;
      case Node::kPair: {
        const uint32_t v = x_[n.c];
        x_[n.a] = CallOp(v);
        y_[n.b] = uint64_t{v} * 3;
        return true;
      }
      case Node::kRisky: {
        const bool throws = (x_[n.b] & 15) == 3;
        const uint32_t v = CallOp(x_[n.b]);
        (throws ? thrown_ : x_[n.a]) = v;
        return !throws;
      }
      case Node::kIf:
        return Run(n.arms[(x_[n.a] & 1) != 0 ? 0 : 1]);
      case Node::kSwitch:
        return Run(n.arms[x_[n.a] & 3]);
      case Node::kLoop:
        for (int round = 0; round < 2; ++round) {
          if (!Run(n.arms[0])) return false;
          if ((x_[n.a] & 7) == 5) break;
          if (!Run(n.arms[1])) return false;
        }
        return true;
      case Node::kTry:
        if (!Run(n.arms[0])) x_[n.a] += thrown_;
        return true;
    }
    return true;
  }

  std::array<uint32_t, kNumbers> x_;
  std::array<uint64_t, kWide> y_{};
  std::map<uint32_t, uint32_t>& memory_;
  uint32_t thrown_ = 0;
  int calls_ = 0;
};

// The same as wasm. Functions: 0 op, 1 pair, 2 risky, 3 the program.
class Assembler {
 public:
  Bytes Module(const Nodes& nodes) {
    WasmBuilder b;
    const uint32_t unary = b.Type("i", "i");
    const uint32_t pair = b.Type("i", "iI");
    const uint32_t tag = b.Type("i", "");
    b.ImportFunction(unary);
    b.Tag(tag);
    b.Memory(1);
    b.Function(pair, "",
               Code(I::kLocalGet, 0, I::kCall, 0, I::kLocalGet, 0, I::kI64ExtendI32U, I::kI64Const,
                    3, I::kI64Mul));
    b.Function(unary, "i",
               Code(I::kLocalGet, 0, I::kCall, 0, I::kLocalSet, 1, I::kLocalGet, 0, I::kI32Const,
                    15, I::kI32And, I::kI32Const, 3, I::kI32Eq, I::kIf, '_', I::kLocalGet, 1,
                    I::kThrow, 0, I::kEnd, I::kLocalGet, 1));
    for (int i = 0; i < kNumbers; ++i) {
      Put(I::kLocalGet, 0, I::kI32Const, i, I::kI32Add, I::kLocalSet, X(i));
    }
    Emit(nodes);
    Put(I::kI32Const, 0);
    for (int i = 0; i < kNumbers; ++i) {
      Put(I::kI32Const, 31, I::kI32Mul, I::kLocalGet, X(i), I::kI32Add);
    }
    Put(I::kI64Const, 0);
    for (int i = 0; i < kWide; ++i) {
      Put(I::kI64Const, 31, I::kI64Mul, I::kLocalGet, Y(i), I::kI64Add);
    }
    b.Function(pair, "iiiiiiiiIIIIiii", code_);
    b.Export("run", 0, 3);
    return b.Build();
  }

 private:
  static int X(int i) { return 1 + i; }
  static int Y(int i) { return 1 + kNumbers + i; }
  static int Counter(int depth) { return 1 + kNumbers + kWide + depth; }

  template <class... Parts>
  void Put(const Parts&... parts) {
    const Bytes code = Code(parts...);
    code_.insert(code_.end(), code.begin(), code.end());
  }
  void Emit(const Nodes& nodes) {
    for (const Node& n : nodes) Emit(n);
  }
  void PutAddress(int x) {
    Put(I::kLocalGet, X(x), I::kI32Const, 0xff, I::kI32And, I::kI32Const, 2, I::kI32Shl);
  }

  void Emit(const Node& n) {
    switch (n.kind) {
      case Node::kMix:
        Put(I::kLocalGet, X(n.b), I::kI32Const, n.constant, I::kI32Mul, I::kLocalGet, X(n.c),
            I::kI32Xor, I::kLocalSet, X(n.a));
        break;
      case Node::kWiden:
        Put(I::kLocalGet, Y(n.b), I::kI64Const, n.constant, I::kI64Mul, I::kLocalGet, X(n.c),
            I::kI64ExtendI32U, I::kI64Add, I::kLocalSet, Y(n.a));
        break;
      case Node::kMemory:
        PutAddress(n.b);
        Put(I::kLocalGet, X(n.c), I::kI32Store, 2, 0);
        PutAddress(n.c);
        Put(I::kI32Load, 2, 0, I::kLocalSet, X(n.a));
        break;
      case Node::kCall:
        Put(I::kLocalGet, X(n.b), I::kCall, 0, I::kLocalSet, X(n.a));
        break;
      case Node::kPair:
        Put(I::kLocalGet, X(n.c), I::kCall, 1, I::kLocalSet, Y(n.b), I::kLocalSet, X(n.a));
        break;
      case Node::kRisky:
        Put(I::kLocalGet, X(n.b), I::kCall, 2, I::kLocalSet, X(n.a));
        break;
      default:
        EmitCompound(n);
    }
  }

  void EmitCompound(const Node& n) {
    if (n.kind == Node::kIf) {
      Put(I::kLocalGet, X(n.a), I::kI32Const, 1, I::kI32And, I::kIf, '_');
      Emit(n.arms[0]);
      Put(I::kElse);
      Emit(n.arms[1]);
      Put(I::kEnd);
    } else if (n.kind == Node::kSwitch) {
      for (int i = 0; i < 5; ++i) Put(I::kBlock, '_');
      Put(I::kLocalGet, X(n.a), I::kI32Const, 3, I::kI32And, I::kBrTable, 3, 0, 1, 2, 3);
      for (int i = 0; i < 4; ++i) {
        Put(I::kEnd);
        Emit(n.arms[i]);
        Put(I::kBr, 3 - i);
      }
      Put(I::kEnd);
    } else if (n.kind == Node::kLoop) {
      const int counter = Counter(n.depth);
      Put(I::kI32Const, 2, I::kLocalSet, counter, I::kBlock, '_', I::kLoop, '_');
      Emit(n.arms[0]);
      Put(I::kLocalGet, X(n.a), I::kI32Const, 7, I::kI32And, I::kI32Const, 5, I::kI32Eq, I::kBrIf,
          1);
      Emit(n.arms[1]);
      Put(I::kLocalGet, counter, I::kI32Const, 1, I::kI32Sub, I::kLocalTee, counter, I::kBrIf, 0,
          I::kEnd, I::kEnd);
    } else {
      Put(I::kBlock, '_', I::kBlock, 'i', I::kTryTable, '_', 1, 0, 0, 0);
      Emit(n.arms[0]);
      Put(I::kEnd, I::kBr, 1, I::kEnd, I::kLocalGet, X(n.a), I::kI32Add, I::kLocalSet, X(n.a),
          I::kEnd);
    }
  }

  Bytes code_;
};

class GiantFunction : public CodeFixture {
 protected:
  std::string Path() const override {
    testing_support::WriteFile(folder_ / "giant.wasm", Assembler().Module(Program()));
    return folder_ / "giant.wasm";
  }
  // Above the limit by itself, or small pieces of less.
  Nodes Program() const {
    return Generator(7).Make(GetParam().piece_size == 0 ? 20000 : 3000, 0, false);
  }

 private:
  const testing_support::Folder folder_;
};

TEST_P(GiantFunction, DoesWhatAnInterpreterDoes) {
  const Nodes program = Program();
  std::map<uint32_t, uint32_t> memory;
  for (uint32_t seed : {1u, 2u, 1000u}) {
    Interpreter interpreter(seed, memory);
    ASSERT_TRUE(interpreter.Run(program));
    EXPECT_GT(interpreter.calls(), GetParam().piece_size == 0 ? 1000 : 100);
    Expect("run", {Value::I32(seed)},
           {Value::I32(interpreter.number()), Value::I64(interpreter.wide())}, interpreter.calls());
  }
}

std::vector<Variant> Variants() {
  std::vector<Variant> variants;
  for (const char* compiler : {FERMATA_GXX, FERMATA_CLANGXX}) {
    if (*compiler == '\0') continue;
    variants.push_back({compiler, "auto", "reserved", false, 2, false, 0, nullptr, "-O1"});
    variants.push_back({compiler, "auto", "checked", false, 3, false, 70, nullptr, "-O1"});
    variants.push_back({compiler, "auto", "reserved", true, 1, false, 70, nullptr, "-O1"});
    variants.push_back({compiler, "auto", "reserved", false, 1, true, 70, nullptr, "-O1"});
  }
  return variants;
}

INSTANTIATE_TEST_SUITE_P(Shapes, GiantFunction, testing::ValuesIn(Variants()), NameOfVariant);

}  // namespace
}  // namespace fermata
