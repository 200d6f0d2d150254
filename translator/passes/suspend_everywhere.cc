#include "translator/passes/suspend_everywhere.h"

#include <utility>
#include <vector>

namespace fermata::passes {

void SuspendEverywhere(ir::Function& function) {
  std::vector<ir::Stmt> stmts;
  stmts.reserve(function.stmts.size() + 1);
  const auto pause = [&](uint32_t offset, absl::Span<ir::TypedVar> refs) {
    ir::Stmt s;
    s.kind = ir::StmtKind::kPause;
    s.offset = offset;
    s.may_suspend = true;
    s.point = function.point_count++;
    s.refs = refs;
    stmts.push_back(s);
  };
  pause(function.stmts.empty() ? 0 : function.stmts[0].offset, {});
  for (ir::Stmt& s : function.stmts) {
    stmts.push_back(s);
    const bool header = s.kind == ir::StmtKind::kLabel && s.loop;
    if (header || s.kind == ir::StmtKind::kMemoryGrow || s.kind == ir::StmtKind::kTableGrow) {
      pause(s.offset, s.refs);
      function.suspends_in_loop |= header;
    }
  }
  function.stmts = std::move(stmts);
}

}  // namespace fermata::passes
