// From reset to main on a Cortex-M0 or M0+, and what happens on faults. The linker script of the
// board says where things are; the names that it defines begin with an underscore.
#include "board/cortex_m0.h"

#include <stdint.h>
#include <string.h>

#include "board/board.h"
#include "board/serial.h"

extern "C" {

extern char _data_load[], _data_start[], _data_end[];  // initialized variables, in flash and RAM
extern char _bss_start[], _bss_end[];                  // variables that start as zero
extern char _stack_start[], _stack_end[];              // the stack grows down from its end
using Constructor = void (*)();
extern Constructor _constructors_start[], _constructors_end[];

int main();

// Where the processor starts.
[[noreturn]] void Reset();

}  // extern "C"

namespace board {
namespace {

void SendLineNow(const char* text) {
  while (*text != 0) SendNow(*text++);
  SendNow('\n');
}

[[noreturn]] void Stop() {
  for (;;) WaitForEvent();
}

extern "C" [[gnu::used]] void ReportFault() {
  SendLineNow("");
  SendLineNow("# fault");
  SendLineNow("# exit 1");
  Stop();
}

// A hard fault, or an exception that nothing here asks for: a fault of this program. The stack may
// have run out, and is not needed any more.
[[gnu::naked]] void Fault() {
  __asm__ volatile(
      "cpsid i\n"
      "ldr r0, =_stack_end\n"
      "mov sp, r0\n"
      "ldr r0, =ReportFault\n"
      "bx r0\n"
      ".ltorg\n");
}

// What the stack is filled with, to see how far it was used.
constexpr uint32_t kUnused = 0xa5a5a5a5;

using Handler = void (*)();

struct VectorTable {
  char* stack_end;
  Handler reset;
  Handler exceptions[14];  // 2 to 15
  Handler external[32];
};

[[gnu::section(".vectors"), gnu::used]] const VectorTable kVectors = {
    _stack_end,
    Reset,
    {Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault, Fault,
     Fault},
    {Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt,
     Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt,
     Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt,
     Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt, Interrupt}};

}  // namespace

void Sleep() { WaitForEvent(); }

Stack StackUse() {
  const auto* word = reinterpret_cast<const uint32_t*>(_stack_start);
  while (*word == kUnused) ++word;
  const char* deepest = reinterpret_cast<const char*>(word);
  return {static_cast<uint32_t>(_stack_end - deepest),
          static_cast<uint32_t>(_stack_end - _stack_start)};
}

const void* StackLimit() { return _stack_start; }

void Finish(int status) {
  while (!to_send.empty()) Sleep();
  __asm__ volatile("cpsid i" ::: "memory");
  SendLineNow(status == 0 ? "# exit 0" : "# exit 1");
  Stop();
}

}  // namespace board

void Reset() {
  // All of the stack that is not in use yet.
  uintptr_t used;
  __asm__ volatile("mov %0, sp" : "=r"(used));
  auto* word = reinterpret_cast<volatile uint32_t*>(_stack_start);
  for (; reinterpret_cast<uintptr_t>(word) < used; ++word) *word = board::kUnused;
  memcpy(_data_start, _data_load, static_cast<size_t>(_data_end - _data_start));
  memset(_bss_start, 0, static_cast<size_t>(_bss_end - _bss_start));
  for (Constructor* construct = _constructors_start; construct != _constructors_end; ++construct) {
    (*construct)();
  }
  board::Finish(main());
}
