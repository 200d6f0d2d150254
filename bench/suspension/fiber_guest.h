// A call of the wasm2c guest on a boost.context fiber: the import switches back to the host's
// stack.
#ifndef FERMATA_BENCH_FIBER_GUEST_H_
#define FERMATA_BENCH_FIBER_GUEST_H_

#if defined(BENCH_FIBERS)
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstddef>
#include <utility>

#include "bench/suspension/peers.h"

namespace bench {

// One instance, whose import suspends the fiber that is running.
struct FiberInstance : PeerEnv {
  FiberInstance() : PeerEnv{Suspend} {
    static const bool initialized = [] {
      wasm_rt_init();
      return true;
    }();
    (void)initialized;
    W2C_INSTANTIATE(peerroundtrip, &guest, this);
  }
  ~FiberInstance() { W2C_FREE(peerroundtrip)(&guest); }
  FiberInstance(const FiberInstance&) = delete;

  static u32 Suspend(PeerEnv* env, u32) {
    auto* self = static_cast<FiberInstance*>(env);
    self->host = std::move(self->host).resume();
    return self->answer;
  }

  W2C_INSTANCE(peerroundtrip) guest;
  boost::context::fiber host;
  u32 answer = 1;
};

// A call of hold(depth), suspended.
class FiberCall {
 public:
  FiberCall(FiberInstance& instance, u32 depth, size_t stack_bytes)
      : fiber_(std::allocator_arg, boost::context::protected_fixedsize_stack(stack_bytes),
               [&instance, depth](boost::context::fiber&& host) {
                 instance.host = std::move(host);
                 W2C_FUNCTION(peerroundtrip, hold)(&instance.guest, depth);
                 return std::move(instance.host);
               }) {
    Resume();
  }
  void Resume() { fiber_ = std::move(fiber_).resume(); }

 private:
  boost::context::fiber fiber_;
};

}  // namespace bench
#endif

#endif  // FERMATA_BENCH_FIBER_GUEST_H_
