// The JSON report: what became of each function, and why it may suspend.
#ifndef FERMATA_TRANSLATOR_EMIT_REPORT_H_
#define FERMATA_TRANSLATOR_EMIT_REPORT_H_

#include <string>

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/emit/functions.h"
#include "translator/emit/module_context.h"

namespace fermata::emit {

class Report {
 public:
  explicit Report(const ModuleContext& context);
  void Add(uint32_t function, const EmittedFunction& emitted, int forced_loads);
  // The whole document; call once.
  std::string Finish();

 private:
  const ModuleContext& context_;
  std::string text_;
  llvm::raw_string_ostream stream_;
  llvm::json::OStream json_;
  uint32_t counts_[3] = {};  // by FunctionShape
  uint32_t points_ = 0;
};

}  // namespace fermata::emit

#endif  // FERMATA_TRANSLATOR_EMIT_REPORT_H_
