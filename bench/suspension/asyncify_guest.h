// A call of the guest after Asyncify and wasm2c: the import unwinds the guest's calls into a buffer
// in its memory; to resume, the same call is made again and rewinds them.
#ifndef FERMATA_BENCH_ASYNCIFY_GUEST_H_
#define FERMATA_BENCH_ASYNCIFY_GUEST_H_

#if defined(BENCH_ASYNCIFY)
#include "bench/suspension/peers.h"

namespace bench {

class AsyncifyCall : PeerEnv {
 public:
  explicit AsyncifyCall(u32 depth) : PeerEnv{Rare}, depth_(depth) {
    wasm_rt_init();
    W2C_INSTANTIATE(peerasyncified, &guest_, this);
    buffer_ = W2C_FUNCTION(peerasyncified, asyncify_buffer)(&guest_);
    Call();
  }
  ~AsyncifyCall() { W2C_FREE(peerasyncified)(&guest_); }
  AsyncifyCall(const AsyncifyCall&) = delete;

  void Resume() {
    W2C_FUNCTION(peerasyncified, asyncify_start_rewind)(&guest_, buffer_);
    rewinding_ = true;
    Call();
  }

 private:
  void Call() {
    W2C_FUNCTION(peerasyncified, hold)(&guest_, depth_);
    W2C_FUNCTION(peerasyncified, asyncify_stop_unwind)(&guest_);
  }
  static u32 Rare(PeerEnv* env, u32) {
    auto* self = static_cast<AsyncifyCall*>(env);
    if (self->rewinding_) {
      self->rewinding_ = false;
      W2C_FUNCTION(peerasyncified, asyncify_stop_rewind)(&self->guest_);
      return 1;
    }
    W2C_FUNCTION(peerasyncified, asyncify_start_unwind)(&self->guest_, self->buffer_);
    return 0;
  }

  W2C_INSTANCE(peerasyncified) guest_;
  u32 depth_;
  u32 buffer_ = 0;
  bool rewinding_ = false;
};

}  // namespace bench
#endif

#endif  // FERMATA_BENCH_ASYNCIFY_GUEST_H_
