#include <cstdio>

#include "adder.h"

int main() {
  auto adder = guest::Adder::Create();
  if (!adder.ok()) return std::fprintf(stderr, "%s\n", adder.status().ToString().c_str()), 1;

  auto step = (*adder)->sum(4);  // runs until the guest's first call of number()
  while (step.suspended()) {     // the call's native stack is gone; its frame is data in `step`
    const auto [which] = std::get<guest::Adder::user_number>(step.op());
    std::printf("number %d? suspended in %u bytes\n", which, step.frame_bytes());
    if (!step.Resume<guest::Adder::user_number>(which * 10).ok()) return 1;
  }
  if (!step.finished()) return std::fprintf(stderr, "%s\n", step.message().c_str()), 1;
  std::printf("sum = %d\n", step.value());
}
