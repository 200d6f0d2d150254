// What the user asked the translation to be.
#ifndef FERMATA_TRANSLATOR_EMIT_OPTIONS_H_
#define FERMATA_TRANSLATOR_EMIT_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fermata::emit {

// kTails: as kSplit, and what is resumed is the rest of a round of a loop, in every function.
enum class ShapeChoice : uint8_t { kAuto, kSplit, kShared, kTails };
// How guests can be paused where no import suspends them.
enum class Preempt : uint8_t { kNone, kInterrupt, kFuel };
enum class MemoryPolicy : uint8_t { kReserved, kChecked, kFixed };

struct Options {
  std::string name_space = "guest";  // may be nested: "a::b"
  std::string class_name = "Guest";
  std::string file_stem = "guest";     // generated files are <stem>.h, <stem>_module.cc, …
  std::vector<std::string> immediate;  // globs over "module.field"
  // WASI functions that never wait are immediate too; those that are, are not the host's business.
  bool wasi = false;
  uint32_t shards = 1;
  ShapeChoice shape = ShapeChoice::kAuto;
  MemoryPolicy memory = MemoryPolicy::kReserved;
  // kFixed: the bytes of memory that the guest may use, at most those it declares; absent: those.
  std::optional<uint64_t> memory_bytes;
  Preempt preempt = Preempt::kNone;
  // For microcontrollers: one instance in storage of the host's, no heap. With a fixed memory.
  bool freestanding = false;
  // Of freestanding: the bytes of frames that a held call may have; absent: what the deepest chain
  // of calls needs, which recursion that may suspend leaves open.
  std::optional<uint32_t> frame_bytes;
  // Functions of more bytes of wasm are emitted in pieces of about that many operations. Tests set
  // both. High enough that no interpreter's loop is affected: the largest known has 200 KB.
  uint32_t giant_bytes = 256 * 1024;
  uint32_t piece_size = 2000;
  // For tests: every function suspends at its entry, at each loop header and after each growth.
  bool suspend_everywhere = false;

  bool Pauses() const { return suspend_everywhere || preempt != Preempt::kNone; }
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_OPTIONS_H_
