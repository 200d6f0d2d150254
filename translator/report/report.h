// The JSON report: what became of each function, and why it may suspend.
#ifndef FERMATA_TRANSLATOR_REPORT_REPORT_H_
#define FERMATA_TRANSLATOR_REPORT_REPORT_H_

#include <memory>
#include <string>
#include <vector>

#include "translator/emit/function/functions.h"
#include "translator/emit/module/budget.h"
#include "translator/emit/module_context.h"

namespace fermata::emit {

class Report {
 public:
  explicit Report(const ModuleContext& context);
  ~Report();
  void Add(uint32_t function, const EmittedFunction& emitted, int forced_loads);
  // The whole document; call once. `budgets`: by function, or empty.
  std::string Finish(const std::vector<Budget>& budgets);

 private:
  void AddExports(const std::vector<Budget>& budgets);
  struct State;  // keeps LLVM's JSON writer out of this header
  const ModuleContext& context_;
  std::unique_ptr<State> state_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_REPORT_REPORT_H_
