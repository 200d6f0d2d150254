// The guests without WebAssembly: the same C, compiled for the processor, as threads that have a
// stack each. It is the comparison for what the guests cost as WebAssembly: flash, RAM for stacks
// against RAM for frames, speed. Nothing here keeps a guest from writing to whatever it likes.
//
// The classes have the names and functions of those that fermata generates, as far as main.cc uses
// them, and telemetry.h, commands.h and sieve.h stand for the generated headers.
#ifndef TWO_GUESTS_NATIVE_THREAD_H_
#define TWO_GUESTS_NATIVE_THREAD_H_

#include <stddef.h>
#include <stdint.h>

namespace native {

// What a thread waits for.
enum class Wait : uint8_t { kNothing, kSleep, kRead, kWrite, kPause };

// A call of a function on a stack of its own.
class Thread {
 public:
  // Starts the call. `stack` is of whole words and belongs to the thread until it has ended.
  void Start(int32_t (*function)(int32_t), int32_t argument, uint32_t* stack, size_t words);
  // Runs until the thread waits again or has ended; `answer` is what it waited for.
  void Run(int32_t answer);
  bool ended() const { return ended_; }
  int32_t result() const { return answer_; }
  Wait wait() const { return wait_; }
  const int32_t* arguments() const { return arguments_; }
  // The sieve's: makes it wait soon, with kPause. Also in an interrupt.
  void Interrupt() { interrupted_ = true; }

  // In the thread that runs: waits, and returns the answer.
  static int32_t Suspend(Wait wait, int32_t a0 = 0, int32_t a1 = 0);
  static bool TakeInterrupt();

 private:
  static void Main();

  void* stack_pointer_ = nullptr;
  void* callers_stack_pointer_ = nullptr;
  int32_t (*function_)(int32_t) = nullptr;
  int32_t answer_ = 0;
  int32_t arguments_[2] = {};
  Wait wait_ = Wait::kNothing;
  bool ended_ = false;
  volatile bool interrupted_ = false;
};

// What the guests' plain calls reach: main.cc's Values.
struct PlainCalls {
  void* values;
  int32_t (*get)(void* values, int32_t which);
  void (*set)(void* values, int32_t which, int32_t value);
  int32_t (*temperature)(void* values);
};
extern PlainCalls plain_calls;

template <class Values>
void Bind(Values& values) {
  plain_calls = {&values,
                 [](void* v, int32_t which) { return static_cast<Values*>(v)->board_get(which); },
                 [](void* v, int32_t which, int32_t value) {
                   static_cast<Values*>(v)->board_set(which, value);
                 },
                 [](void* v) { return static_cast<Values*>(v)->board_temperature(); }};
}

// What Start returns.
struct Started {
  bool finished() const { return true; }
};

struct Span {
  const uint8_t* data;
  uint32_t size;
  explicit operator bool() const { return true; }
};
struct Memory {
  native::Span Span(uint32_t address, uint32_t size) const {
    return {reinterpret_cast<const uint8_t*>(static_cast<uintptr_t>(address)), size};
  }
};

// A thread as main.cc sees it.
template <class R, class Guest>
class Step {
 public:
  Step() = default;
  explicit Step(Thread* thread) : thread_(thread) {}
  bool finished() const { return thread_ != nullptr && thread_->ended(); }
  bool paused() const { return !finished() && thread_->wait() == Wait::kPause; }
  bool trapped() const { return false; }
  int32_t value() const { return thread_->result(); }
  template <class Op>
  bool Is() const {
    return !finished() && thread_->wait() == Op::kWait;
  }
  template <class Op>
  Op Get() const {
    return Op::From(thread_->arguments());
  }
  template <class Op>
  void Resume(int32_t answer = 0) {
    thread_->Run(answer);
  }
  void Continue() { thread_->Run(0); }

 private:
  Thread* thread_ = nullptr;
};

}  // namespace native

#endif  // TWO_GUESTS_NATIVE_THREAD_H_
