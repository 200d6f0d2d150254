// Guests on a microcontroller: runs them in every way there is and prints what happens, through the
// debugger's semihosting. arm_test.sh compares the output.
#include <stdint.h>

#include "embedded_device.h"
#include "embedded_tree.h"
#include "embedded_worker.h"

extern "C" {
extern uint8_t data_begin[], data_end[], data_source[], bss_begin[], bss_end[], stack_begin[],
    stack_end[];
[[noreturn]] void Reset();
[[noreturn]] void Fault();
}

__attribute__((section(".vectors"), used)) static const void* const vectors[16] = {
    stack_end, reinterpret_cast<const void*>(Reset), reinterpret_cast<const void*>(Fault),
    reinterpret_cast<const void*>(Fault)};

namespace {

using fermata::Trap;
using parts::Device;
using parts::Tree;
using parts::Worker;

static_assert(sizeof(fermata::core::Machine) + sizeof(fermata::core::Instance) <= 256,
              "the RAM of the core");

int Semihosting(int operation, const void* argument) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}
void Print(const char* text) { Semihosting(4, text); }
[[noreturn]] void Exit(bool good) {
  Semihosting(0x18, reinterpret_cast<const void*>(good ? 0x20026 : 0x20023));
  for (;;) {
  }
}
void Print(const char* what, int32_t value) {
  char digits[16];
  char* at = digits + sizeof digits;
  *--at = 0;
  *--at = '\n';
  uint32_t rest = value < 0 ? 0u - static_cast<uint32_t>(value) : static_cast<uint32_t>(value);
  do *--at = static_cast<char>('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0) *--at = '-';
  Print(what);
  Print(" ");
  Print(at);
}

struct Log {
  int32_t log_note(int32_t value, double) { return value * 2; }
  void log_flush() { Print("flush\n"); }
};

Device device;
Worker worker;
Tree tree;
Log log;

template <class Step>
void Finish(const char* what, Step& step) {
  while (step.template Is<Device::port_read>()) {
    const int32_t pin = step.template Get<Device::port_read>().pin;
    step.template Resume<Device::port_read>(pin * 10);
  }
  if (step.finished()) return Print(what, step.value());
  Print(what, -1);
}

// The native stack that a call uses: what it overwrites of a pattern below the stack pointer.
template <class Call>
__attribute__((noinline)) uint32_t StackUsed(Call call) {
  constexpr uint32_t kPattern = 0xa5c396e1;
  auto* const top = static_cast<uint32_t*>(__builtin_frame_address(0)) - 64;
  auto* const low = reinterpret_cast<uint32_t*>(bss_end);
  for (uint32_t* at = low; at != top; ++at) *static_cast<volatile uint32_t*>(at) = kPattern;
  call();
  uint32_t* at = low;
  while (*static_cast<volatile uint32_t*>(at) == kPattern) ++at;
  return static_cast<uint32_t>(top - at) * 4 + 256;
}
// Whether the translator's estimate is enough for the call, and not several times what it takes.
template <class Call>
void Compare(const char* what, uint32_t estimate, Call call) {
  const uint32_t used = StackUsed(call);
  if (used > estimate) Print("stack used", static_cast<int32_t>(used));
  if (estimate > 4 * used) Print("stack estimated", static_cast<int32_t>(estimate));
  Print(what, used <= estimate && estimate <= 4 * used);
}

void RunDevice() {
  if (!device.Start(log).finished()) Exit(false);
  auto step = device.sum(5);
  Print("frames", static_cast<int32_t>(step.frame_bytes()));
  Finish("sum", step);
  step = device.apply(3, 6, 7);
  Finish("apply", step);
  step = device.catch_2(0);
  Finish("catch", step);
  step = device.throw_2(0);
  Finish("throw", step);
  Print("note", device.note(21).value());
  auto deep = device.deep(1000, 2.5);
  deep.Resume<Device::port_wait>();
  const double scaled = static_cast<double>(deep.Get<Device::port_scale>().a0);
  deep.Resume<Device::port_scale>(scaled / 8);
  deep.Resume<Device::port_mix>(deep.Get<Device::port_mix>().a1 * 2);
  Print("deep times 2", static_cast<int32_t>(deep.value() * 2));
  Compare("stack of deep", Device::deep_need::kStackBytes, [] {
    auto step = device.deep(1000, 2.5);
    step.Resume<Device::port_wait>();
    step.Resume<Device::port_scale>(1);
    step.Resume<Device::port_mix>(1);
  });
  Compare("stack of catch", Device::catch_2_need::kStackBytes, [] {
    auto step = device.catch_2(0);
    Finish("caught", step);
  });
  Compare("stack of half", Device::half_need::kStackBytes, [] { (void)device.half(1).value(); });
  Print("outside traps", static_cast<int32_t>(device.byte(2048).trap()));
  (void)device.put_wide(93, 0x0102030405060708);
  Print("unaligned", device.word(101).value() - 0x05060708);
  Print("unaligned", device.word_behind(62).value() - 0x04050607);
  Print("unaligned", static_cast<int32_t>(device.wide(101).value() - 0x0102030405060708));
  Print("inside", device.byte(16).value());
  Print("by zero traps", static_cast<int32_t>(device.divide(1, 0).trap()));
}

void RunWorker() {
  if (!worker.Start().finished()) Exit(false);
  auto whole = worker.run(1000);
  const int32_t expected = whole.value();
  worker.Interrupt();
  auto step = worker.run(1000);
  int32_t pauses = 0;
  for (; step.paused(); ++pauses) {
    if (pauses < 99) worker.Interrupt();
    step.Continue();
  }
  Print("pauses", pauses);
  Print("same", step.value() == expected);
}

void RunTree() {
  auto start = tree.Start(stack_begin);
  start.Resume<Tree::port_read>(7);
  auto step = tree.visit(40);
  Print("visit", step.Get<Tree::port_read>().a0);
  step.Resume<Tree::port_read>(100);
  Print("visited", step.value());
  Print("too deep traps", static_cast<int32_t>(tree.visit(100).trap()));
  Print("endless traps", static_cast<int32_t>(tree.plain(1 << 20).trap()));
  Print("plain", tree.plain(10).value());
}

}  // namespace

namespace fermata::embedded {
void OnTrap(Trap trap) {
  Print(TrapMessage(trap));
  Print("\n");
}
}  // namespace fermata::embedded

extern "C" {
void Reset() {
  memcpy(data_begin, data_source, static_cast<size_t>(data_end - data_begin));
  memset(bss_begin, 0, static_cast<size_t>(bss_end - bss_begin));
  RunDevice();
  RunWorker();
  RunTree();
  Print("done\n");
  Exit(true);
}
void Fault() {
  Print("fault\n");
  Exit(false);
}
}
