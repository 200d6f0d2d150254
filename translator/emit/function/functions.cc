#include "translator/emit/function/functions.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "translator/analysis/resume_paths.h"
#include "translator/analysis/stack_checks.h"
#include "translator/emit/function/expressions.h"
#include "translator/emit/function/pieces.h"
#include "translator/emit/function/slots.h"
#include "translator/emit/function/statements.h"
#include "translator/emit/function/suspension.h"
#include "translator/emit/function/variables.h"
#include "translator/emit/names.h"
#include "translator/emit/writer.h"
#include "translator/wasm/error.h"

// note [shapes]
//
// plain    cannot suspend: an ordinary function.
// split    a fast clone, called normally, that pushes its live values and returns 0 when a callee
//          suspended; and a resume clone, the same body behind an entry switch, that the trampoline
//          calls. Calls made by the resume clone reach the fast clones of others.
// shared   one body with the entry switch; ResumeShared sets the point and calls it. Half the
//          text, but every call pays a test at entry and the switch makes the body's loops
//          irreducible.
// pieces   too large for a C++ compiler as one function, whether it suspends or not: see
//          translator/emit/function/pieces.h.
//
// A function that makes tail calls has a *body* in one of these shapes, and a wrapper that calls it
// and then makes the calls it asks for (see runtime/core/trampoline.cc, note [tail calls]).
//
// `auto` splits what is small, or has a loop that does not suspend, or is the loop of an
// interpreter; the rest is shared.

namespace fermata::emit {
namespace {

using ir::Stmt;

// Largest bodies that are split, in bytes of wasm; `loop`: where a loop does not suspend. In large
// modules code size and compile time matter more.
struct SplitLimits {
  uint32_t bytes;
  uint32_t loop;
};
constexpr SplitLimits kSmallModule = {1000, 4000};
constexpr SplitLimits kLargeModule = {60, 400};

constexpr uint32_t kMostPoints = 1000;  // each is an edge from the entry switch into the body
constexpr uint64_t kMostLiveValues = 8'000'000;  // bounds the text of spills and reloads
constexpr size_t kColumns = 100;                 // of declarations
constexpr uint32_t kMostFrameWords = 0xffff;     // core::Footer::words

// A loop and a table of jumps to many places: the heart of an interpreter, whose speed is the
// program's.
bool IsInterpreter(const ir::Function& f) {
  constexpr size_t kManyPlaces = 64;
  return f.has_loop && std::any_of(f.stmts.begin(), f.stmts.end(), [](const Stmt& s) {
           return s.kind == ir::StmtKind::kJumpTable && s.labels.size() >= kManyPlaces &&
                  absl::flat_hash_set<ir::LabelId>(s.labels.begin(), s.labels.end()).size() >=
                      kManyPlaces;
         });
}

FunctionShape ChooseShape(const ModuleContext& context, const ir::Function& f) {
  const uint32_t bytes = context.module.functions[f.index].body.size();
  if (bytes > context.options.giant_bytes || f.point_count > kMostPoints) {
    return FunctionShape::kPieces;
  }
  if (f.point_count == 0) return FunctionShape::kPlain;
  switch (context.options.shape) {
    case Shape::kSplit:
      return FunctionShape::kSplit;
    case Shape::kShared:
      return FunctionShape::kShared;
    case Shape::kAuto:
      break;
  }
  const SplitLimits& limits = context.large() ? kLargeModule : kSmallModule;
  if (IsInterpreter(f)) return FunctionShape::kSplit;
  const bool has_hot_loop = f.has_loop && (!f.suspends_in_loop || analysis::WorthPeeling(f));
  return bytes <= (has_hot_loop ? limits.loop : limits.bytes) ? FunctionShape::kSplit
                                                              : FunctionShape::kShared;
}

class FunctionEmitter {
 public:
  FunctionEmitter(const ModuleContext& context, const ir::Function& f,
                  const analysis::LiveSets& live, uint32_t first_site)
      : context_(context),
        f_(f),
        type_(*f.type),
        name_(FunctionName(context.module, f.index)),
        body_name_(BodyName(context, f.index)),
        printer_(context, f),
        suspension_(f, live, printer_, first_site),
        statements_(context, f, printer_, out_),
        variables_(VariablesIn(f.stmts)) {}

