#include "translator/passes/merge_rooms.h"

#include <utility>
#include <vector>

// note [room]
//
// An allocation first makes sure of room, and may suspend for that. Between two allocations that
// nothing comes between, the second need not ask again:
//
//     if (NO_ROOM(12)) goto S0; R0:;          if (NO_ROOM(32)) goto S0; R0:;
//     a0 = new_object(heap, 12, …);           a0 = new_object(heap, 12, …);
//     if (NO_ROOM(20)) goto S1; R1:;          a1 = new_object(heap, 20, …);
//     a1 = new_object(heap, 20, …);
//
// A branch that leaves in between asks for more than it needs, which does no harm. An array whose
// length is not constant has a check of its own, which others may join.

namespace fermata::passes {
namespace {

using ir::Stmt;
using ir::StmtKind;

// More than that is not worth a collection that might not be needed.
constexpr uint64_t kMostBytes = 4096;

// Whatever uses up room that was made, or is reached from elsewhere.
bool EndsStretch(const Stmt& s) {
  return s.kind == StmtKind::kLabel || s.kind == StmtKind::kPause || ir::IsCall(s) ||
         ir::IsReturnCall(s);
}

}  // namespace

void MergeRooms(ir::Function& f) {
  std::vector<Stmt> kept;
  kept.reserve(f.stmts.size());
  constexpr size_t kNoRoom = ~size_t{0};
  size_t room = kNoRoom;  // in `kept`: the check that reaches here
  f.point_count = 0;
  for (Stmt& s : f.stmts) {
    if (EndsStretch(s)) room = kNoRoom;
    if (s.kind == StmtKind::kRoom) {
      const bool joins =
          room != kNoRoom && s.args.empty() && kept[room].bits + s.bits <= kMostBytes;
      if (joins) {
        kept[room].bits += s.bits;
        continue;
      }
      room = kept.size();
    }
    if (s.point != ir::kNone) s.point = f.point_count++;
    kept.push_back(std::move(s));
  }
  f.stmts = std::move(kept);
}

}  // namespace fermata::passes
