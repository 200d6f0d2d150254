// What the differential program compares: a module made ready for it, and the plan of what is done
// with it, which every engine carries out and writes down in the same words (log.h).
//
// A module is made ready by exporting all its functions, globals and memories, and by bounding what
// its memories and tables may grow to, since how far they can grow is the engine's business. All
// engines get the module like that.
//
// V8 is reached through two modules that are made beside it, so that only integers pass between
// JavaScript and WebAssembly, bit for bit, vectors and NaNs too. `host` exports what the module
// imports, and hands calls of imports on to JavaScript; `wrapper` imports the module's functions
// and globals and exports them again. They begin with the module's own type section.
//
// The plan depends on nothing but the module and a seed, so that each process can make it anew.
#ifndef FERMATA_TESTS_DIFFERENTIAL_SUBJECT_H_
#define FERMATA_TESTS_DIFFERENTIAL_SUBJECT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tests/support/wasm_builder.h"
#include "translator/wasm/module.h"

namespace fermata::differential {

using testing_support::Bytes;

// Types are letters, as in tests/support/wasm_builder.h; references the top of their hierarchy. Values are
// the 64-bit words of all operands in a row: two for a v128, none for a reference, which is null.
struct FunctionType {
  std::string params, results;
};

inline constexpr uint8_t kNotNull = 7;

struct Plan {
  struct Import {
    std::string module, name;
    FunctionType type;
  };
  struct OtherImport {  // of the first value of its type; a global can't be changed
    std::string module, name;
    wasm::ExternKind kind;
    std::string type;  // of a global, or a tag's payload
    bool null = true;  // a global of a reference type; else it is an i31, of kNotNull
  };
  struct Callee {
    std::string name;  // it is exported by
    uint32_t function = 0;
    FunctionType type;
  };
  struct Call {
    size_t number = 0;
    uint32_t callee = 0;  // index into `callees`
    std::vector<uint64_t> words;
  };
  struct Global {
    std::string name;  // it is exported by
    char type = 'i';
  };
  std::vector<Import> imports;  // functions, in order
  std::vector<OtherImport> others;
  std::vector<Callee> callees;
  std::vector<Call> calls;
  std::vector<Global> globals;
  std::vector<std::string> memories;  // exported by
};

// The module with all its functions, globals and memories exported, and growth bounded. Errors: it
// is not valid, or needs a proposal that Fermata lacks.
absl::StatusOr<Bytes> Prepare(const Bytes& module);

struct PlanOptions {
  uint64_t seed = 1;  // of arguments
  size_t most_calls = 40;
  std::vector<size_t> only;  // of these, by number; empty: all
};

// For a module that was made ready. Error: an import that no host here provides.
absl::StatusOr<Plan> MakePlan(const wasm::Module& module, const PlanOptions& options);

// The modules beside it.
Bytes HostModule(const wasm::Module& module, const Plan& plan);
Bytes WrapperModule(const wasm::Module& module, const Plan& plan);

// The plan as JSON, for v8.mjs; an object. `path`: of the module, which the others lie beside.
std::string PlanAsJson(const Plan& plan, absl::string_view path);

// How the binary format has a value type, and the heap type of a reference.
Bytes EncodeType(wasm::ValType type);
Bytes HeapType(wasm::ValType type);

// Words for values of `types`: by `number`, the same everywhere; never a NaN. What has no word (no
// results, references alone) has no number either: a host counts its other answers, up to kAnswers
// and from 0 again.
inline constexpr uint64_t kAnswers = 32;
std::vector<uint64_t> AnswerWords(absl::string_view types, uint64_t number);

}  // namespace fermata::differential

#endif  // FERMATA_TESTS_DIFFERENTIAL_SUBJECT_H_
