/* How wasm2c calls things. Its names changed after 1.0.32, which is the one of Debian 12. */
#ifndef FERMATA_BENCH_WASM2C_NAMES_H_
#define FERMATA_BENCH_WASM2C_NAMES_H_

#if defined(BENCH_WASM2C_NAMES_1_0_32)
#define W2C_INSTANCE(module) struct Z_##module##_instance_t
#define W2C_FUNCTION(module, name) Z_##module##Z_##name
#define W2C_INSTANTIATE(module, instance, env) \
  (Z_##module##_init_module(), Z_##module##_instantiate(instance, env))
#define W2C_FREE(module) Z_##module##_free
#else
#define W2C_INSTANCE(module) struct w2c_##module
#define W2C_FUNCTION(module, name) w2c_##module##_##name
#define W2C_INSTANTIATE(module, instance, env) wasm2c_##module##_instantiate(instance, env)
#define W2C_FREE(module) wasm2c_##module##_free
#endif

#endif
