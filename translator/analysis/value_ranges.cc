#include "translator/analysis/value_ranges.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include "absl/strings/string_view.h"
#include "translator/analysis/comparisons.h"

namespace fermata::analysis {
namespace {

using ir::Expr;
using ir::ExprKind;
using ir::Kind;
using ir::Stmt;
using ir::StmtKind;
using wasm::Opcode;

constexpr uint32_t kMost = 0xffffffffu;
constexpr uint32_t kMostPositive = 0x7fffffffu;
constexpr size_t kMostRanges = 2'000'000;  // of all blocks
constexpr int kVisits = 4;                 // of a block before what grows is given up
constexpr int kRefinements = 2;

Range Join(Range a, Range b) { return {std::min(a.least, b.least), std::max(a.most, b.most)}; }

// Of bounds that may be beyond 32 bits; both the same number of times, or nothing is known.
Range Wrapped(uint64_t least, uint64_t most) {
  if (least > most || least >> 32 != most >> 32) return {};
  return {static_cast<uint32_t>(least), static_cast<uint32_t>(most)};
}

// What is a bound no longer is none, so that each changes twice at most.
void GiveUp(const std::vector<Range>& before, std::vector<Range>& now) {
  for (size_t v = 0; v < before.size(); ++v) {
    now[v] = {now[v].least < before[v].least ? 0 : before[v].least,
              now[v].most > before[v].most ? kMost : before[v].most};
  }
}

// What is known of `a` if it compares so to `b`, from what is known of both before.
Range Related(Range a, Comparison comparison, Range b) {
  const Sign sign = comparison.sign;
  if (sign == Sign::kEqual) return {std::max(a.least, b.least), std::min(a.most, b.most)};
  if (sign == Sign::kNotEqual) {
    if (b.least != b.most) return a;
    return {a.least + (a.least == b.least && a.least < a.most),
            a.most - (a.most == b.least && a.least < a.most)};
  }
  if (!comparison.is_unsigned) {
    if (b.most > kMostPositive) return a;
    // Above what isn't negative is not negative.
    const bool above = sign == Sign::kGreater || sign == Sign::kGreaterOrEqual;
    if (above && b.least + (sign == Sign::kGreater) <= kMostPositive) {
      a.most = std::min(a.most, kMostPositive);
    } else if (a.most > kMostPositive) {
      return a;
    }
  }
  switch (sign) {
    case Sign::kLess:
      return {a.least, b.most == 0 ? a.most : std::min(a.most, b.most - 1)};
    case Sign::kLessOrEqual:
      return {a.least, std::min(a.most, b.most)};
    case Sign::kGreater:
      return {b.least == kMost ? a.least : std::max(a.least, b.least + 1), a.most};
    case Sign::kGreaterOrEqual:
      return {std::max(a.least, b.least), a.most};
    case Sign::kEqual:
    case Sign::kNotEqual:
      break;
  }
  return a;
}

bool IsComparison(Opcode op) {
  const absl::string_view infix = wasm::Info(op).infix == nullptr ? "" : wasm::Info(op).infix;
  return op == Opcode::kI32Eqz || op == Opcode::kI64Eqz || infix == "==" || infix == "!=" ||
         infix == "<" || infix == "<=" || infix == ">" || infix == ">=";
}

}  // namespace

ValueRanges::ValueRanges(const ir::Function& f, bool trusts_frames)
    : f_(f), trusts_frames_(trusts_frames), cfg_(f) {
  number_.assign(f.vars.size(), ir::kNone);
  for (ir::VarId v = 0; v < f.vars.size(); ++v) {
    if (f.vars[v].type == Kind::kI32) number_[v] = size_++;
  }
  const size_t blocks = cfg_.blocks().size();
  if (blocks == 0 || (size_ + 1) * blocks > kMostRanges) return;
  anything_.assign(blocks, false);
  counted_.assign(blocks, nullptr);
  for (const Stmt& s : f.stmts) {
    if (s.handler != ir::kNone) anything_[cfg_.BlockOf(s.handler)] = true;
  }
  loops_ = FindCountedLoops(f, trusts_frames);
  for (const CountedLoop& loop : loops_) counted_[cfg_.BlockOf(loop.label)] = &loop;
  Solve();
}

void ValueRanges::Enter(uint32_t i) {
  if (in_.empty()) {
    if (now_.empty()) now_ = Unknown();
    return;
  }
  if (i > 0 && i < cfg_.blocks()[block_].end) return Step(f_.stmts[i - 1], now_);
  if (i > 0) ++block_;
  now_ = in_[block_].empty() ? Unknown() : in_[block_];
}

// ---- Expressions ---------------------------------------------------------------------------------

Range ValueRanges::Of(const Expr* e, const State& state) const {
  switch (e->kind) {
    case ExprKind::kConst: {
      const auto value = static_cast<uint32_t>(e->bits);
      return e->type == Kind::kI32 ? Range{value, value} : Range{};
    }
    case ExprKind::kVar:
      return number_[e->index] == ir::kNone ? Range{} : state[number_[e->index]];
    case ExprKind::kLoad:
      if (e->op == Opcode::kI32Load8U) return {0, 0xff};
      if (e->op == Opcode::kI32Load16U) return {0, 0xffff};
      return {};
    case ExprKind::kSelect:
      return e->type == Kind::kI32 ? Join(Of(e->a, state), Of(e->b, state)) : Range{};
    case ExprKind::kNumeric:
      return e->type == Kind::kI32 ? OfNumeric(e, state) : Range{};
    default:
      return {};
  }
}

Range ValueRanges::OfNumeric(const Expr* e, const State& state) const {
  if (IsComparison(e->op)) return {0, 1};
  if (e->op == Opcode::kI32Clz || e->op == Opcode::kI32Ctz || e->op == Opcode::kI32Popcnt) {
    return {0, 32};
  }
  if (e->b == nullptr || e->b->type != Kind::kI32 || e->a->type != Kind::kI32) return {};
  const Range a = Of(e->a, state), b = Of(e->b, state);
  const bool by_constant = b.least == b.most;
  switch (e->op) {
    case Opcode::kI32Add:
      return Wrapped(uint64_t{a.least} + b.least, uint64_t{a.most} + b.most);
    case Opcode::kI32Sub:
      return Wrapped((uint64_t{1} << 32) + a.least - b.most,
                     (uint64_t{1} << 32) + a.most - b.least);
    case Opcode::kI32Mul:
      return Wrapped(uint64_t{a.least} * b.least, uint64_t{a.most} * b.most);
    case Opcode::kI32And:
      return {0, std::min(a.most, b.most)};
    case Opcode::kI32Or:
    case Opcode::kI32Xor: {
      const uint32_t bits = a.most | b.most;
      const uint32_t all = bits == 0 ? 0 : kMost >> std::countl_zero(bits);
      return {e->op == Opcode::kI32Or ? std::max(a.least, b.least) : 0, all};
    }
    case Opcode::kI32Shl:
      if (!by_constant) return {};
      return Wrapped(uint64_t{a.least} << (b.least & 31), uint64_t{a.most} << (b.least & 31));
    case Opcode::kI32ShrU:
      if (!by_constant) return {0, a.most};
      return {a.least >> (b.least & 31), a.most >> (b.least & 31)};
    case Opcode::kI32ShrS:
      if (a.most > kMostPositive) return {};
      if (!by_constant) return {0, a.most};
      return {a.least >> (b.least & 31), a.most >> (b.least & 31)};
    case Opcode::kI32DivU:
      return {b.most == 0 ? 0 : a.least / b.most, b.least == 0 ? a.most : a.most / b.least};
    case Opcode::kI32RemU:
      return {0, b.most == 0 ? a.most : std::min(a.most, b.most - 1)};
    default:
      return {};
  }
}

// ---- Statements ----------------------------------------------------------------------------------

void ValueRanges::Step(const Stmt& s, State& state) const {
  if (s.point != ir::kNone && !trusts_frames_) {
    std::fill(state.begin(), state.end(), Range{});
    return;
  }
  Range result;
  if (s.kind == StmtKind::kSet && s.args[0]->type == Kind::kI32) result = Of(s.args[0], state);
  ir::ForEachDef(s, [&](ir::VarId v) {
    if (number_[v] != ir::kNone) state[number_[v]] = result;
  });
}

void ValueRanges::Restrict(const Expr* e, Range to, State& state) const {
  // A contradiction: control does not come here. Anything is right.
  if (to.least > to.most) return;
  if (e->kind == ExprKind::kVar && number_[e->index] != ir::kNone) state[number_[e->index]] = to;
}

void ValueRanges::Refine(const Expr* condition, bool truth, State& state) const {
  if (condition->type != Kind::kI32) return;
  if (condition->kind == ExprKind::kNumeric && condition->op == Opcode::kI32Eqz) {
    return Refine(condition->a, !truth, state);
  }
  std::optional<Comparison> comparison =
      condition->kind == ExprKind::kNumeric ? ComparisonOf(condition->op) : std::nullopt;
  if (!comparison) {
    const Sign sign = truth ? Sign::kNotEqual : Sign::kEqual;
    return Restrict(condition, Related(Of(condition, state), {sign, true}, {0, 0}), state);
  }
  if (condition->a->type != Kind::kI32) return;
  if (!truth) comparison->sign = Negate(comparison->sign);
  const Range a = Of(condition->a, state), b = Of(condition->b, state);
  Restrict(condition->a, Related(a, *comparison, b), state);
  comparison->sign = Mirror(comparison->sign);
  Restrict(condition->b, Related(b, *comparison, a), state);
}

// ---- Blocks --------------------------------------------------------------------------------------

ValueRanges::State ValueRanges::After(uint32_t block) const {
  State state = in_[block];
  if (state.empty()) return state;
  const Cfg::Block& b = cfg_.blocks()[block];
  for (uint32_t i = b.begin; i < b.end; ++i) Step(f_.stmts[i], state);
  return state;
}

ValueRanges::State ValueRanges::OnEdge(uint32_t from, uint32_t to) const {
  State state = out_[from];
  const Stmt& last = f_.stmts[cfg_.blocks()[from].end - 1];
  if (state.empty() || last.kind != StmtKind::kJumpIf) return state;
  const uint32_t target = cfg_.BlockOf(last.label);
  if (target == from + 1) return state;  // both ways lead there
  Refine(last.args[0], (to == target) != last.negate, state);
  return state;
}

// What the variables that count in the loop whose head `block` is may hold there, from what they
// hold where it is entered.
void ValueRanges::Count(uint32_t block, const State& entered, State& state) const {
  const CountedLoop& loop = *counted_[block];
  if (entered.empty() || loop.rounds == 0 || loop.rounds > uint64_t{1} << 32) return;
  for (const CountedLoop::Step& step : loop.steps) {
    if (number_[step.var] == ir::kNone || step.by < -int64_t{kMost} || step.by > int64_t{kMost}) {
      continue;
    }
    const Range start = entered[number_[step.var]];
    const uint64_t size = step.by < 0 ? -step.by : step.by;
    const uint64_t changes = loop.rounds - 1;
    const bool far = size != 0 && changes > kMost / size;
    const int64_t change = far ? 0 : step.by * static_cast<int64_t>(changes);
    const int64_t least = start.least + std::min<int64_t>(change, 0);
    const int64_t most = start.most + std::max<int64_t>(change, 0);
    Range range;
    if (!far && least >= 0 && most <= int64_t{kMost}) {
      range = {static_cast<uint32_t>(least), static_cast<uint32_t>(most)};
    }
    state[number_[step.var]] = range;
  }
}

ValueRanges::State ValueRanges::Before(uint32_t block) const {
  State state, entered;
  const auto join = [](State& into, const State& from) {
    if (from.empty()) return;
    if (into.empty()) {
      into = from;
    } else {
      for (size_t v = 0; v < into.size(); ++v) into[v] = Join(into[v], from[v]);
    }
  };
  if (block == 0) {
    state = Unknown();
    for (ir::VarId v = f_.type->params.size(); v < f_.local_count; ++v) {
      if (number_[v] != ir::kNone) state[number_[v]] = {0, 0};
    }
    entered = state;
  }
  const CountedLoop* loop = counted_[block];
  for (const uint32_t p : cfg_.blocks()[block].previous) {
    const State from = OnEdge(p, block);
    join(state, from);
    const uint32_t begin = cfg_.blocks()[p].begin;
    if (loop != nullptr && (begin < loop->head || begin > loop->end)) join(entered, from);
  }
  if (anything_[block] && !state.empty()) return Unknown();
  if (loop != nullptr && !state.empty()) Count(block, entered, state);
  return state;
}

void ValueRanges::Solve() {
  const size_t blocks = cfg_.blocks().size();
  in_.assign(blocks, {});
  out_.assign(blocks, {});
  std::vector<int> visits(blocks, 0);
  std::vector<bool> changed(blocks, false);
  changed[0] = true;
  for (bool again = true; again;) {
    again = false;
    for (uint32_t b = 0; b < blocks; ++b) {
      if (!changed[b]) continue;
      changed[b] = false;
      State state = Before(b);
      if (++visits[b] > kVisits) GiveUp(in_[b], state);
      if (state == in_[b]) continue;
      in_[b] = std::move(state);
      out_[b] = After(b);
      const auto go = [&](uint32_t to) {
        changed[to] = true;
        again |= to <= b;
      };
      const Cfg::Block& block = cfg_.blocks()[b];
      for (const uint32_t next : block.next) go(next);
      for (uint32_t i = block.begin; i < block.end; ++i) {
        if (f_.stmts[i].handler != ir::kNone) go(cfg_.BlockOf(f_.stmts[i].handler));
      }
    }
  }
  // What was given up may have bounds after all, by the tests that end loops.
  for (int round = 0; round < kRefinements; ++round) {
    for (uint32_t b = 0; b < blocks; ++b) {
      if (in_[b].empty()) continue;
      in_[b] = Before(b);
      out_[b] = After(b);
    }
  }
  out_.clear();
}

}  // namespace fermata::analysis
