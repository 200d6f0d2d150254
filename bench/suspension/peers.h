/* The host's side of the guests that wasm2c translated. */
#ifndef FERMATA_BENCH_PEERS_H_
#define FERMATA_BENCH_PEERS_H_

#if defined(BENCH_WASM2C)
#include "bench/kernels/main/wasm2c_names.h"
#ifdef __cplusplus
extern "C" {
#endif
#include "peerroundtrip.h"
#if defined(BENCH_ASYNCIFY)
#include "peerasyncified.h"
#endif

/* What `rare` does is up to whoever instantiates the guest. */
W2C_INSTANCE(env) { u32 (*rare)(W2C_INSTANCE(env)*, u32); };
typedef W2C_INSTANCE(env) PeerEnv;
#ifdef __cplusplus
}
#endif
#endif

#endif
