#ifndef TWO_GUESTS_NATIVE_COMMANDS_H_
#define TWO_GUESTS_NATIVE_COMMANDS_H_

#include "native/thread.h"

extern "C" void commands_run();

namespace guest {

class Commands {
 public:
  struct board_read_byte {
    static constexpr native::Wait kWait = native::Wait::kRead;
    static board_read_byte From(const int32_t*) { return {}; }
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
  native::Step<void, Commands> run() {
    thread_.Start([](int32_t) -> int32_t { return commands_run(), 0; }, 0, stack_,
                  sizeof(stack_) / 4);
    return native::Step<void, Commands>(&thread_);
  }
  native::Memory memory() const { return {}; }

 private:
  native::Thread thread_;
  uint32_t stack_[128];
};

}  // namespace guest

#endif  // TWO_GUESTS_NATIVE_COMMANDS_H_
