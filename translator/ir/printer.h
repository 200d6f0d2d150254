// The IR as text, for --ir and for tests.
#ifndef FERMATA_TRANSLATOR_IR_PRINTER_H_
#define FERMATA_TRANSLATOR_IR_PRINTER_H_

#include <string>

#include "translator/ir/ir.h"

namespace fermata::ir {

// One statement a line: "  v3 = (i32.add v0 7)", "  call 12 (v0) -> v3  ; point 0".
std::string Print(const Function& f);

}  // namespace fermata::ir

#endif  // FERMATA_TRANSLATOR_IR_PRINTER_H_
