// Prints a giant function as many small ones.
//
// note [pieces]
//
// C++ compilers have passes that take time and memory with the square of a function's size. For
// functions of a megabyte, such as those that register a runtime's thousands of operators, they do
// not end. So the statements are cut into pieces, and each piece is a C++ function of its own. The
// variables are in a structure; a piece has references to those that it uses, so that statements
// read as ever:
//
//     struct fn7_vars { u32 l0, l1; u64 w2; u32 result; u32 point; u64 value; };
//     static u32 fn7_piece0(Instance* base, fn7_vars& FERMATA_RESTRICT v, u32 at) {
//       u32 &l0 = v.l0, &s0 = v.s0;
//       switch (at) {
//         case 0: break;                         // its start
//         case 1: goto L4;                       // a label that another piece jumps to
//         case 2: s0 = slot_u32(v.value); goto R0;  // a resume point
//       }
//       …
//       if (l0) goto L9;
//       s0 = fn3(base, l0); if (SUSPENDED) goto S0; R0:;
//       …
//       return 1u << 16;                         // the end: the next piece's start
//     S0: v.point = 0; return kPushFrame;
//     L9: return 2u << 16 | 1;                   // a label of piece 2, its entry 1
//     }
//
// What a piece returns says where the function goes on: a piece's number and an entry's. The wasm
// function itself, and its resume function, fill the structure and call one piece after the other
// until one returns kPushFrame or kDone, which leaves the wasm function: with the result in the
// structure, or with `unwind` set.
//
// Pieces of one function may be in several source files, so that no file is much larger than
// others.
//
// Spilling and reloading copy members of the structure as tables say. As statements they would be
// most of the text: pieces share little of them. Frames and sites are those of the other shapes.
//
// A variable is in memory at each call, so this is for functions that no other shape can compile,
// not for hot ones.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_PIECES_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_PIECES_H_

#include <string>
#include <vector>

#include "translator/emit/function/expressions.h"
#include "translator/emit/function/plan.h"
#include "translator/emit/function/statements.h"
#include "translator/emit/function/suspension.h"
#include "translator/emit/module_context.h"
#include "translator/emit/writer.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

class PieceEmitter {
 public:
  PieceEmitter(const ModuleContext& context, const ir::Function& f, const FunctionPlan& plan,
               const ExpressionPrinter& printer, const SuspensionEmitter& suspension,
               StatementEmitter& statements, Writer& out);

  // Source files that the pieces are spread over.
  uint32_t parts() const { return parts_; }
  // The structure and the pieces of one file.
  void EmitPart(uint32_t part);
  // The loop over all pieces; like the rest, for the first file.
  void EmitLoop();
  // What the wasm function does with its parameters, up to the closing brace.
  void EmitEntry();
  // The same of its resume function.
  void EmitResumption();

 private:
  // Where a piece is entered.
  struct Entry {
    uint32_t piece;
    uint32_t number;
  };

  void EmitVariables();
  void EmitPiece(uint32_t number);
  void EmitEntrySwitch(const analysis::Piece& piece);
  void EmitFrameTables();
  uint32_t FirstPieceOf(uint32_t part) const;

  const ModuleContext& context_;
  const ir::Function& f_;
  const ExpressionPrinter& printer_;
  const SuspensionEmitter& suspension_;
  StatementEmitter& statements_;
  Writer& out_;
  const std::string name_;
  const std::vector<ir::VarId> variables_;  // the members of the structure
  const std::vector<analysis::Piece>& pieces_;
  const std::vector<analysis::FrameLayout>& frames_;  // by resume point
  const uint32_t parts_;
  std::vector<Entry> of_label_;
  std::vector<Entry> of_point_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_PIECES_H_
