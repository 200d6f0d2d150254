// A loop that holds a guest.
#include "counter.h"

static guest::Outside outside;

int main() {
  if (!outside.Start().finished()) return 1;
  auto step = outside.run(1000);
  outside.Interrupt();
  while (step.paused()) step.Continue();
  if (!step.finished()) return 2;
  outside.Interrupt();
  auto again = outside.run(1000);
  if (!again.paused()) return 3;
  while (again.paused()) again.Continue();
  return again.value() == step.value() ? 0 : 4;
}
