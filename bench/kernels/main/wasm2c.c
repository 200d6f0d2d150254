/* Runs a kernel translated by wasm2c, as it is or after Asyncify. */
#include "kernel_wasm2c.h"
#include "main.h"
#include "wasm2c_names.h"

W2C_INSTANCE(env) { int unused; };
u32 W2C_FUNCTION(env, rare)(W2C_INSTANCE(env)* env, u32 x) { (void)env; (void)x; return 0; }

static W2C_INSTANCE(kernel) kernel;
unsigned kernel_run(unsigned n) { return W2C_FUNCTION(kernel, run)(&kernel, n); }

int main(int argc, char** argv) {
  W2C_INSTANCE(env) env = {0};
  wasm_rt_init();
  W2C_INSTANTIATE(kernel, &kernel, &env);
  run_all(argc - 1, argv + 1);
  return 0;
}
