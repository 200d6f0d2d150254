// The host's side of guests of the freestanding profile (`fermata translate
// --profile=freestanding`), for microcontrollers: no heap, no exceptions, no virtual functions, no
// library beyond memcpy, memmove and memset. docs/embedded.md is the guide.
//
// A generated class, say guest::Adder, has all of the guest in it: its memory, its instance, and
// room for the frames of one held call. A program defines an object of it, usually static, and
// starts it. It has a method for each exported function and a struct for each import that suspends
// (an *op*). Names are those of the hosted profile (fermata/step.h).
//
//   static guest::Adder adder;                       // in .bss
//   adder.Start();
//   auto step = adder.sum(4);                        // fermata::embedded::Step<int32_t, guest::Adder>
//   while (step.suspended()) {
//     if (step.Is<guest::Adder::user_number>()) {
//       const auto op = step.Get<guest::Adder::user_number>();
//       step.Resume<guest::Adder::user_number>(op.which * 10);
//     }
//   }
//   if (step.finished()) Use(step.value());
//
// One call of a guest is held at a time. A second one made meanwhile traps with kCallStackExhausted;
// exports that can't suspend may be called at any time. A guest may be started again, which drops
// all that it was.
//
// Misuse: what resumes a step that waits for something else returns false and changes nothing.
// Reading a value that isn't there (value() before the end, Get of another op) stops the program
// (__builtin_trap).
#ifndef FERMATA_EMBEDDED_H_
#define FERMATA_EMBEDDED_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fermata/core/frame.h"
#include "fermata/core/machine.h"
#include "fermata/core/trap.h"

namespace fermata::embedded {

using fermata::Trap;
using fermata::TrapMessage;

// If the program defines this function, it is called at the end of each call that traps.
void OnTrap(Trap trap);

// Implementation details, not part of the API.
namespace typed {

// Values as slots and back.
inline core::u64 ToSlot(int32_t v) { return static_cast<core::u32>(v); }
inline core::u64 ToSlot(int64_t v) { return static_cast<core::u64>(v); }
inline core::u64 ToSlot(float v) { return core::i32_reinterpret_f32(v); }
inline core::u64 ToSlot(double v) { return core::i64_reinterpret_f64(v); }
template <class T>
struct Slot;
template <>
struct Slot<int32_t> {
  static int32_t From(core::u64 s) { return static_cast<int32_t>(s); }
};
template <>
struct Slot<int64_t> {
  static int64_t From(core::u64 s) { return static_cast<int64_t>(s); }
};
template <>
struct Slot<float> {
  static float From(core::u64 s) { return core::f32_reinterpret_i32(static_cast<core::u32>(s)); }
};
template <>
struct Slot<double> {
  static double From(core::u64 s) { return core::f64_reinterpret_i64(s); }
};
template <>
struct Slot<void> {
  static void From(core::u64) {}
};
template <class T>
inline constexpr bool kIsVoid = false;
template <>
inline constexpr bool kIsVoid<void> = true;
// The argument in slot `index` of an op's frame.
template <class T>
T Argument(const uint8_t* frame, uint32_t index) {
  return Slot<T>::From(core::frame_get64(frame, 8 * index));
}

}  // namespace typed

// A stretch of a guest's memory.
struct Span {
  uint8_t* data = nullptr;
  uint32_t size = 0;
  uint8_t* begin() const { return data; }
  uint8_t* end() const { return data + size; }
  explicit operator bool() const { return data != nullptr; }
};

// A guest's linear memory. It neither moves nor grows.
class Memory {
 public:
  Memory(uint8_t* data, uint32_t size) : data_(data), size_(size) {}
  uint8_t* data() const { return data_; }
  uint32_t size() const { return size_; }
  // The `size` bytes at `address`, or none (false) if they are not all within the memory.
  embedded::Span Span(uint32_t address, uint32_t size) const {
    if (size > size_ || address > size_ - size) return {};
    return {data_ + address, size};
  }
  // A value at an address, in the guest's byte order, which has to be the host's. False, and nothing
  // done, if it is not within the memory.
  template <class T>
  bool Read(uint32_t address, T& value) const {
    const embedded::Span from = Span(address, sizeof value);
    if (from) memcpy(&value, from.data, sizeof value);
    return static_cast<bool>(from);
  }
  template <class T>
  bool Write(uint32_t address, const T& value) const {
    const embedded::Span to = Span(address, sizeof value);
    if (to) memcpy(to.data, &value, sizeof value);
    return static_cast<bool>(to);
  }

