// The intermediate representation of one function body.
//
// A function is a flat list of statements over typed variables; control flow is labels and jumps,
// so the list is at once the text to emit (goto-structured C++) and, cut at labels and jumps, a
// control-flow graph. Operands are expression trees without side effects, though they may trap and
// may read state; the builder orders them so that evaluating each statement's trees in any order is
// right.
//
// Variables: the wasm locals first, then *slots*. A slot stands for "the operand at height h of
// type t"; wasm values that can't be folded into the tree of their one use are assigned to it.
// Slots are shared by all values of the same height and type, which keeps their number small.
//
// Exceptions: a statement that may throw names its *handler*, the label of the landing of the
// innermost try region around it; control may go there from the middle of a block. A landing is
// ordinary statements: jump-unless-tag, catch, and a leave or jump outwards at its end.
//
// Everything lives in the function's arena and dies with it.
#ifndef FERMATA_TRANSLATOR_IR_IR_H_
#define FERMATA_TRANSLATOR_IR_IR_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "llvm/Support/Allocator.h"
#include "translator/wasm/opcodes.h"
#include "translator/wasm/types.h"

namespace fermata::ir {

using wasm::Opcode;
using Kind = wasm::ValType::Kind;
using VarId = uint32_t;
using LabelId = uint32_t;
inline constexpr uint32_t kNone = 0xffffffffu;

struct Var {
  Kind type;
  bool local;              // a wasm local, else a slot
  uint32_t height;         // slots: operand stack height; locals: the wasm index
  uint32_t variant;        // slots: distinguishes slots of one height and type
  wasm::ValType declared;  // locals
};

// What is known of a reference to objects in a variable.
struct TypedVar {
  VarId var;
  wasm::ValType type;
};

// What evaluating an expression depends on or may do; a bit set.
enum Effect : uint8_t {
  kPure = 0,
  kReadsMemory = 1,  // contents or size of a memory
  kReadsGlobal = 2,
  kReadsTable = 4,
  kTrapsOnMemory = 8,  // out of bounds memory access
  kTrapsOther = 16,    // any other trap
  kReadsObject = 32,   // a mutable field or element
  kTrapsOnNull = 64,   // a null reference where an object is needed
  kTraps = kTrapsOnMemory | kTrapsOther | kTrapsOnNull,
  kReadsState = kReadsMemory | kReadsGlobal | kReadsTable | kReadsObject,
};
inline constexpr int kEffectBits = 7;

// What a reference is tested for, and what is known of it before.
struct CastTarget {
  Kind kind = Kind::kBottom;  // kTypedRef: `type`
  bool nullable = false;      // null passes
  bool from_nullable = true;  // it may be null
  bool from_object = false;   // it is null or an object
  bool exact = false;         // kTypedRef: just that type
  uint32_t type = 0;          // canonical
};

enum class ExprKind : uint8_t {
  kVar,         // index
  kConst,       // bits
  kNumeric,     // op, a, [b, [c]]
  kLane,        // op, a, [b], index = lane: extract_lane, replace_lane
  kShuffle,     // a, b; bits, high = the 16 lane numbers, a byte each
  kLoad,        // op, a = address, index = memory, bits = offset
  kLoadLane,    // the same; b = vector, high = lane
  kSelect,      // a if c else b
  kGlobalGet,   // index
  kMemorySize,  // index
  kTableSize,   // index
  kTableGet,    // index = table, a
  kRefNull,
  kRefIsNull,      // a
  kRefFunc,        // index = function
  kRefAsNonNull,   // a
  kStructGet,      // op, a; index = type, bits = field; nullable
  kArrayGet,       // op, a, b = index; index = type; nullable
  kArrayLen,       // a; nullable
  kGetDescriptor,  // a; index = type; nullable
  kRefTest,        // a, [b = the descriptor that it must have]; cast
  kRefCast,        // the same
  kConvert,        // a: the same word, of another hierarchy
  kRefI31,         // a
  kI31Get,         // op, a; nullable
};

struct Expr {
  ExprKind kind;
  Kind type;
  uint8_t effects;
  uint8_t force = 0;       // the C++ compiler must compute it, also where it finds no use for it
  bool nullable = false;   // the reference may be null, which traps
  bool in_bounds = false;  // kLoad, kLoadLane: it can't trap
  uint16_t size;           // nodes in the tree
  Opcode op{};
  uint32_t index = 0;
  uint64_t bits = 0;
  uint64_t high = 0;  // kConst of a v128
  Expr* a = nullptr;
  Expr* b = nullptr;
  Expr* c = nullptr;
  const CastTarget* cast = nullptr;
  wasm::ValType ref;  // references, in modules with structs or arrays: what validation knows of it
};

enum class StmtKind : uint8_t {
  kSet,           // dst = args[0]
  kEval,          // evaluates args[0] for its traps
  kStore,         // op; args = address, value; index = memory, bits = offset
  kStoreLane,     // the same; index2 = lane
  kAtomic,        // op; args = address, operands...; index = memory, bits = offset; dst if any
  kAtomicFence,   //
  kWide,          // op; args; results = low and high half
  kGlobalSet,     // index; args[0]
  kCall,          // index = function; results = dsts
  kCallIndirect,  // index = type, index2 = table; args..., last is the element index
  kCallRef,       // index = type; args..., last is the reference
  kReturnCall,    // as the calls, with the callee's results as this function's
  kReturnCallIndirect,
  kReturnCallRef,
  kPause,      // suspends without an op; index = when, a PauseWhen; index2 = 1: in a hot loop
  kJump,       // label
  kJumpIf,     // label; args[0]; negate: jumps if zero
  kJumpTable,  // labels (the last is the default); args[0]
  kLabel,      // label
  kReturn,     // args
  kUnreachable,
  kThrow,          // index = tag; args; handler
  kThrowRef,       // args[0]; handler
  kJumpUnlessTag,  // label; index = tag: jumps if the exception in flight has another one
  kCatch,       // ends the flight; results = payload; dst = the exception itself, if it is wanted
  kLeave,       // returns with the exception still in flight
  kMemoryGrow,  // dst, index; args[0]
  kMemoryFill,  // index; args = address, value, size
  kMemoryCopy,  // index = to, index2 = from; args
  kMemoryInit,  // index = data, index2 = memory; args
  kDataDrop,    // index
  kTableSet,    // index; args = element index, value
  kTableGrow,   // dst, index; args = value, delta
  kTableFill,   // index; args = element index, value, size
  kTableCopy,   // index = to, index2 = from; args
  kTableInit,   // index = element segment, index2 = table; args
  kElemDrop,    // index
  // Makes sure of room for what the next statements allocate, or suspends until there is some:
  // `bits` bytes and, with args[0], an array of so many elements of 1 << index2 bytes. op:
  // kArrayNewData and kArrayNewElem first check that the segment `index` has args[0] elements from
  // args[1] on; else kNop.
  kRoom,
  kStructNew,      // dst; index = type; args = fields, then the descriptor if the type has one;
                   // negate: no fields, all are zero
  kArrayNew,       // dst; index = type; args = value, length; negate: length, all are zero
  kArrayNewFixed,  // dst; index = type; args
  kArrayNewData,   // dst; index = type, index2 = data; args = offset, length
  kArrayNewElem,   // dst; index = type, index2 = element segment; args = offset, length
  kStructSet,      // index = type, bits = field; args = object, value; negate: it may be null
  kArraySet,       // index = type; args = array, index, value; negate: it may be null
  kArrayFill,      // index = type; args = array, index, value, length
  kArrayCopy,      // index = to, index2 = from; args = array, index, array, index, length
  kArrayInitData,  // index = type, index2 = data; args = array, index, offset, length
  kArrayInitElem,  // index = type, index2 = element segment; args as above
};

// When a kPause suspends: its index.
enum class PauseWhen : uint32_t {
  kAlways,
  kInterrupted,  // if the store has been interrupted
  kOutOfFuel,    // the same, or if its fuel is used up; takes a unit of fuel
};

// Traps unless the `size` bytes from `address` on are in a memory.
struct BoundsCheck {
  uint32_t memory;
  uint32_t size;
  Expr* address;  // of variables that the statement reads, too
};

struct Stmt {
  StmtKind kind;
  bool negate = false;       // kJumpIf
  bool loop = false;         // kLabel: a loop header
  bool may_suspend = false;  // calls, pauses
  bool may_throw = false;    // calls
  bool in_bounds = false;    // kStore, kStoreLane: it can't trap
  bool in_order = false;     // whatever was stored before has been, once this begins
  Opcode op{};
  uint32_t offset = 0;  // byte offset of the instruction in the file
  uint32_t index = 0;
  uint32_t index2 = 0;
  uint32_t label = kNone;
  uint32_t handler = kNone;  // of what may throw: the landing's label; kNone: the caller's matter
  VarId dst = kNone;
  uint32_t point = kNone;  // calls that may suspend: number of the resume point in the function
  uint64_t bits = 0;
  absl::Span<Expr*> args;
  absl::Span<VarId> results;
  absl::Span<LabelId> labels;
  absl::Span<BoundsCheck> checks;  // made before it
  absl::Span<TypedVar> refs;  // operands that live across it; of what may suspend, of loop headers
};

inline bool IsCall(const Stmt& s) {
  return s.kind >= StmtKind::kCall && s.kind <= StmtKind::kCallRef;
}
inline bool IsReturnCall(const Stmt& s) {
  return s.kind >= StmtKind::kReturnCall && s.kind <= StmtKind::kReturnCallRef;
}
// A jump that may also go on to the next statement.
inline bool IsConditionalJump(const Stmt& s) {
  return s.kind == StmtKind::kJumpIf || s.kind == StmtKind::kJumpUnlessTag;
}
// Control never reaches the next statement.
inline bool EndsFlow(const Stmt& s) {
  return s.kind == StmtKind::kJump || s.kind == StmtKind::kJumpTable ||
         s.kind == StmtKind::kReturn || s.kind == StmtKind::kUnreachable ||
         s.kind == StmtKind::kThrow || s.kind == StmtKind::kThrowRef ||
         s.kind == StmtKind::kLeave || IsReturnCall(s);
}

struct Function {
  uint32_t index = 0;
  const wasm::FuncType* type = nullptr;
  uint32_t local_count = 0;  // parameters included
  std::vector<Var> vars;
  std::vector<Stmt> stmts;
  uint32_t label_count = 0;
  uint32_t point_count = 0;  // resume points
  bool has_loop = false;
  bool suspends_in_loop = false;  // a resume point lies inside a loop
  std::vector<bool> uses_memory;  // by memory index: loads and stores
  bool uses_heap = false;         // looks at objects, or makes some
  llvm::BumpPtrAllocator arena;

