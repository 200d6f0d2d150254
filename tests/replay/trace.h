// Reads recorded traces: every transition between a host and a guest, in time order, as gzipped
// JSON lines. The first line is a header; each further line is an event:
//
//   ["call", export, [args]]      the host calls an export
//                                   -> ["res", [values]] or ["trap", text]
//   ["tcall", index, [args]]      the host calls an element of the table -> the same
//   ["imp", module, name, [args]] the guest calls an import
//                                   -> ["ret", [values]] or ["throw", text]
//   ["mem", address, base64], ["grow", pages], ["tgrow", n], ["tset", index, what]
//                                 the host changes a memory or a table
//   ["memhash", pages, sha256]    the whole memory, at the end
//
// Version 2 adds, for guests with objects:
//
//   ["fcall", id, [args]]         the host calls the guest's function {"f": id}
//   ["gget", export, value]       the host reads an exported global
//   "trap" and "throw" with a third part that says what was thrown (TraceEvent::Thrown)
//
// Calls nest to any depth. Values are as JavaScript sees them, so an i32 may come signed or
// unsigned, and an f32 as the double it widens to: they are interpreted by the type that the guest
// expects.
#ifndef FERMATA_TESTS_REPLAY_TRACE_H_
#define FERMATA_TESTS_REPLAY_TRACE_H_

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "fermata/core/module_info.h"

namespace fermata::replay {

// A value of a trace.
struct TraceValue {
  enum Kind : uint8_t {
    kNumber,  // a JSON number, "nan", "inf", "-inf" or "-0"
    kBigInt,  // "123n", modulo 2^64
    kNull,
    kRef,  // {"r": id}: some object, the same one wherever the id is the same
    // Version 2.
    kString,     // {"s": text}: by value
    kBool,       // {"b": 0 or 1}
    kUndefined,  // {"u": 1}
    kObject,     // {"g": id}: a struct or array of the guest
    kFunction,   // {"f": id}: a function of the guest
    kExport,     // {"x": name}: the exported function
  };
  Kind kind = kNumber;
  double number = 0;    // kNumber, kBool
  uint64_t bits = 0;    // kBigInt
  int64_t ref = 0;      // kRef, kObject, kFunction
  std::u16string text;  // kString
  std::string name;     // kExport
};

struct TraceEvent {
  enum Kind : uint8_t {
    kCall,
    kTableCall,
    kImport,
    kReturn,
    kThrow,
    kResult,
    kTrap,
    kWrite,
    kGrow,
    kTableGrow,
    kTableSet,
    kMemoryHash,
    kFunctionCall,
    kGlobalGet,
  };
  // kThrow, kTrap: what was thrown.
  enum Thrown : uint8_t {
    kUnknown,       // version 1
    kRealTrap,      // {"trap": 1}
    kTagged,        // {"tag": name, "args": values}: `name`, empty: a private tag; `values`
    kHostValue,     // {"js": value}: `values`[0], by WebAssembly.JSTag
    kSameAsBefore,  // {"same": 1}
  };
  // What a table element was set to.
  enum Element : uint8_t { kNull, kExport, kHostFunction, kForeign };

  Kind kind = kCall;
  std::string module;  // kImport
  std::string name;    // kCall, kImport, kTableSet (export or host function)
  std::string text;    // kThrow, kTrap: message; kWrite: bytes; kMemoryHash: hex digits;
                       // kTableSet: a host function's signature, "ii:i"
  std::vector<TraceValue> values;  // arguments or results
  uint64_t number = 0;             // index, address, pages or elements
  Element element = kNull;         // kTableSet
  Thrown thrown = kUnknown;
};

struct TraceHeader {
  struct Global {
    std::string module, name;
    TraceValue value;
  };
  std::string sha256;  // of the module
  uint64_t init_pages = 0;
  uint64_t import_table_size = 0;
  std::vector<Global> import_globals;
  uint64_t version = 1;
  bool js_strings = false;  // calls of wasm:js-string are not in the trace
  // The module whose imported globals are strings equal to their own names; empty: none.
  std::string string_constants;
  bool truncated = false;  // recording stopped early: the end is missing
};

absl::StatusOr<TraceHeader> ParseTraceHeader(absl::string_view line);
absl::StatusOr<TraceEvent> ParseTraceEvent(absl::string_view line);

// The value as type `type` the way JavaScript converts it (WebAssembly JavaScript interface,
// ToWebAssemblyValue): numbers modulo 2^32 for i32, rounded for f32. Not for references.
uint64_t NumericBits(const TraceValue& value, core::ValType type);
// Whether a guest's value is what the trace says. Any NaN is any other NaN; zeros are equal.
bool SameNumeric(core::ValType type, uint64_t bits, const TraceValue& expected);

// Reads a trace line by line; holds one line at a time.
class TraceReader {
 public:
  static absl::StatusOr<TraceReader> Open(const std::string& path);
  TraceReader(TraceReader&& other) noexcept;
  TraceReader& operator=(TraceReader&&) = delete;
  ~TraceReader();

  const TraceHeader& header() const { return header_; }
  // The next event, or nothing at the end.
  absl::StatusOr<std::optional<TraceEvent>> Next();
  // How many events Next has given.
  uint64_t position() const { return position_; }

 private:
  TraceReader(std::string path, gzFile file) : path_(std::move(path)), file_(file) {}
  absl::StatusOr<std::optional<std::string>> ReadLine();

  std::string path_;
  gzFile file_;
  TraceHeader header_;
  uint64_t position_ = 0;
};

}  // namespace fermata::replay

#endif  // FERMATA_TESTS_REPLAY_TRACE_H_
