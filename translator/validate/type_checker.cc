#include "translator/validate/type_checker.h"

#include "absl/strings/str_cat.h"
#include "translator/wasm/subtyping.h"

namespace fermata::validate {

void TypeChecker::FailForDepth() {
  Fail(absl::StrCat("operand stack too deep (the limit is ", wasm::kMaxOperands, ")"));
}

void TypeChecker::FailForType(ValType expected, const char* found) {
  Fail(absl::StrCat("type mismatch: expected ", Name(expected), ", found ", found));
}

// Everything but a value of just the expected type.
void TypeChecker::PopUnlike(ValType expected) {
  if (stack_.size() == base_) {
    if (!top().unreachable) FailForType(expected, "nothing");
    return;
  }
  const ValType found = stack_.back();
  stack_.pop_back();
  if (found == ValType::kBottom || expected == ValType::kBottom) return;
  if (wasm::IsSubtype(module_, found, expected)) return;
  FailForType(expected, Name(found));
}

ValType TypeChecker::PopAs(ValType expected) {
  const ValType found = stack_.size() > base_ ? stack_.back() : ValType();
  Pop(expected);
  return found == ValType::kBottom ? expected : found;
}

ValType TypeChecker::PopAny() {
  if (stack_.size() == base_) {
    if (!top().unreachable) Fail("type mismatch: expected a value, found nothing");
    return ValType::kBottom;
  }
  const ValType found = stack_.back();
  stack_.pop_back();
  return found;
}

void TypeChecker::PushList(absl::Span<const ValType> types) {
  if (types.size() > wasm::kMaxOperands - stack_.size()) return FailForDepth();
  stack_.insert(stack_.end(), types.begin(), types.end());
}

void TypeChecker::PopList(absl::Span<const ValType> types) {
  for (size_t i = types.size(); i > 0; --i) Pop(types[i - 1]);
}

void TypeChecker::CheckTop(absl::Span<const ValType> types) {
  size_t height = stack_.size();
  for (size_t i = types.size(); i > 0; --i) {
    if (height == base_) {
      if (!top().unreachable) FailForType(types[i - 1], "nothing");
      return;
    }
    const ValType found = stack_[--height];
    if (found != ValType::kBottom && !wasm::IsSubtype(module_, found, types[i - 1])) {
      return FailForType(types[i - 1], Name(found));
    }
  }
}

void TypeChecker::Open(FrameKind kind, const BlockType& type, bool sent) {
  if (frames_.size() >= wasm::kMaxNesting) {
    return Fail(absl::StrCat("blocks nested too deep (the limit is ", wasm::kMaxNesting, ")"));
  }
  base_ = static_cast<uint32_t>(stack_.size());
  frames_.push_back({type, base_, kind, sent, false});
  PushList(type.params);
}

void TypeChecker::CheckResults() {
  PopList(top().type.results);
  if (stack_.size() != base_) {
    Fail(absl::StrCat("type mismatch: ", stack_.size() - base_, " more values than the ",
                      top().type.results.size(), " results at the end of the ",
                      top().kind == kFunction ? "function" : "block"));
  }
}

void TypeChecker::StartElse() {
  Frame& frame = frames_.back();
  stack_.resize(frame.height);
  frame.kind = kElse;
  frame.unreachable = false;
  PushList(frame.type.params);
}

void TypeChecker::StartCatch(bool all, absl::Span<const ValType> payload) {
  Frame& frame = frames_.back();
  stack_.resize(frame.height);
  frame.kind = all ? kCatchAll : kCatch;
  frame.unreachable = false;
  PushList(payload);
}

void TypeChecker::Close() {
  const BlockType type = top().type;
  stack_.resize(top().height);
  frames_.pop_back();
  if (frames_.empty()) return;
  base_ = frames_.back().height;
  PushList(type.results);
}

}  // namespace fermata::validate