 private:
  uint8_t* data_;
  uint32_t size_;
};

// The end of a call that can't suspend: a value, or a trap.
template <class R>
class [[nodiscard]] Outcome {
 public:
  explicit Outcome(const core::CallEnd& end) : end_(end) {}
  bool finished() const { return end_.exit == core::Exit::kReturned; }
  bool trapped() const { return !finished(); }
  // kNone if it finished.
  Trap trap() const { return finished() ? Trap::kNone : end_.trap; }
  // Finished only.
  R value() const {
    if (!finished()) __builtin_trap();
    return typed::Slot<R>::From(end_.value);
  }

 private:
  core::CallEnd end_;
};

// A call as the host holds it: finished, suspended on an op, paused, or trapped. What it holds is in
// the guest, which it must not outlive. Move-only; one that was moved from counts as cancelled.
// Destroying a suspended or paused step cancels it.
template <class R, class Guest>
class [[nodiscard]] Step {
 public:
  // A cancelled step, to be assigned to.
  Step() { end_ = {core::Exit::kTrapped, Trap::kCancelled, 0}; }
  Step(core::Machine& machine, const core::CallEnd& end)
      : machine_(&machine), life_(machine.life), end_(end) {}
  Step(Step&& other) noexcept { Take(other); }
  Step& operator=(Step&& other) noexcept {
    if (this != &other) {
      Cancel();
      Take(other);
    }
    return *this;
  }
  ~Step() { Cancel(); }

  bool finished() const { return end_.exit == core::Exit::kReturned; }
  bool suspended() const { return end_.exit == core::Exit::kSuspended && IsHeld(); }
  bool interrupted() const { return end_.exit == core::Exit::kInterrupted && IsHeld(); }
  bool out_of_fuel() const { return end_.exit == core::Exit::kOutOfFuel && IsHeld(); }
  bool paused() const { return interrupted() || out_of_fuel(); }
  bool trapped() const { return !finished() && !suspended() && !paused(); }

  // Finished only.
  R value() const {
    if (!finished()) __builtin_trap();
    return typed::Slot<R>::From(end_.value);
  }
  // kNone unless it trapped; kCancelled if the guest was started anew.
  Trap trap() const {
    if (end_.exit == core::Exit::kTrapped) return end_.trap;
    return trapped() ? Trap::kCancelled : Trap::kNone;
  }

  // Whether the call is suspended on op T, and T with its arguments, if it is.
  template <class T>
  bool Is() const {
    return suspended() && core::LastFooter(machine_->activation).site == T::kSite_;
  }
  template <class T>
  T Get() const {
    if (!Is<T>()) __builtin_trap();
    const core::Activation& a = machine_->activation;
    return T::From_(a.frames + a.size - 8 * T::kSlots_ - sizeof(core::Footer));
  }

  // Answers op T with its result (nothing if T::Result is void), and runs the guest on. False, and
  // nothing done: the call is not suspended on T.
  template <class T>
  bool Resume() {
    static_assert(typed::kIsVoid<typename T::Result>, "the op has a result");
    return Is<T>() && Run(nullptr, 0);
  }
  template <class T>
  bool Resume(typename T::Result result) {
    const core::u64 slot = typed::ToSlot(result);
    return Is<T>() && Run(&slot, 1);
  }
  // Runs a paused call on. False: it is not paused.
  bool Continue() { return paused() && Run(nullptr, 0); }
  // Drops a suspended or paused call; it then counts as trapped, with kCancelled.
  void Cancel() { Drop(Trap::kCancelled); }
  // Makes a suspended or paused call fail: it traps with kHost.
  void Throw() { Drop(Trap::kHost); }

  // The bytes of frames of a suspended or paused call.
  uint32_t frame_bytes() const { return suspended() || paused() ? machine_->activation.size : 0; }

 private:
  bool Run(const core::u64* results, uint32_t count) {
    core::ResumeHeld(*machine_, Guest::kStackBytes, results, count, end_);
    return true;
  }
  void Drop(Trap trap) {
    if (!suspended() && !paused()) return;
    core::CancelHeld(*machine_);
    end_ = {core::Exit::kTrapped, trap, 0};
  }
  // The guest has not been started anew since.
  bool IsHeld() const { return machine_->life == life_; }
  void Take(Step& other) {
    machine_ = other.machine_;
    life_ = other.life_;
    end_ = other.end_;
    other.end_ = {core::Exit::kTrapped, Trap::kCancelled, 0};
  }

  core::Machine* machine_ = nullptr;
  uint32_t life_ = 0;  // Machine::life when the call was made
  core::CallEnd end_;
};

}  // namespace fermata::embedded

#endif  // FERMATA_EMBEDDED_H_
