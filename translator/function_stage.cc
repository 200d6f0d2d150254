#include "translator/function_stage.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/emit/module/module_source.h"
#include "translator/emit/module/shards.h"
#include "translator/ir/builder.h"
#include "translator/ir/printer.h"
#include "translator/passes/force_loads.h"
#include "translator/passes/preempt.h"
#include "translator/passes/suspend_everywhere.h"

namespace fermata {
namespace {

// Bytes of bodies: of a batch, a few hundred microseconds of work; of a module that is not worth
// starting a thread for.
constexpr uint64_t kBatchBytes = 4096;
constexpr uint64_t kAloneBytes = 16384;
constexpr uint32_t kMostWorkers = 16;
constexpr uint32_t kAhead = 3;  // batches, by worker, that may be finished or begun, not written

}  // namespace

FunctionStage::FunctionStage(const emit::ModuleContext& context, const TranslateOptions& options,
                             OutputFolder& out)
    : context_(context), options_(options), out_(out), sites_(emit::OpSites(context)) {
  if (!options.report.empty()) report_.emplace(context);
  next_site_ = sites_.size();
}

absl::Status FunctionStage::Run() {
  CutIntoBatches();
  if (!options_.ir.empty()) {
    absl::StatusOr<std::unique_ptr<OutputFile>> file = out_.CreatePath(options_.ir);
    if (!file.ok()) return file.status();
    ir_ = *std::move(file);
  }
  const uint64_t bytes = context_.module.functions.empty() ? 0 : context_.module.bytes.size();
  uint32_t workers = options_.threads != 0 ? options_.threads : std::thread::hardware_concurrency();
  workers = std::clamp<uint32_t>(workers, 1, kMostWorkers);
  if (options_.threads == 0 && bytes < kAloneBytes) workers = 1;
  workers = std::clamp<uint32_t>(begins_.size() - 1, 1, workers);
  window_.resize(workers * kAhead);
  std::vector<std::thread> threads;
  for (uint32_t i = 1; i < workers; ++i) threads.emplace_back([this] { Work(); });
  Work();
  for (std::thread& thread : threads) thread.join();
  if (status_.ok()) status_ = CloseShardsBefore(context_.options.shards);
  if (status_.ok() && ir_ != nullptr) status_ = ir_->Close();
  return status_;
}

void FunctionStage::CutIntoBatches() {
  const auto& functions = context_.module.functions;
  uint64_t bytes = 0;
  for (uint32_t f = context_.module.imported_functions; f < functions.size(); ++f) {
    if (begins_.empty() || bytes + functions[f].body.size() > kBatchBytes) {
      begins_.push_back(f);
      bytes = 0;
    }
    bytes += functions[f].body.size();
  }
  begins_.push_back(functions.size());
}

void FunctionStage::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] {
      return failed_ < next_ || next_ + 1 >= begins_.size() || next_ < written_ + window_.size();
    });
    if (failed_ < next_ || next_ + 1 >= begins_.size()) return;
    const uint32_t number = next_++;
    lock.unlock();
    Batch& batch = window_[number % window_.size()];
    batch.status = TranslateBatch(number, batch);
    Finish(number);
    lock.lock();
  }
}

absl::Status FunctionStage::TranslateBatch(uint32_t number, Batch& batch) {
  const absl::Status built = BuildBatch(number, batch);
  if (!built.ok()) return built;
  absl::StatusOr<uint32_t> site = NumberSites(number, batch);
  if (!site.ok()) return site.status();
  for (Translated& translated : batch.functions) {
    absl::StatusOr<emit::EmittedFunction> emitted =
        emit::EmitFunction(context_, *translated.function, *site);
    if (!emitted.ok()) return emitted.status();
    *site += translated.function->point_count;
    translated.emitted = *std::move(emitted);
    translated.function.reset();
  }
  return absl::OkStatus();
}

absl::Status FunctionStage::BuildBatch(uint32_t number, Batch& batch) const {
  for (uint32_t f = begins_[number]; f < begins_[number + 1]; ++f) {
    absl::StatusOr<std::unique_ptr<ir::Function>> function =
        ir::Build(context_.module, f, context_.suspension);
    if (!function.ok()) return function.status();
    Translated& translated = batch.functions.emplace_back();
    translated.function = *std::move(function);
    if (context_.options.preempt != emit::Preempt::kNone) Preempt(*translated.function);
    if (context_.options.suspend_everywhere) passes::SuspendEverywhere(*translated.function);
    if (context_.options.memory == emit::MemoryPolicy::kReserved) {
      translated.forced_loads = passes::ForceLoads(*translated.function, context_.module);
    }
    if (!options_.ir.empty()) translated.ir_text = ir::Print(*translated.function);
  }
  return absl::OkStatus();
}

