// Parameters of functions as generated headers declare them.
#ifndef FERMATA_TRANSLATOR_EMIT_HEADER_PARAMETERS_H_
#define FERMATA_TRANSLATOR_EMIT_HEADER_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "translator/emit/header/header_names.h"
#include "translator/wasm/module.h"

namespace fermata::emit {

struct Param {
  std::string type;
  std::string name;
};

// A function that is part of the interface.
struct Member {
  std::string name;
  uint32_t function;  // wasm function index
  uint32_t index;     // of the import in Module::imports, or the export in Module::exports
};

// The host's C++ type of a value.
absl::string_view HostType(const wasm::Module& module, wasm::ValType type);

// Named as in the name section if it names them, else a0, a1, …; adds names to `macros`.
std::vector<Param> ParamsOf(const wasm::Module& module, const std::string& class_name,
                            const Member& member, MacroGuard& macros);

// "int32_t a0, float ratio".
std::string Declare(const std::vector<Param>& params);

// "net.recv".
std::string ImportName(const wasm::Module& module, const Member& member);

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_HEADER_PARAMETERS_H_
