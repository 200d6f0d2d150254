// The IR as text, for --ir and for tests.
#ifndef FERMATA_TRANSLATOR_IR_PRINTER_H_
#define FERMATA_TRANSLATOR_IR_PRINTER_H_

#include <string>

#include "translator/ir/ir.h"
#include "translator/wasm/module.h"

namespace fermata::ir {

// One statement a line: "  s3 = (i32.add l0 7)", "  call 12 (l0) -> s3  ; point 0". Variables have
// the names of the generated C++.
std::string Print(const wasm::Module& module, const Function& f);

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_PRINTER_H_
