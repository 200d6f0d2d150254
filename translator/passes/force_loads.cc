#include "translator/passes/force_loads.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include "translator/analysis/liveness.h"

// note [forced loads]
//
// Under the reserved memory policy a load that is out of bounds traps by a fault. To the C++
// compiler it is a plain read: it drops the read if the value does not matter, reads fewer bytes if
// only some of them matter, and moves it to the path that uses it, past calls and out of loops. The
// guest must trap all the same. So a value is *forced*: `force` passes it to an empty asm
// statement, which compilers must execute, with the whole value in a register, where it stands.
//
// What matters to a compiler can't be seen from the outside: a store may be overwritten, both arms
// of a branch may turn out equal, an argument may go unused in the callee that is inlined, a sum
// may be what a loop that never ends computes. Therefore nothing but a forced value counts as a
// use, and every load reaches one in its own statement. What is left to choose is where in the
// expression to force. A load by itself costs an instruction, since it can't be an operand in
// memory any more; the value at the root of the expression is in a register anyway:
//
//     l1 = l1 ^ i32_load(m0, l2, 0);                 l1 = force(l1 ^ i32_load(m0, l2, 0));
//     f64_store(m0, l3, 0, l4 * f64_load(m0, l5, 0)) f64_store(…, force(l4 * f64_load(m0, l5, 0)))
//
// That is right if the load can't be left out of what is forced, so the walk below goes from the
// root to the loads and keeps the set of bits of each operand that the root depends on, whatever
// the other operands are. Memory ends at the end of a page, so what has to be read is the last
// byte of the load, which is its most significant one. Where the walk loses that byte (`& 255`,
// comparisons, products), it forces on the way.
//
// Two operands may cancel each other out: in `load(a) - load(b)` with equal addresses neither is
// needed. So of a sum, difference or exclusive or one side at most is left to the root, and the
// loads of the other are forced by themselves. A variable can only cancel a load if it holds what
// an earlier load of the same place gave, or an earlier store left there, and those have trapped.
// Floating-point operations don't cancel: x - x may be a NaN. But the result is a NaN whatever the
// load gives if the other operand is one, and a compiler may know that it is: of an argument, if
// the call is inlined, of a global that was just set, of 0 / 0. So the other operand has to be
// something that no compiler can know to be a NaN (`Known`).
//
// The address of a load that is forced in one of these ways, or of a store that may fault, is a use
// like a forced value: all of it must be computed.
//
// The same holds for what is read from an object by a reference that may be null: that the read
// faults is the check. Nothing near null can be accessed, so any bit that is read will do.
//
// Loads that can't trap are left alone: those below the memory's minimal size, and those where a
// statement before them has touched the same place or one behind it, from the same variable
// (`Touched`). Of one statement no part covers another: both may be left out.

namespace fermata::passes {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Kind;
using ir::Stmt;
using ir::StmtKind;
using ir::VarId;
using wasm::Opcode;

constexpr uint64_t kAll = ~uint64_t{0};
constexpr uint8_t kFaults = ir::kTrapsOnMemory | ir::kTrapsOnNull;

// What the bits of an operation's result tell of the bits of its operands: `a` and `b` are sets of
// bits that can't be left out if those of the result can't be. Empty: all of it may not matter.
struct Needs {
  uint64_t a = 0;
  uint64_t b = 0;
  bool cancels = false;  // a and b may cancel each other out
};

uint64_t WidthOf(Kind type) { return type == Kind::kI32 || type == Kind::kF32 ? 32 : 64; }
uint64_t AllOf(Kind type) { return type == Kind::kI32 || type == Kind::kF32 ? 0xffffffffu : kAll; }
bool IsConst(const Expr* e) { return e->kind == ExprKind::kConst; }
bool IsFloat(Kind type) { return type == Kind::kF32 || type == Kind::kF64; }

// Of floating-point numbers: what of a NaN makes a NaN.
bool IsArithmetic(Opcode op) {
  const wasm::OpcodeInfo& info = wasm::Info(op);
  return info.infix != nullptr && IsFloat(wasm::KindOf(info.results[0]));
}

// Finite: with a NaN the result is known, and with an infinity it may be.
bool IsFinite(const Expr* e) {
  if (e->type == Kind::kF32) return (e->bits & 0x7f800000) != 0x7f800000;
  return (e->bits & 0x7ff0000000000000) != 0x7ff0000000000000;
}

class Pass {
 public:
  explicit Pass(ir::Function& f, const wasm::Module& module) : f_(f), module_(module) {}

