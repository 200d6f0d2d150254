// Where a call is: its functions, from the innermost out, and what they hold.
//
//   std::puts(step.backtrace().ToString().c_str());
//
//     #0  env.read (i32 3, i32 1024)                     waits for this import
//     #1  f12 parse +0x1f3: i32 7, i64 -1
//     #2  f4 main +0xa2: i32 1
//
// A suspended or paused call is known wholly: each frame has its function's name (of the module's
// name section; empty if it has none), its index, the byte offset in the module of the call that it
// is in (of the jump back, where a loop was paused), and the values that it needs to run on, as
// they are in the frame: 16-byte ones first, then those of 8 bytes, then of 4. Values that it does
// not need any more are not kept.
//
// Of a call that trapped, what ran last had its values on the native stack, which is gone. Known
// are the frames that were suspended below it, and the function that was running: the trap was in
// it, or in a function that it called without being suspended there (Kind::kRunning). A call that
// was never suspended has only that one frame, the function that was called. Nothing of this costs
// anything unless it is asked for.
#ifndef FERMATA_BACKTRACE_H_
#define FERMATA_BACKTRACE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace fermata {

struct Value;
class DynamicInstance;

struct BacktraceFrame {
  enum class Kind : uint8_t {
    kHeld,     // suspended or paused in this function
    kImport,   // the import that the call waits for; `values` are its arguments
    kRunning,  // trapped in this function, or in what it had called: no values; `offset` is where
               // it was last resumed, 0 if it never was
  };
  Kind kind = Kind::kHeld;
  DynamicInstance* instance = nullptr;  // null: a function of the host's
  std::string name;                     // an import's: "module.field"
  uint32_t function = 0;                // index in the module; an import's too
  uint32_t offset = 0;
  std::vector<Value> values;
};

struct Backtrace {
  std::vector<BacktraceFrame> frames;  // innermost first; empty: the call has finished
  // A line for each frame; of more than `most` only the outer and the inner half.
  std::string ToString(size_t most = 100) const;
};

}  // namespace fermata

#endif  // FERMATA_BACKTRACE_H_