void FunctionStage::Preempt(ir::Function& function) const {
  const bool fuel = context_.options.preempt == emit::Preempt::kFuel;
  passes::Preempt(function, fuel ? ir::Yield::kOutOfFuel : ir::Yield::kInterrupted,
                  context_.entry_checks[function.index], context_.stack_need[function.index]);
}

// The number of the batch's first site. Error: an earlier batch will never have any.
absl::StatusOr<uint32_t> FunctionStage::NumberSites(uint32_t number, const Batch& batch) {
  uint32_t count = 0;
  for (const Translated& translated : batch.functions) count += translated.function->point_count;
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return failed_ < number || numbered_ == number; });
  if (numbered_ != number) return absl::CancelledError();
  const uint32_t first = next_site_;
  next_site_ += count;
  ++numbered_;
  changed_.notify_all();
  return first;
}

// Writes what can be: this batch and finished ones behind it, if none is missing before it.
void FunctionStage::Finish(uint32_t number) {
  const auto slot = [&](uint32_t batch) -> Batch& { return window_[batch % window_.size()]; };
  std::unique_lock<std::mutex> lock(mutex_);
  slot(number).done = true;
  if (!slot(number).status.ok()) {
    failed_ = std::min(failed_, number);
    changed_.notify_all();
  }
  if (writing_) return;
  writing_ = true;
  while (written_ + 1 < begins_.size() && slot(written_).done) {
    lock.unlock();
    {
      Batch batch = std::move(slot(written_));
      if (status_.ok()) status_ = batch.status.ok() ? Write(written_, batch) : batch.status;
    }
    lock.lock();
    slot(written_) = Batch();
    if (!status_.ok()) failed_ = std::min(failed_, written_);
    ++written_;
    changed_.notify_all();
  }
  writing_ = false;
}

absl::Status FunctionStage::Write(uint32_t number, Batch& batch) {
  for (size_t i = 0; i < batch.functions.size(); ++i) {
    const uint32_t f = begins_[number] + i;
    Translated& translated = batch.functions[i];
    const emit::ShardRange& range = context_.shards[f];
    absl::Status status = CloseShardsBefore(range.first);
    if (status.ok()) status = OpenShardsTo(range.last);
    if (!status.ok()) return status;
    for (size_t part = 0; part < translated.emitted.parts.size(); ++part) {
      shards_[range.first + part]->Write(translated.emitted.parts[part]);
    }
    if (ir_ != nullptr) ir_->Write(translated.ir_text);
    if (report_) report_->Add(f, translated.emitted, translated.forced_loads);
    sites_.Add(translated.emitted.sites, translated.emitted.shape == emit::FunctionShape::kShared);
    done_ += context_.module.functions[f].body.size();
  }
  if (options_.progress) {
    options_.progress(static_cast<double>(done_) / context_.module.bytes.size());
  }
  return absl::OkStatus();
}

absl::Status FunctionStage::OpenShardsTo(uint32_t last) {
  while (shards_.size() <= last) {
    absl::StatusOr<std::unique_ptr<OutputFile>> file =
        out_.Create(absl::StrCat(context_.options.file_stem, "_", shards_.size(), ".cc"));
    if (!file.ok()) return file.status();
    (*file)->Write(emit::ShardStart(context_, shards_.size()));
    shards_.push_back(*std::move(file));
  }
  return absl::OkStatus();
}

// Those that got no function are written too.
absl::Status FunctionStage::CloseShardsBefore(uint32_t first) {
  if (first > 0) {
    const absl::Status status = OpenShardsTo(first - 1);
    if (!status.ok()) return status;
  }
  for (; closed_ < first; ++closed_) {
    shards_[closed_]->Write(emit::ShardEnd(context_));
    const absl::Status status = shards_[closed_]->Close();
    if (!status.ok()) return status;
    shards_[closed_].reset();
  }
  return absl::OkStatus();
}

}  // namespace fermata
