// Leaves out checks for null where the reference has been looked at before.
#ifndef FERMATA_TRANSLATOR_PASSES_NULL_CHECKS_H_
#define FERMATA_TRANSLATOR_PASSES_NULL_CHECKS_H_

#include "translator/ir/ir.h"

namespace fermata::passes {

// Clears Expr::nullable, Stmt::negate of writes to objects, and CastTarget::from_nullable, where a
// variable is known not to be null: by its type, by an access or a test on every path that leads
// there. ref.as_non_null of such a variable is the variable.
void DropNullChecks(ir::Function& function);

}  // namespace fermata::passes

#endif  // FERMATA_TRANSLATOR_PASSES_NULL_CHECKS_H_
