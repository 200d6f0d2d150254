#include "native/thread.h"

namespace native {
namespace {

Thread* running = nullptr;

// Goes on with another stack: saves the registers that a function must keep on this one, and
// notes where it ends.
[[gnu::naked, gnu::noinline]] void Switch(void** /*from*/, void* /*to*/) {
  __asm__ volatile(
      "push {r4-r7, lr}\n"
      "mov r4, r8\n"
      "mov r5, r9\n"
      "mov r6, r10\n"
      "mov r7, r11\n"
      "push {r4-r7}\n"
      "mov r4, sp\n"
      "str r4, [r0]\n"
      "mov sp, r1\n"
      "pop {r4-r7}\n"
      "mov r8, r4\n"
      "mov r9, r5\n"
      "mov r10, r6\n"
      "mov r11, r7\n"
      "pop {r4-r7, pc}\n");
}

}  // namespace

PlainCalls plain_calls;

void Thread::Main() {
  Thread* self = running;
  self->answer_ = self->function_(self->answer_);
  self->ended_ = true;
  Switch(&self->stack_pointer_, self->callers_stack_pointer_);
}

void Thread::Start(int32_t (*function)(int32_t), int32_t argument, uint32_t* stack, size_t words) {
  *this = Thread();
  function_ = function;
  constexpr size_t kSaved = 9;  // registers, the last of which is where Switch returns to
  uint32_t* top = stack + words / 2 * 2 - 2 - kSaved;
  for (size_t i = 0; i < kSaved; ++i) top[i] = 0;
  top[kSaved - 1] = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&Main));
  stack_pointer_ = top;
  Run(argument);
}

void Thread::Run(int32_t answer) {
  answer_ = answer;
  wait_ = Wait::kNothing;
  running = this;
  Switch(&callers_stack_pointer_, stack_pointer_);
  running = nullptr;
}

int32_t Thread::Suspend(Wait wait, int32_t a0, int32_t a1) {
  Thread* self = running;
  self->wait_ = wait;
  self->arguments_[0] = a0;
  self->arguments_[1] = a1;
  Switch(&self->stack_pointer_, self->callers_stack_pointer_);
  return self->answer_;
}

bool Thread::TakeInterrupt() {
  if (!running->interrupted_) return false;
  running->interrupted_ = false;
  return true;
}

}  // namespace native

// What guests/guest.h declares.
extern "C" {

void sleep_ms(unsigned milliseconds) {
  native::Thread::Suspend(native::Wait::kSleep, static_cast<int32_t>(milliseconds));
}
int read_byte() { return native::Thread::Suspend(native::Wait::kRead); }
void write_bytes(const char* bytes, unsigned size) {
  native::Thread::Suspend(native::Wait::kWrite,
                          static_cast<int32_t>(reinterpret_cast<uintptr_t>(bytes)),
                          static_cast<int32_t>(size));
}
int temperature() { return native::plain_calls.temperature(native::plain_calls.values); }
int get_value(int which) { return native::plain_calls.get(native::plain_calls.values, which); }
void set_value(int which, int value) {
  native::plain_calls.set(native::plain_calls.values, which, value);
}

// The compiler calls this at each branch of the sieve (-fsanitize-coverage=trace-pc).
void __sanitizer_cov_trace_pc() {
  if (native::Thread::TakeInterrupt()) native::Thread::Suspend(native::Wait::kPause);
}

}  // extern "C"
