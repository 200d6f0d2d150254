/* Runs a kernel translated by wasm2c. */
#include <stdio.h>
#include <stdlib.h>

#include "kernel_wasm2c.h"

struct Z_env_instance_t { int unused; };
u32 Z_envZ_rare(struct Z_env_instance_t* env, u32 x) { (void)env; (void)x; return 0; }

int main(int argc, char** argv) {
  u32 n = argc > 1 ? strtoul(argv[1], 0, 10) : 1;
  struct Z_env_instance_t env = {0};
  Z_kernel_instance_t kernel;
  wasm_rt_init();
  Z_kernel_init_module();
  Z_kernel_instantiate(&kernel, &env);
  printf("%u\n", Z_kernelZ_run(&kernel, n));
  return 0;
}
