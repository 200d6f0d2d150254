// Prints one function in its shape: plain, split (fast clone and resume clone), shared or pieces.
#ifndef FERMATA_TRANSLATOR_EMIT_FUNCTIONS_H_
#define FERMATA_TRANSLATOR_EMIT_FUNCTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "translator/emit/module_context.h"
#include "translator/ir/ir.h"

namespace fermata::emit {

enum class FunctionShape : uint8_t { kPlain, kSplit, kShared, kPieces };

struct EmittedFunction {
  // What goes into one source file.
  struct Part {
    std::string text;
    absl::flat_hash_set<uint32_t> callees;  // functions called by name
  };

  FunctionShape shape;
  std::vector<Part> parts;  // one, or as many as ModuleContext::shards has files, from the first on
  std::vector<Site> sites;  // by resume point
  size_t text_bytes() const;
};

// "split", for reports and comments.
const char* Name(FunctionShape shape);

// `first_site`: number of the function's first site in the module. Error: the function exceeds an
// implementation limit on what frames hold.
absl::StatusOr<EmittedFunction> EmitFunction(const ModuleContext& context, const ir::Function& f,
                                             uint32_t first_site);

// What a loop over tail calls calls: the function itself unless it makes tail calls.
std::string BodyName(const ModuleContext& context, uint32_t function);

// "u32 fn12_parse(Instance*, u32, f64);", its body's if that is apart, and its resume function's.
std::string Prototype(const ModuleContext& context, uint32_t function);
std::string ResumePrototype(const ModuleContext& context, uint32_t function);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_FUNCTIONS_H_