  template <typename T>
  absl::Span<T> NewSpan(size_t n) {
    T* data = arena.Allocate<T>(n);
    for (size_t i = 0; i < n; ++i) new (data + i) T();
    return absl::MakeSpan(data, n);
  }
};

// Calls f(VarId) for each variable read in `e`. Trees are bounded in size by the builder.
template <typename F>
void ForEachVar(const Expr* e, F&& f) {
  if (e == nullptr) return;
  if (e->kind == ExprKind::kVar) return f(e->index);
  ForEachVar(e->a, f);
  ForEachVar(e->b, f);
  ForEachVar(e->c, f);
}

// Calls f(const Expr*) for each of its nodes that is a variable.
template <typename F>
void ForEachVarNode(const Expr* e, F&& f) {
  if (e == nullptr) return;
  if (e->kind == ExprKind::kVar) return f(e);
  ForEachVarNode(e->a, f);
  ForEachVarNode(e->b, f);
  ForEachVarNode(e->c, f);
}

// Calls f(VarId) for each variable that `s` reads / writes.
template <typename F>
void ForEachUse(const Stmt& s, F&& f) {
  for (const Expr* e : s.args) ForEachVar(e, f);
}
template <typename F>
void ForEachDef(const Stmt& s, F&& f) {
  if (s.dst != kNone) f(s.dst);
  for (VarId v : s.results) f(v);
}

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_IR_H_