  int Run() {
    if (StoresKnown()) {
      stores_known_ = true;
      variables_.clear();
    }
    for (Stmt& s : f_.stmts) {
      const bool stores = s.kind == StmtKind::kStore || s.kind == StmtKind::kStoreLane;
      // A store in bounds may be dropped or moved.
      const bool accesses = (stores && !s.in_bounds) || s.kind == StmtKind::kAtomic;
      const bool addressed = accesses && IsReserved(s.index);
      for (size_t i = 0; i < s.args.size(); ++i) {
        if (!(s.args[i]->effects & kFaults)) continue;
        if (i == 0 && (addressed || AccessesArgument(s))) {
          Visit(s.args[i], AllOf(s.args[i]->type));
        } else {
          Root(s.args[i]);
        }
      }
    }
    return marked_;
  }

 private:
  bool IsReserved(uint32_t memory) const {
    return wasm::IsGuardable(module_.memories[memory].type);
  }

  // The write, or the read of the length before it, needs all of the reference.
  static bool AccessesArgument(const Stmt& s) {
    return s.kind == StmtKind::kArraySet || (s.kind == StmtKind::kStructSet && s.negate);
  }

  void Force(Expr* e) {
    if (e->force) return;
    e->force = 1;
    ++marked_;
  }
  // Forces `e` if a load in it relies on that.
  void Root(Expr* e) {
    if (e != nullptr && Visit(e, AllOf(e->type))) Force(e);
  }

  // Forces what needs it in `e`, of whose value the bits `needed` can't be left out. Returns
  // whether a load relies on that.
  bool Visit(Expr* e, uint64_t needed) {
    if (e == nullptr || !(e->effects & kFaults)) return false;
    switch (e->kind) {
      case ExprKind::kLoad:
      case ExprKind::kLoadLane: {
        Root(e->b);
        if (!IsReserved(e->index)) {
          Root(e->a);
          return false;
        }
        // What traps in the address relies on the load.
        if (e->in_bounds && !(e->a->effects & kFaults)) return false;
        Visit(e->a, AllOf(e->a->type));
        const bool relies = e->kind == ExprKind::kLoad && (needed & LastByte(e->op)) != 0;
        if (!relies) Force(e);
        return relies;
      }
      case ExprKind::kStructGet:
      case ExprKind::kArrayLen:
      case ExprKind::kGetDescriptor:
        if (!e->nullable) {
          Root(e->a);
          return false;
        }
        Visit(e->a, AllOf(e->a->type));
        if ((needed & ReadBits(e)) != 0) return true;
        Force(e);
        return false;
      case ExprKind::kArrayGet:  // what depends on the length is a branch
        Visit(e->a, AllOf(e->a->type));
        Root(e->b);
        return false;
      case ExprKind::kNumeric:
        return VisitNumeric(e, needed);
      case ExprKind::kVar:
      case ExprKind::kConst:
      case ExprKind::kLane:
      case ExprKind::kShuffle:
      case ExprKind::kSelect:
      case ExprKind::kGlobalGet:
      case ExprKind::kMemorySize:
      case ExprKind::kTableSize:
      case ExprKind::kTableGet:
      case ExprKind::kRefNull:
      case ExprKind::kRefIsNull:
      case ExprKind::kRefFunc:
      case ExprKind::kRefAsNonNull:
      case ExprKind::kRefTest:
      case ExprKind::kRefCast:
      case ExprKind::kConvert:
      case ExprKind::kRefI31:
      case ExprKind::kI31Get:
        Root(e->a);
        Root(e->b);
        Root(e->c);
        return false;
    }
    return false;
  }

  bool VisitNumeric(Expr* e, uint64_t needed) {
    Needs needs = NeedsOf(e, needed);
    if (needs.cancels && (e->a->effects & kFaults) && (e->b->effects & kFaults)) {
      needs.b = 0;
    }
    bool relies = false;
    const auto operand = [&](Expr* x, uint64_t bits) {
      if (bits == 0) {
        Root(x);
      } else {
        relies |= Visit(x, bits);
      }
    };
    operand(e->a, needs.a);
    operand(e->b, needs.b);
    Root(e->c);
    return relies;
  }

  // The bits of the result that are not zero whatever is read.
  uint64_t ReadBits(const Expr* e) const {
    if (e->kind != ExprKind::kStructGet || e->op == Opcode::kStructGetS) return kAll;
    const uint8_t packed = module_.type_defs[e->index].fields[e->bits].packed_bits;
    return packed == 0 ? kAll : (uint64_t{1} << packed) - 1;
  }

