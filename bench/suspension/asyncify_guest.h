// A call of the guest after Asyncify and wasm2c: the import unwinds the guest's calls into a buffer
// in its memory; to resume, the same call is made again and rewinds them.
#ifndef FERMATA_BENCH_ASYNCIFY_GUEST_H_
#define FERMATA_BENCH_ASYNCIFY_GUEST_H_

#if defined(BENCH_ASYNCIFY)
#include "bench/suspension/peers.h"

namespace bench {

class AsyncifyCall : Z_env_instance_t {
 public:
  explicit AsyncifyCall(u32 depth) : Z_env_instance_t{Rare}, depth_(depth) {
    wasm_rt_init();
    Z_wasm2c_asyncified_init_module();
    Z_wasm2c_asyncified_instantiate(&guest_, this);
    buffer_ = Z_wasm2c_asyncifiedZ_asyncify_buffer(&guest_);
    Call();
  }
  ~AsyncifyCall() { Z_wasm2c_asyncified_free(&guest_); }
  AsyncifyCall(const AsyncifyCall&) = delete;

  void Resume() {
    Z_wasm2c_asyncifiedZ_asyncify_start_rewind(&guest_, buffer_);
    rewinding_ = true;
    Call();
  }

 private:
  void Call() {
    Z_wasm2c_asyncifiedZ_hold(&guest_, depth_);
    Z_wasm2c_asyncifiedZ_asyncify_stop_unwind(&guest_);
  }
  static u32 Rare(Z_env_instance_t* env, u32) {
    auto* self = static_cast<AsyncifyCall*>(env);
    if (self->rewinding_) {
      self->rewinding_ = false;
      Z_wasm2c_asyncifiedZ_asyncify_stop_rewind(&self->guest_);
      return 1;
    }
    Z_wasm2c_asyncifiedZ_asyncify_start_unwind(&self->guest_, self->buffer_);
    return 0;
  }

  Z_wasm2c_asyncified_instance_t guest_;
  u32 depth_;
  u32 buffer_ = 0;
  bool rewinding_ = false;
};

}  // namespace bench
#endif

#endif  // FERMATA_BENCH_ASYNCIFY_GUEST_H_
