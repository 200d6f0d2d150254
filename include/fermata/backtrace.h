// Where a call is: its functions, from the innermost out, and what they hold.
//
//   std::puts(step.backtrace().ToString().c_str());
//
//     #0  env.read (i32 3, i32 1024)                     waits for this import
//     #1  f12 parse +0x1f3: i32 7, i64 -1
//     #2  f4 main +0xa2: i32 1
//
// The back trace of a suspended or paused call is complete. Each frame has the name of its function
// (from the module's name section; empty if it has none), the function's index, and the byte offset
// in the module of the call that it is in (of the jump back, if a loop was paused). It also has the
// values that the function needs to run on, as they are in the frame: first those of 16 bytes, then
// of 8, then of 4. Values that are no longer needed are not kept.
//
// When a call traps, the functions that ran last had their values on the native stack, which is
// gone. What remains are the frames that were suspended below them, and the function that was
// running (Kind::kRunning): the trap was in it, or in a function that it called without being
// suspended there. A call that was never suspended has only that one frame, of the function that
// was called. Back traces cost nothing unless they are asked for.
#ifndef FERMATA_BACKTRACE_H_
#define FERMATA_BACKTRACE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace fermata {

struct Value;
class DynamicInstance;

// One function of a call, or the import that the call waits for.
struct BacktraceFrame {
  enum class Kind : uint8_t {
    kHeld,     // suspended or paused in this function
    kImport,   // the import that the call waits for; `values` are its arguments
    kRunning,  // trapped in this function, or in what it had called: no values; `offset` is where
               // it was last resumed, 0 if it never was
  };
  Kind kind = Kind::kHeld;
  DynamicInstance* instance = nullptr;  // null: a function of the host's
  std::string name;                     // of an import: "module.field"
  uint32_t function = 0;                // index in the module, imports included
  uint32_t offset = 0;
  std::vector<Value> values;
};

// Where a call is, or was.
struct Backtrace {
  std::vector<BacktraceFrame> frames;  // innermost first; empty: the call has finished
  // A line for each frame. If there are more than `most`, only the innermost and outermost ones,
  // half of `most` each.
  std::string ToString(size_t most = 100) const;
};

}  // namespace fermata

#endif  // FERMATA_BACKTRACE_H_