  // The bits of the result that depend on the last byte which the instruction reads.
  static uint64_t LastByte(Opcode op) {
    switch (op) {
      case Opcode::kI32Load8U:
      case Opcode::kI64Load8U:
        return 0xff;
      case Opcode::kI32Load8S:
      case Opcode::kI64Load8S:
        return kAll;
      case Opcode::kI32Load16U:
      case Opcode::kI64Load16U:
        return 0xff00;
      case Opcode::kI32Load16S:
      case Opcode::kI64Load16S:
        return ~uint64_t{0xff};
      case Opcode::kI32Load:
      case Opcode::kF32Load:
      case Opcode::kI64Load32U:
        return 0xff000000;
      case Opcode::kI64Load32S:
        return ~uint64_t{0xffffff};
      case Opcode::kI64Load:
      case Opcode::kF64Load:
        return uint64_t{0xff} << 56;
      default:
        return 0;  // vectors
    }
  }

  Needs NeedsOf(const Expr* e, uint64_t needed) {
    if (IsFloat(e->type)) return NeedsOfFloat(e, needed);
    switch (e->op) {
      case Opcode::kI32Add:
      case Opcode::kI64Add:
      case Opcode::kI32Sub:
      case Opcode::kI64Sub:
      case Opcode::kI32Xor:
      case Opcode::kI64Xor:
        return {needed, needed, true};
      case Opcode::kI32Mul:
      case Opcode::kI64Mul:
        return NeedsOfProduct(e, needed);
      case Opcode::kI32And:
      case Opcode::kI64And:
        if (IsConst(e->b)) return {needed & e->b->bits};
        return {0, IsConst(e->a) ? needed & e->a->bits : 0};
      case Opcode::kI32Or:
      case Opcode::kI64Or:
        if (IsConst(e->b)) return {needed & ~e->b->bits};
        return {0, IsConst(e->a) ? needed & ~e->a->bits : 0};
      case Opcode::kI32Shl:
      case Opcode::kI64Shl:
      case Opcode::kI32ShrU:
      case Opcode::kI64ShrU:
      case Opcode::kI32ShrS:
      case Opcode::kI64ShrS:
        return NeedsOfShift(e, needed);
      case Opcode::kI32WrapI64:
      case Opcode::kI32ReinterpretF32:
      case Opcode::kI64ReinterpretF64:
        return {needed};
      case Opcode::kI64ExtendI32U:
      case Opcode::kI64ExtendI32S:
        return {needed & 0xffffffffu};
      default:
        return {};
    }
  }

  // An odd factor passes each bit on to its own place; 2^k times an odd number moves it by k.
  static Needs NeedsOfProduct(const Expr* e, uint64_t needed) {
    const Expr* factor = IsConst(e->b) ? e->b : e->a;
    const uint64_t bits = IsConst(factor) ? factor->bits & AllOf(e->type) : 0;
    if (bits == 0) return {};
    const uint64_t moved = needed >> std::countr_zero(bits);
    return factor == e->b ? Needs{moved} : Needs{0, moved};
  }

  static Needs NeedsOfShift(const Expr* e, uint64_t needed) {
    if (!IsConst(e->b)) return {};
    const uint64_t by = e->b->bits & (WidthOf(e->type) - 1);
    const bool left = e->op == Opcode::kI32Shl || e->op == Opcode::kI64Shl;
    return {left ? needed >> by : (needed << by) & AllOf(e->type)};
  }

  Needs NeedsOfFloat(const Expr* e, uint64_t needed) {
    if (needed == 0) return {};
    if (IsArithmetic(e->op)) {
      return {KnownOf(e->b) == kAnything ? 0 : kAll, KnownOf(e->a) == kAnything ? 0 : kAll};
    }
    switch (e->op) {
      case Opcode::kF32DemoteF64:
      case Opcode::kF64PromoteF32:
      case Opcode::kF64ConvertI32S:
      case Opcode::kF64ConvertI32U:
        return {kAll};
      default:
        return {};
    }
  }

