/* Runs a kernel compiled natively. */
#include "main.h"

unsigned run(unsigned);
unsigned rare(unsigned x) { (void)x; return 0; }
unsigned kernel_run(unsigned n) { return run(n); }

int main(int argc, char** argv) {
  run_all(argc - 1, argv + 1);
  return 0;
}
