// The state of the validation algorithm (specification appendix "Validation Algorithm"): the stack
// of operand types and the stack of control frames.
//
// After an unconditional branch the rest of the block can't be reached, and its operand stack is
// polymorphic: below the values pushed since, it holds whatever is asked for, as kBottom. The flag
// `unreachable` says so for one frame. That is a matter of typing; whether the code of a frame can
// be reached at all, which is what listeners want to know, is `sent`: a block inside unreachable
// code has an ordinary stack, but nobody is told of it.
//
// Errors go to the decoder (the first one sticks), at the position of the current instruction.
// After an error the types mean nothing, but all calls stay safe.
#ifndef FERMATA_TRANSLATOR_VALIDATE_TYPE_CHECKER_H_
#define FERMATA_TRANSLATOR_VALIDATE_TYPE_CHECKER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "translator/validate/sink.h"
#include "translator/wasm/decoder.h"
#include "translator/wasm/limits.h"

namespace fermata::validate {

class TypeChecker {
 public:
  enum FrameKind : uint8_t { kFunction, kBlock, kLoop, kIf, kElse, kTry, kCatch, kCatchAll };

  struct Frame {
    BlockType type;
    uint32_t height = 0;  // of the operand stack, below the parameters
    FrameKind kind = kBlock;
    bool sent = false;         // the sink was told of its opening
    bool unreachable = false;  // an unconditional branch came before, in this frame

    // What a branch to the frame's label takes.
    absl::Span<const ValType> label() const { return kind == kLoop ? type.params : type.results; }
    bool live() const { return sent && !unreachable; }
  };

  TypeChecker(const wasm::Module& module, wasm::Decoder& errors)
      : module_(module), errors_(errors) {}

  void set_offset(uint32_t offset) { offset_ = offset; }
  void Fail(std::string message) { errors_.Fail(offset_, std::move(message)); }

  // ---- Operands ----
  void Push(ValType type) {
    if (stack_.size() >= wasm::kMaxOperands) return FailForDepth();
    stack_.push_back(type);
  }
  void Pop(ValType expected) {
    if (stack_.size() > base_ && stack_.back() == expected) {
      stack_.pop_back();
    } else {
      PopUnlike(expected);
    }
  }
  // As Pop; the type of the value, which may be a subtype. `expected` if the stack is polymorphic
  // there.
  ValType PopAs(ValType expected);
  // A value of any type; kBottom if the stack is polymorphic there.
  ValType PopAny();
  void PushList(absl::Span<const ValType> types);
  void PopList(absl::Span<const ValType> types);
  // As PopList, but the values stay what they are; for br_table, whose labels may differ in what
  // they would make of a polymorphic stack.
  void CheckTop(absl::Span<const ValType> types);

  // ---- Control ----
  // Opens a frame whose parameters were popped, and pushes them again as its own.
  void Open(FrameKind kind, const BlockType& type, bool sent);
  // Checks that just the results are on the stack, and removes them.
  void CheckResults();
  // Turns the `if` on top into its `else`.
  void StartElse();
  // Turns the legacy try on top into its next part, whose operands are an exception's payload.
  void StartCatch(bool all, absl::Span<const ValType> payload);
  // Removes the frame, and pushes its results in the enclosing one if there is one.
  void Close();
  void MarkUnreachable() {
    stack_.resize(base_);
    frames_.back().unreachable = true;
  }

  size_t depth() const { return frames_.size(); }
  const Frame& top() const { return frames_.back(); }
  // `depth` < depth(); 0 is the top.
  const Frame& frame(uint32_t depth) const { return frames_[frames_.size() - 1 - depth]; }

 private:
  void PopUnlike(ValType expected);
  void FailForDepth();
  void FailForType(ValType expected, const char* found);

  const wasm::Module& module_;
  wasm::Decoder& errors_;
  uint32_t offset_ = 0;
  uint32_t base_ = 0;  // height of the top frame
  std::vector<ValType> stack_;
  std::vector<Frame> frames_;
};

}  // namespace fermata::validate

#endif  // FERMATA_TRANSLATOR_VALIDATE_TYPE_CHECKER_H_