  EmittedFunction Run() {
    result_.shape = ChooseShape(context_, f_);
    CollectSites();
    EmitTitle();
    switch (result_.shape) {
      case FunctionShape::kPlain:
        EmitDefinition(Body::kFast);
        break;
      case FunctionShape::kSplit:
        EmitDefinition(Body::kFast);
        EmitResumeClone();
        break;
      case FunctionShape::kShared:
        EmitDefinition(Body::kShared);
        EmitAddress();
        break;
      case FunctionShape::kPieces:
        EmitInPieces();
        break;
    }
    if (context_.has_tail_calls(f_.index)) EmitWrapper();
    FinishPart();
    for (uint32_t part = 1; pieces_ && part < pieces_->parts(); ++part) {
      pieces_->EmitPart(part);
      FinishPart();
    }
    return std::move(result_);
  }

 private:
  void FinishPart() { result_.parts.push_back(out_.Take()); }

  void CollectSites() {
    result_.sites.resize(f_.point_count);
    for (const Stmt& s : f_.stmts) {
      if (s.point == ir::kNone) continue;
      const analysis::FrameLayout& layout = suspension_.layouts()[s.point];
      result_.sites[s.point] = {f_.index,
                                s.point,
                                s.offset,
                                layout.words,
                                layout.letters,
                                false,
                                s.handler != ir::kNone,
                                CalleeAt(s)};
    }
  }

  uint16_t CalleeAt(const Stmt& s) const {
    switch (s.kind) {
      case ir::StmtKind::kYield:
        return kYields;
      case ir::StmtKind::kCall:
        return context_.has_tail_calls(s.index) ? kCallsAny : Callee(kCallsFunction, s.index);
      case ir::StmtKind::kCallIndirect:
      case ir::StmtKind::kCallRef:
        return Callee(kCallsType, s.index);
      default:
        return kCallsAny;
    }
  }
  static uint16_t Callee(uint16_t kind, uint32_t index) {
    const uint64_t number = kind + 2 * uint64_t{index};
    return number <= UINT16_MAX ? static_cast<uint16_t>(number) : kCallsAny;
  }

  void EmitTitle() {
    const auto& names = context_.module.names.functions;
    out_.Emit("\n// function $0", f_.index);
    if (f_.index < names.size() && !names[f_.index].empty()) {
      out_.Emit(" \"$0\"", ForComment(names[f_.index]));
    }
    out_.Emit(": $0", Name(result_.shape));
    if (f_.point_count > 0) {
      // More than a comment holds. A path may be as long as the module has functions.
      constexpr uint32_t kMostFunctions = 24;
      out_.Emit(", $0 suspension point$1; $2", f_.point_count, f_.point_count == 1 ? "" : "s",
                ForComment(analysis::Explain(context_.module, context_.suspension, f_.index,
                                             kMostFunctions)));
    }
    out_.Put("\n");
  }

  // Everything up to the opening brace.
  void EmitSignature() {
    const bool internal = context_.internal[f_.index] && body_name_ == name_;
    out_.Emit("$0$1 $2(Instance* base", internal ? "static " : "", ReturnType(type_), body_name_);
    for (uint32_t i = 0; i < type_.params.size(); ++i) {
      out_.Put(", ", CType(f_.vars[i].type), " ", printer_.Var(i));
    }
    out_.Put(") {\n");
  }
  void EmitResumeSignature() {
    out_.Emit("u64 $0_resume(Instance* base, u32 point, u8* frame, u64 value) {\n", name_);
  }

  // The fast clone or the shared body.
  void EmitDefinition(Body body) {
    body_ = body;
    EmitSignature();
    statements_.Begin(body);
    EmitProlog();
    // A resumed function starts on a fresh native stack.
    const uint32_t need = context_.stack_need[f_.index];
    const uint32_t check = need == 0 ? ir::kNone : analysis::StackCheckPosition(f_, need);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      if (i == check) out_.Emit("  check_stack(base, $0u);\n", need);
      statements_.Emit(f_.stmts[i]);
    }
    statements_.EmitLeave();
    if (body_ == Body::kShared) EmitEntrySwitch();
    if (f_.point_count > 0) {
      suspension_.EmitSpills("PUSH($0)", statements_.LeaveStatement(), {}, out_);
    }
    out_.Put("}\n");
  }