  // What a compiler may know of a floating-point value. It knows that an operation gives a NaN if
  // it knows that an operand is one, or if it knows all operands.
  enum Known : uint8_t {
    kAnything,  // perhaps that it is a NaN
    kNumber,    // perhaps all of it, but it is no NaN, and finite
    kLittle,    // it depends on what a load gave, whatever else it depends on
  };
  Known KnownOf(const Expr* e) {
    if (IsConst(e)) return IsFinite(e) ? kNumber : kAnything;
    // Each store to such a memory ends what a compiler knows of its contents, but for those that
    // are in bounds. Loads that may fault are behind a barrier (note [order of stores]).
    if (e->kind == ExprKind::kLoad) {
      return IsReserved(e->index) && !(e->in_bounds && stores_known_) ? kLittle : kAnything;
    }
    if (e->kind == ExprKind::kVar) return Variables()[e->index];
    return e->kind == ExprKind::kNumeric ? KnownOfNumeric(e) : kAnything;
  }
  Known KnownOfNumeric(const Expr* e) {
    if (IsArithmetic(e->op)) {
      const Known a = KnownOf(e->a), b = KnownOf(e->b);
      if (a == kAnything || b == kAnything) return kAnything;
      return a == kLittle || b == kLittle ? kLittle : kAnything;
    }
    switch (e->op) {
      case Opcode::kF32ConvertI32S:
      case Opcode::kF32ConvertI32U:
      case Opcode::kF32ConvertI64S:
      case Opcode::kF32ConvertI64U:
      case Opcode::kF64ConvertI32S:
      case Opcode::kF64ConvertI32U:
      case Opcode::kF64ConvertI64S:
      case Opcode::kF64ConvertI64U:
        return kNumber;
      case Opcode::kF32Abs:
      case Opcode::kF64Abs:
      case Opcode::kF32Neg:
      case Opcode::kF64Neg:
      case Opcode::kF64PromoteF32:
        return KnownOf(e->a);
      case Opcode::kF32Sqrt:
      case Opcode::kF64Sqrt:
      case Opcode::kF32DemoteF64:
        return KnownOf(e->a) == kLittle ? kLittle : kAnything;
      default:
        return kAnything;
    }
  }

  // Of the variables, by all that is assigned to them. Arguments and results of calls are known to
  // a compiler that inlines, and so are those variables that are compared with themselves.
  const std::vector<Known>& Variables() {
    if (!variables_.empty()) return variables_;
    variables_.assign(f_.vars.size(), kLittle);
    std::fill_n(variables_.begin(), f_.type->params.size(), kAnything);
    for (const Stmt& s : f_.stmts) {
      if (s.kind != StmtKind::kSet) ir::ForEachDef(s, [&](VarId v) { variables_[v] = kAnything; });
      for (const Expr* e : s.args) NoteComparisons(e);
    }
    for (const VarId v : analysis::LiveAtEntry(f_)) {  // zero
      variables_[v] = std::min(variables_[v], kNumber);
    }
    // Each variable is lowered twice at most, and then what reads it is looked at again.
    std::vector<llvm::SmallVector<const Stmt*, 2>> readers(f_.vars.size());
    std::vector<const Stmt*> queue;
    for (const Stmt& s : f_.stmts) {
      if (s.kind != StmtKind::kSet || !IsFloat(s.args[0]->type)) continue;
      ir::ForEachUse(s, [&](VarId v) { readers[v].push_back(&s); });
      queue.push_back(&s);
    }
    while (!queue.empty()) {
      const Stmt& s = *queue.back();
      queue.pop_back();
      const Known known = KnownOf(s.args[0]);
      if (known >= variables_[s.dst]) continue;
      variables_[s.dst] = known;
      queue.insert(queue.end(), readers[s.dst].begin(), readers[s.dst].end());
    }
    return variables_;
  }
  // Whether it stores something in bounds that a compiler may know something of. What depends on
  // loads alone, it can't, if loads do not give back such a thing.
  bool StoresKnown() {
    return std::any_of(f_.stmts.begin(), f_.stmts.end(), [&](const Stmt& s) {
      if (!s.in_bounds) return false;
      return s.kind != StmtKind::kStore || !IsFloat(s.args[1]->type) ||
             KnownOf(s.args[1]) != kLittle;
    });
  }
  void NoteComparisons(const Expr* e) {
    if (e == nullptr) return;
    if (e->kind == ExprKind::kNumeric && e->b != nullptr && e->a->kind == ExprKind::kVar &&
        e->b->kind == ExprKind::kVar && e->a->index == e->b->index && !IsFloat(e->type)) {
      variables_[e->a->index] = kAnything;
    }
    for (const Expr* x : {e->a, e->b, e->c}) NoteComparisons(x);
  }

  ir::Function& f_;
  const wasm::Module& module_;
  std::vector<Known> variables_;
  bool stores_known_ = false;
  int marked_ = 0;
};

}  // namespace

int ForceLoads(ir::Function& function, const wasm::Module& module) {
  return Pass(function, module).Run();
}

}  // namespace fermata::passes
