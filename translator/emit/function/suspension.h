// Prints what suspending and resuming add to a function: the cold blocks that push its live values
// as a frame, and the entry switch that loads them back.
//
// note [spill blocks]
//
// Sites with the same live set share one block. A site's own block only names the site:
//
//     S4: site = 104; goto P1;
//     S7: if (self.unwind == Unwind::kThrow) goto L3;      (in a try region)
//         site = 107; goto P1;
//     P1: PUSH(site);
//       PUT1(32, 12, l2);
//     V2:
//       WPUT1(64, 0, w2);
//       PUT1(32, 8, l0);
//       return 0;
//
// Blocks share the code for the values that their frames begin with (emit/frame_tree.h): another
// one ends in `goto V2`. Loading the values back is shared in the same way, if there are enough of
// them; it then ends in a second switch over the resume point.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTION_SUSPENSION_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTION_SUSPENSION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "translator/analysis/frame_layout.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/function/frame_tree.h"
#include "translator/emit/writer.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

class SuspensionEmitter {
 public:
  // `frames`: by resume point.
  SuspensionEmitter(const ir::Function& f, const std::vector<analysis::FrameLayout>& frames,
                    const ExpressionPrinter& printer);

  // The resume points, those with the same live set together.
  const std::vector<std::vector<uint32_t>>& groups() const { return groups_; }

  // Whether spill blocks of several points are one, which the variable `site` tells apart.
  bool SharesSpills() const { return groups_.size() < layouts_.size(); }

  // The labels S0, S1… and the blocks behind them, for the points where `used` is set; empty: for
  // all. `push`: "PUSH($0)" or its in-place variant,
  // with the site to fill in; `leave`: the return statement.
  void EmitSpills(absl::string_view push, absl::string_view leave, const std::vector<bool>& used,
                  Writer& out) const;

  // The cases of a switch over the resume point, `point`: loads the frame, sets a single result
  // from `value` and jumps to R0, R1…
  void EmitReloads(absl::string_view point, absl::string_view value, Writer& out) const;

  // Of one resume point: "S4:" and what comes before a spill; what follows a reload, up to the
  // jump to R4.
  void EmitSpillLabel(uint32_t point, Writer& out) const;
  void EmitArrival(uint32_t point, absl::string_view value, Writer& out) const;

 private:
  void EmitSharedReloads(const FrameTree& tree, absl::string_view point, absl::string_view value,
                         Writer& out) const;

  const ir::Function& f_;
  const ExpressionPrinter& printer_;
  const std::vector<analysis::FrameLayout>& layouts_;
  const std::string first_site_;  // its name
  std::vector<std::vector<uint32_t>> groups_;
  std::vector<ir::VarId> result_;     // by resume point: the variable of a single result, or kNone
  std::vector<ir::LabelId> handler_;  // by resume point, or kNone
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTION_SUSPENSION_H_
