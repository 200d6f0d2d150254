// Prints <stem>.h of the freestanding profile (include/fermata/embedded.h): a class that holds the
// whole guest, with a method for each exported function and a struct for each import that suspends.
//
//   class Blink {
//    public:
//     struct user_sleep { int32_t ms; using Result = void; };
//     static constexpr uint32_t kMemoryBytes = 1024, kFrameBytes = 48;
//     template <class Host> fermata::embedded::Outcome<void> Start(Host& host);
//     fermata::embedded::Step<int32_t, Blink> run(int32_t n);
//     fermata::embedded::Memory memory();
//   };
//
// Imports that are plain calls are members of the host's object, of any type, that Start is given.
#ifndef FERMATA_TRANSLATOR_EMIT_HEADER_FREESTANDING_HEADER_H_
#define FERMATA_TRANSLATOR_EMIT_HEADER_FREESTANDING_HEADER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "translator/emit/header/header.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

inline constexpr uint32_t kUnboundedBytes = 0xffffffffu;

// What a call of an export takes at most, in bytes; kUnboundedBytes: recursion.
struct ExportNeed {
  uint32_t frame_bytes = 0;
  uint32_t stack_bytes = 0;
};

struct FreestandingHeaderOptions : HeaderOptions {
  std::string declarations;       // of what the class is made of: FreestandingDeclarations
  std::vector<ExportNeed> needs;  // by export
  uint32_t memory_bytes = 0;
  uint32_t frame_bytes = 0;        // of storage
  uint32_t stack_bytes = 0;        // the most that calls need, as far as no recursion does
  bool needs_stack_limit = false;  // there is recursion
  bool pauses = false;
  bool uses_simd = false;
  std::vector<uint32_t> op_sites;  // by function import
};

std::string EmitFreestandingHeader(const wasm::Module& module,
                                   const FreestandingHeaderOptions& options);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_HEADER_FREESTANDING_HEADER_H_
