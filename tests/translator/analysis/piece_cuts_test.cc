// Where giant functions are cut, and how control crosses the cuts.
#include "translator/analysis/piece_cuts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata::analysis {
namespace {

using ir::Stmt;
using ir::StmtKind;
using testing::ElementsAre;
using testing::IsEmpty;

// A function of statements without operands, each of which is one operation.
class Statements {
 public:
  void Add(StmtKind kind, int times = 1) {
    Stmt s;
    s.kind = kind;
    f_.stmts.insert(f_.stmts.end(), times, s);
  }
  void Label(ir::LabelId label) { With(StmtKind::kLabel, label); }
  void Jump(ir::LabelId label) { With(StmtKind::kJump, label); }
  void JumpTable(std::vector<ir::LabelId> labels) {
    Add(StmtKind::kJumpTable);
    f_.stmts.back().labels = f_.NewSpan<ir::LabelId>(labels.size());
    std::copy(labels.begin(), labels.end(), f_.stmts.back().labels.begin());
    for (ir::LabelId label : labels) f_.label_count = std::max(f_.label_count, label + 1);
  }
  void Call(uint32_t point, ir::LabelId handler) {
    Add(StmtKind::kCall);
    f_.stmts.back().point = point;
    f_.stmts.back().handler = handler;
    f_.point_count = std::max(f_.point_count, point + 1);
  }
  std::vector<Piece> Cut(uint32_t size) const {
    std::vector<Piece> pieces = CutIntoPieces(f_, size);
    uint32_t at = 0;
    for (const Piece& piece : pieces) {
      EXPECT_EQ(piece.begin, at);
      at = piece.end;
    }
    EXPECT_EQ(at, f_.stmts.size());
    return pieces;
  }

 private:
  void With(StmtKind kind, ir::LabelId label) {
    Add(kind);
    f_.stmts.back().label = label;
    f_.label_count = std::max(f_.label_count, label + 1);
  }
  ir::Function f_;
};

TEST(PieceCuts, SmallFunctionsStayWhole) {
  Statements s;
  s.Label(0);
  s.Call(0, ir::kNone);
  s.Jump(0);
  const std::vector<Piece> pieces = s.Cut(1000);
  ASSERT_EQ(pieces.size(), 1u);
  EXPECT_THAT(pieces[0].entries, IsEmpty());
  EXPECT_THAT(pieces[0].exits, IsEmpty());
  EXPECT_THAT(pieces[0].points, ElementsAre(0));
}

TEST(PieceCuts, EvenStatementsOfAPieceEach) {
  Statements s;
  s.Add(StmtKind::kAtomicFence, 7);
  EXPECT_EQ(s.Cut(1).size(), 7u);
  EXPECT_EQ(s.Cut(0).size(), 7u);
}

TEST(PieceCuts, BetweenLoopsRatherThanInThem) {
  Statements s;
  for (ir::LabelId loop = 0; loop < 4; ++loop) {
    s.Label(loop);
    s.Add(StmtKind::kAtomicFence, 28);
    s.Jump(loop);
  }
  const std::vector<Piece> pieces = s.Cut(40);
  ASSERT_EQ(pieces.size(), 4u);
  for (const Piece& piece : pieces) {
    EXPECT_EQ(piece.end - piece.begin, 30u);
    EXPECT_THAT(piece.exits, IsEmpty());
  }
}

TEST(PieceCuts, LabelsThatOtherPiecesGoTo) {
  Statements s;
  s.Call(1, 3);            // piece 0, of five operations
  s.JumpTable({4, 3, 4});  // 1
  s.Call(0, ir::kNone);    // 2
  s.Label(3);              // 3
  s.Label(5);              // 3: jumped to from its own piece only
  s.Jump(5);               // 3
  s.Label(4);              // 3
  const std::vector<Piece> pieces = s.Cut(5);
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_THAT(pieces[0].exits, ElementsAre(3));
  EXPECT_THAT(pieces[0].points, ElementsAre(1));
  EXPECT_THAT(pieces[1].exits, ElementsAre(4, 3));
  EXPECT_THAT(pieces[2].exits, IsEmpty());
  EXPECT_THAT(pieces[2].points, ElementsAre(0));
  EXPECT_THAT(pieces[3].entries, ElementsAre(3, 4));
}

TEST(PieceCuts, NumbersFitInto32Bits) {
  Statements s;
  s.Add(StmtKind::kAtomicFence, 300'000);
  EXPECT_LE(s.Cut(1).size(), kMostPieces);
  for (const Piece& piece : s.Cut(0xffffffff)) EXPECT_LT(piece.end - piece.begin, kMostEntries);
}

}  // namespace
}  // namespace fermata::analysis
