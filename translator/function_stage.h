// Translates the functions of a module into their source files, on all processors.
//
// note [order]
//
// Workers take batches of consecutive functions. Three things are done in module order, so that
// what is written does not depend on who was faster: a batch's sites are numbered when those of all
// before it are known; its text is written when all before it is; and of several errors the first
// function's is reported. Workers do not run further ahead of what has been written than a few
// batches, which bounds memory.
#ifndef FERMATA_TRANSLATOR_FUNCTION_STAGE_H_
#define FERMATA_TRANSLATOR_FUNCTION_STAGE_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "translator/emit/function/functions.h"
#include "translator/emit/function/site_table.h"
#include "translator/emit/module_context.h"
#include "translator/ir/ir.h"
#include "translator/output_folder.h"
#include "translator/pipeline.h"
#include "translator/report/report.h"

namespace fermata {

class FunctionStage {
 public:
  FunctionStage(const emit::ModuleContext& context, const TranslateOptions& options,
                OutputFolder& out);

  // Writes all source files with functions, and the IR if it is wanted.
  absl::Status Run();

  const emit::SiteTable& sites() const { return sites_; }
  std::optional<emit::Report>& report() { return report_; }

 private:
  struct Translated {
    std::unique_ptr<ir::Function> function;
    emit::EmittedFunction emitted;
    std::string ir_text;
    int forced_loads = 0;
  };
  struct Batch {
    std::vector<Translated> functions;
    absl::Status status;
    bool done = false;
  };

  void CutIntoBatches();
  void Work();
  absl::Status TranslateBatch(uint32_t number, Batch& batch);
  absl::Status BuildBatch(uint32_t number, Batch& batch) const;
  void Preempt(ir::Function& function) const;
  absl::StatusOr<uint32_t> NumberSites(uint32_t number, const Batch& batch);
  void Finish(uint32_t number);
  absl::Status Write(uint32_t number, Batch& batch);
  absl::Status OpenShardsTo(uint32_t last);
  absl::Status CloseShardsBefore(uint32_t first);

  const emit::ModuleContext& context_;
  const TranslateOptions& options_;
  OutputFolder& out_;
  std::vector<uint32_t> begins_;  // by batch: its first function; then the number of functions
  std::vector<Batch> window_;     // batch b is at b % size

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  uint32_t next_ = 0;      // batch to take
  uint32_t numbered_ = 0;  // batches whose sites have numbers
  uint32_t next_site_ = 0;
  uint32_t written_ = 0;   // batches
  bool writing_ = false;   // somebody is; what follows is theirs, without the mutex
  uint32_t failed_ = ~0u;  // the first batch with an error: no further ones are taken

  std::vector<std::unique_ptr<OutputFile>> shards_;  // null: closed
  uint32_t closed_ = 0;                              // shards, from the first on
  std::unique_ptr<OutputFile> ir_;
  emit::SiteTable sites_;
  std::optional<emit::Report> report_;
  uint64_t done_ = 0;  // bytes of bodies
  absl::Status status_;
};

}  // namespace fermata

#endif  // FERMATA_TRANSLATOR_FUNCTION_STAGE_H_
