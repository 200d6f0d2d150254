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
struct FiberInstance : Z_env_instance_t {
  FiberInstance() : Z_env_instance_t{Suspend} {
    static const bool initialized = [] {
      wasm_rt_init();
      Z_wasm2c_roundtrip_init_module();
      return true;
    }();
    (void)initialized;
    Z_wasm2c_roundtrip_instantiate(&guest, this);
  }
  ~FiberInstance() { Z_wasm2c_roundtrip_free(&guest); }
  FiberInstance(const FiberInstance&) = delete;

  static u32 Suspend(Z_env_instance_t* env, u32) {
    auto* self = static_cast<FiberInstance*>(env);
    self->host = std::move(self->host).resume();
    return self->answer;
  }

  Z_wasm2c_roundtrip_instance_t guest;
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
                 Z_wasm2c_roundtripZ_hold(&instance.guest, depth);
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
