// Where a giant function is cut into pieces that are C++ functions of their own (see
// translator/emit/function/pieces.h), and by which labels control goes from one piece to another.
//
// A piece is a range of statements. Cuts are made where few jumps cross them: between the arms of a
// switch rather than inside a loop.
#ifndef FERMATA_TRANSLATOR_ANALYSIS_PIECE_CUTS_H_
#define FERMATA_TRANSLATOR_ANALYSIS_PIECE_CUTS_H_

#include <cstdint>
#include <vector>

#include "translator/ir/ir.h"

namespace fermata::analysis {

// Most pieces of a function, and most entries of a piece: both numbers share 32 bits, and the last
// piece number is not used.
inline constexpr uint32_t kMostPieces = 0xffff;
inline constexpr uint32_t kMostEntries = 0x10000;

struct Piece {
  uint32_t begin;  // statements [begin, end)
  uint32_t end;
  std::vector<ir::LabelId> entries;  // its labels that other pieces jump to, in order of statements
  std::vector<ir::LabelId> exits;    // labels of other pieces that it jumps to, each once
  std::vector<uint32_t> points;      // its resume points, in order of statements
};

// At least one piece. `size`: of a piece, about, in operations; pieces are made larger if there
// would be more than kMostPieces.
std::vector<Piece> CutIntoPieces(const ir::Function& function, uint32_t size);

}  // namespace fermata::analysis

#endif  // FERMATA_TRANSLATOR_ANALYSIS_PIECE_CUTS_H_
