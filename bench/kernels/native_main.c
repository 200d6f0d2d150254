/* Runs a kernel compiled natively. */
#include <stdio.h>
#include <stdlib.h>

unsigned run(unsigned);
unsigned rare(unsigned x) { (void)x; return 0; }

int main(int argc, char** argv) {
  printf("%u\n", run(argc > 1 ? strtoul(argv[1], 0, 10) : 1));
  return 0;
}