  void EmitProlog() {
    out_.Put("  SELF;\n");
    statements_.EmitCommon();
    EmitDeclarations();
    if (f_.point_count == 0) return EmitZeroLocals();
    out_.Put("  [[maybe_unused]] u32 site;\n  u8* frame;\n");
    if (body_ == Body::kShared) {
      out_.Put("  u64 value;\n  if (FERMATA_UNLIKELY(self.resume_point != 0)) goto E;\n");
    }
    EmitZeroLocals();
  }

  void EmitResumeClone() {
    body_ = Body::kResume;
    const analysis::ResumePaths paths = analysis::FindResumePaths(f_, analysis::WorthPeeling(f_));
    std::vector<bool> used(f_.stmts.size());
    std::vector<bool> suspends_again(f_.point_count, false);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      const Stmt& s = f_.stmts[i];
      const bool reached = std::any_of(paths.parts.begin(), paths.parts.end(),
                                       [&](const std::vector<bool>& part) { return part[i]; });
      used[i] = reached || s.point != ir::kNone;
      if (s.point != ir::kNone) suspends_again[s.point] = reached;
    }
    EmitResumeSignature();
    statements_.Begin(body_);
    out_.Put("  SELF;\n");
    statements_.EmitCommon();
    DeclareVariables(f_, VariablesIn(f_.stmts, used), printer_, "", out_);
    out_.Put("  [[maybe_unused]] u32 site;\n  switch (point) {\n");
    suspension_.EmitReloads("point", "value", out_);
    out_.Put("  default: FERMATA_UNREACHABLE;\n  }\n");
    for (uint32_t part = 0; part < paths.parts.size(); ++part) EmitPart(paths, part);
    statements_.EmitLeave();
    suspension_.EmitSpills("REWRITE($0)", "return 0;", suspends_again, out_);
    out_.Put("}\n");
  }

  void EmitPart(const analysis::ResumePaths& paths, uint32_t part) {
    statements_.BeginPart(&paths, part);
    for (uint32_t i = 0; i < f_.stmts.size(); ++i) {
      const Stmt& s = f_.stmts[i];
      const bool reached = paths.parts[part][i];
      if (reached) {
        statements_.Emit(s);
      } else if (part == 0 && s.point != ir::kNone) {
        statements_.EmitResumption(s);
      } else {
        continue;
      }
      if ((reached && ir::EndsFlow(s)) || i + 1 == f_.stmts.size()) continue;
      const Stmt& next = f_.stmts[i + 1];
      if (next.kind == ir::StmtKind::kLabel && paths.Target(part, next.label) != part) {
        out_.Put("  goto ", statements_.Label(next.label), ";\n");
      }
    }
  }

  // The parameters are declared by the signature.
  void EmitDeclarations() {
    const auto begin = std::lower_bound(variables_.begin(), variables_.end(), type_.params.size());
    DeclareVariables(f_, absl::MakeConstSpan(variables_).subspan(begin - variables_.begin()),
                     printer_, "", out_);
  }
  void EmitZeroLocals() {
    std::string numbers;
    for (ir::VarId v : variables_) {
      if (v < type_.params.size() || v >= f_.local_count) continue;
      if (f_.vars[v].type == ir::Kind::kV128) {
        out_.Put("  ", printer_.Var(v), " = v128_const(0, 0);\n");
      } else {
        absl::StrAppend(&numbers, printer_.Var(v), " = ");
      }
    }
    if (!numbers.empty()) out_.Put("  ", numbers, "0;\n");
  }

  void EmitEntrySwitch() {
    out_.Put(
        "E:\n  frame = self.resume_frame;\n  site = self.resume_point - 1;\n"
        "  self.resume_point = 0;\n  value = self.resume_value;\n  switch (site) {\n");
    suspension_.EmitReloads("site", "value", out_);
    out_.Put("  default: FERMATA_UNREACHABLE;\n  }\n");
  }

  // What the table of shared functions finds it by; static functions can't be named there.
  void EmitAddress() { out_.Put("SHARED(", body_name_, ")\n"); }

  void EmitInPieces() {
    pieces_.emplace(context_, f_, printer_, suspension_, statements_, out_);
    pieces_->EmitPart(0);
    pieces_->EmitLoop();
    EmitSignature();
    pieces_->EmitEntry();
    if (f_.point_count == 0) return;
    EmitResumeSignature();
    pieces_->EmitResumption();
  }

