/* The import of the guests that wasm2c translated: one symbol for all of them. */
#include "bench/suspension/peers.h"

#if defined(BENCH_WASM2C)
u32 W2C_FUNCTION(env, rare)(PeerEnv* env, u32 x);
u32 W2C_FUNCTION(env, rare)(PeerEnv* env, u32 x) { return env->rare(env, x); }
#else
typedef int nothing; /* wasm2c is not there */
#endif
