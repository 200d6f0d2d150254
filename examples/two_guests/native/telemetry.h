#ifndef TWO_GUESTS_NATIVE_TELEMETRY_H_
#define TWO_GUESTS_NATIVE_TELEMETRY_H_

#include "native/thread.h"

extern "C" void telemetry_run();

namespace guest {

class Telemetry {
 public:
  struct board_sleep_ms {
    static constexpr native::Wait kWait = native::Wait::kSleep;
    static board_sleep_ms From(const int32_t* a) { return {a[0]}; }
    int32_t a0;
  };
  struct board_write {
    static constexpr native::Wait kWait = native::Wait::kWrite;
    static board_write From(const int32_t* a) { return {a[0], a[1]}; }
    int32_t a0, a1;
  };

  template <class Values>
  native::Started Start(Values& values, const void*) {
    native::Bind(values);
    return {};
  }
  native::Step<void, Telemetry> run() {
    thread_.Start([](int32_t) -> int32_t { return telemetry_run(), 0; }, 0, stack_,
                  sizeof(stack_) / 4);
    return native::Step<void, Telemetry>(&thread_);
  }
  native::Memory memory() const { return {}; }

 private:
  native::Thread thread_;
  uint32_t stack_[128];
};

}  // namespace guest

#endif  // TWO_GUESTS_NATIVE_TELEMETRY_H_