  void EmitWrapper() {
    out_.Emit("$0$1 $2(Instance* base", context_.internal[f_.index] ? "static " : "",
              ReturnType(type_), name_);
    std::string call = absl::StrCat(body_name_, "(base");
    for (uint32_t i = 0; i < type_.params.size(); ++i) {
      out_.Put(", ", CType(f_.vars[i].type), " ", printer_.Var(i));
      absl::StrAppend(&call, ", ", printer_.Var(i));
    }
    const bool one = type_.results.size() == 1;
    out_.Emit(") {\n  $0$1);\n  if (base->unwind == Unwind::kTailCall) {\n",
              one ? absl::StrCat("const ", ReturnType(type_), " result = ") : "", call);
    if (ReturnsSlot(type_)) {
      out_.Emit("    return slot_$0(RunTailCalls(base));\n", ReturnType(type_));
    } else {
      out_.Put("    RunTailCalls(base);\n");
      if (one) {
        out_.Emit("    return $0;\n", FromSlots(ir::Kind::kV128, "base->context->results", 0));
      }
    }
    out_.Put(one ? "  }\n  return result;\n}\n" : "  }\n}\n");
  }

  const ModuleContext& context_;
  const ir::Function& f_;
  const wasm::FuncType& type_;
  const std::string name_;
  const std::string body_name_;
  const ExpressionPrinter printer_;
  const SuspensionEmitter suspension_;
  Writer out_;
  StatementEmitter statements_;
  const std::vector<ir::VarId> variables_;  // in increasing order
  std::optional<PieceEmitter> pieces_;
  Body body_ = Body::kFast;
  EmittedFunction result_;
};

}  // namespace

const char* Name(FunctionShape shape) {
  switch (shape) {
    case FunctionShape::kPlain:
      return "plain";
    case FunctionShape::kSplit:
      return "split";
    case FunctionShape::kShared:
      return "shared";
    default:
      return "pieces";
  }
}

size_t EmittedFunction::text_bytes() const {
  size_t bytes = 0;
  for (const std::string& part : parts) bytes += part.size();
  return bytes;
}

absl::StatusOr<EmittedFunction> EmitFunction(const ModuleContext& context, const ir::Function& f,
                                             uint32_t first_site) {
  const auto limit = [&](absl::string_view what) {
    return wasm::ErrorIn(context.module, f.index, context.module.functions[f.index].body_offset,
                         absl::StrCat("implementation limit: ", what));
  };
  analysis::LiveSets live;
  if (!analysis::LiveAtPoints(f, kMostLiveValues, live)) {
    return limit(absl::StrCat("more than ", kMostLiveValues,
                              " values to save over all suspension points of a function"));
  }
  EmittedFunction emitted = FunctionEmitter(context, f, live, first_site).Run();
  for (const Site& site : emitted.sites) {
    if (site.words > kMostFrameWords) return limit("a frame of more than 256 KiB");
  }
  return emitted;
}

std::string BodyName(const ModuleContext& context, uint32_t function) {
  return absl::StrCat(FunctionName(context.module, function),
                      context.has_tail_calls(function) ? "_body" : "");
}

std::string Declarations(const ModuleContext& context, std::vector<uint32_t> functions) {
  std::sort(functions.begin(), functions.end());
  std::vector<std::pair<std::string, std::string>> declared;  // "static T3 " and a name
  for (uint32_t f : functions) {
    const uint32_t type = context.graph.canonical_type[context.module.functions[f].type];
    const std::string of_type = absl::StrCat("T", type, " ");
    declared.emplace_back((context.internal[f] ? "static " : "") + of_type,
                          FunctionName(context.module, f));
    // The body may be named from other files even if the function is not.
    if (context.has_tail_calls(f)) declared.emplace_back(of_type, BodyName(context, f));
  }
  std::stable_sort(declared.begin(), declared.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  size_t line = 0;  // where the current one starts
  for (size_t i = 0; i < declared.size(); ++i) {
    const auto& [start, name] = declared[i];
    if (i > 0 && declared[i - 1].first == start && out.size() - line + name.size() < kColumns) {
      absl::StrAppend(&out, ", ", name);
      continue;
    }
    if (i > 0) out.append(";\n");
    line = out.size();
    absl::StrAppend(&out, start, name);
  }
  if (!out.empty()) out.append(";\n");
  return out;
}

}  // namespace fermata::emit
