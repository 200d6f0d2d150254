// The intermediate representation of a function that is given as text, for tests of analyses and
// passes.
#ifndef FERMATA_TESTS_SUPPORT_FUNCTION_OF_TEXT_H_
#define FERMATA_TESTS_SUPPORT_FUNCTION_OF_TEXT_H_

#include <memory>
#include <string>

#include "llvm/Support/MemoryBuffer.h"
#include "translator/ir/ir.h"
#include "translator/module_analysis/may_suspend.h"
#include "translator/wasm/module.h"

namespace fermata::testing_support {

class FunctionOfText {
 public:
  // The last function of a module with this body, and with
  // - parameters $n and $p, and locals $i, $j, $k and $l, which are i32s, $w, an i64, and $x and $y,
  //   which are f64s;
  // - memory $m of `pages` pages, memory $shared, of one page, which other threads may grow, and
  //   memory $large, of one page and 64-bit addresses;
  // - global $g, an i32;
  // - function $op, an import that suspends, and $throws, which may throw an exception of tag $e;
  //   both take and return an i32;
  // - table $t of functions.
  // Without one, and with a failure, if that is no module.
  explicit FunctionOfText(const std::string& body, int pages = 1) { Build(body, pages); }

  bool ok() const { return function_ != nullptr; }
  ir::Function& operator*() const { return *function_; }
  ir::Function* operator->() const { return function_.get(); }
  const wasm::Module& module() const { return *module_; }

 private:
  void Build(const std::string& body, int pages);

  std::unique_ptr<llvm::MemoryBuffer> file_;
  std::unique_ptr<wasm::Module> module_;
  analysis::Suspension suspension_;
  std::unique_ptr<ir::Function> function_;
};

}  // namespace fermata::testing_support

#endif  // FERMATA_TESTS_SUPPORT_FUNCTION_OF_TEXT_H_
