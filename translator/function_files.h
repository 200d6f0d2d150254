// Writes translated functions to the module's source files, in module order, and keeps what the
// files around them need to know: the sites, and the report.
#ifndef FERMATA_TRANSLATOR_FUNCTION_FILES_H_
#define FERMATA_TRANSLATOR_FUNCTION_FILES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "translator/emit/function/site_table.h"
#include "translator/emit/module/module_source.h"
#include "translator/emit/module_context.h"
#include "translator/output_folder.h"
#include "translator/report/report.h"
#include "translator/translate_function.h"

namespace fermata {

class FunctionFiles {
 public:
  FunctionFiles(const emit::ModuleContext& context, OutputFolder& out)
      : context_(context),
        out_(out),
        sites_(emit::OpSites(context)),
        variable_bytes_(context.module.functions.size()) {}

  // Before the first function: their IR is written to the file `path` as well.
  absl::Status WriteIr(const std::string& path);
  // The same: a report is made.
  void Report() { report_.emplace(context_); }

  // Functions come in the order of their indices, each once.
  absl::Status Write(uint32_t function, const TranslatedFunction& translated);
  // After the last one. Files that got no function are written too.
  absl::Status Close();

  const emit::SiteTable& sites() const { return sites_; }
  // By function: EmittedFunction::variable_bytes.
  const std::vector<uint32_t>& variable_bytes() const { return variable_bytes_; }
  std::optional<emit::Report>& report() { return report_; }

 private:
  absl::Status OpenShardsTo(uint32_t last);
  absl::Status CloseShardsBefore(uint32_t first);

  const emit::ModuleContext& context_;
  OutputFolder& out_;
  std::vector<std::unique_ptr<OutputFile>> shards_;  // null: closed
  uint32_t closed_ = 0;                              // shards, from the first on
  std::unique_ptr<OutputFile> ir_;
  emit::SiteTable sites_;
  std::vector<uint32_t> variable_bytes_;
  std::optional<emit::Report> report_;
};

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_FUNCTION_FILES_H_
