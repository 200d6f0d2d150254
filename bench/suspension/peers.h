/* The host's side of the guests that wasm2c translated. */
#ifndef FERMATA_BENCH_PEERS_H_
#define FERMATA_BENCH_PEERS_H_

#if defined(BENCH_WASM2C)
#ifdef __cplusplus
extern "C" {
#endif
#include "wasm2c_roundtrip.h"
#if defined(BENCH_ASYNCIFY)
#include "wasm2c_asyncified.h"
#endif

/* What `rare` does is up to whoever instantiates the guest. */
struct Z_env_instance_t {
  u32 (*rare)(struct Z_env_instance_t*, u32);
};
#ifdef __cplusplus
}
#endif
#endif

#endif
