/* Runs a kernel translated by wasm2c, as it is or after Asyncify. */
#include "kernel_wasm2c.h"
#include "main.h"

struct Z_env_instance_t { int unused; };
u32 Z_envZ_rare(struct Z_env_instance_t* env, u32 x) { (void)env; (void)x; return 0; }

static Z_kernel_instance_t kernel;
unsigned kernel_run(unsigned n) { return Z_kernelZ_run(&kernel, n); }

int main(int argc, char** argv) {
  struct Z_env_instance_t env = {0};
  wasm_rt_init();
  Z_kernel_init_module();
  Z_kernel_instantiate(&kernel, &env);
  run_all(argc - 1, argv + 1);
  return 0;
}
