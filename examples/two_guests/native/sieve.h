#ifndef TWO_GUESTS_NATIVE_SIEVE_H_
#define TWO_GUESTS_NATIVE_SIEVE_H_

#include "native/thread.h"

extern "C" int count_primes(unsigned limit);  // guests/sieve.c

namespace guest {

class Sieve {
 public:
  native::Started Start(const void*) { return {}; }
  native::Step<int32_t, Sieve> count_primes(int32_t limit) {
    thread_.Start([](int32_t n) -> int32_t { return ::count_primes(static_cast<unsigned>(n)); },
                  limit, stack_, sizeof(stack_) / 4);
    return native::Step<int32_t, Sieve>(&thread_);
  }
  void Interrupt() { thread_.Interrupt(); }

 private:
  native::Thread thread_;
  uint32_t stack_[128];
};

}  // namespace guest

#endif  // TWO_GUESTS_NATIVE_SIEVE_H_
