// The JSON report: what became of each function, and why it may suspend.
#ifndef FERMATA_TRANSLATOR_REPORT_REPORT_H_
#define FERMATA_TRANSLATOR_REPORT_REPORT_H_

#include <memory>
#include <string>

#include "translator/emit/function/functions.h"
#include "translator/emit/module_context.h"

namespace fermata::emit {

class Report {
 public:
  explicit Report(const ModuleContext& context);
  ~Report();
  void Add(uint32_t function, const EmittedFunction& emitted, int forced_loads);
  // The whole document; call once.
  std::string Finish();

 private:
  struct State;  // keeps LLVM's JSON writer out of this header
  const ModuleContext& context_;
  std::unique_ptr<State> state_;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_REPORT_REPORT_H_
