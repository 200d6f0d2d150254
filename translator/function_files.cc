#include "translator/function_files.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/emit/module/shards.h"

namespace fermata {

absl::Status FunctionFiles::WriteIr(const std::string& path) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = out_.CreatePath(path);
  if (!file.ok()) return file.status();
  ir_ = *std::move(file);
  return absl::OkStatus();
}

absl::Status FunctionFiles::Write(uint32_t function, const TranslatedFunction& translated) {
  const emit::EmittedFunction& emitted = translated.emitted;
  variable_bytes_[function] = emitted.variable_bytes;
  const emit::ShardRange& range = context_.shards[function];
  absl::Status status = CloseShardsBefore(range.first);
  if (status.ok()) status = OpenShardsTo(range.last);
  if (!status.ok()) return status;
  shards_[range.first]->Write(emitted.title);
  if (!emitted.sites.empty()) {
    shards_[range.first]->Write(
        absl::StrCat("constexpr u32 ", emit::FirstSite(function), " = ", sites_.size(), ";\n"));
  }
  for (size_t part = 0; part < emitted.parts.size(); ++part) {
    shards_[range.first + part]->Write(emitted.parts[part]);
  }
  if (ir_ != nullptr) ir_->Write(translated.ir_text);
  if (report_) report_->Add(function, emitted, translated.forced_loads);
  sites_.Add(emitted.sites, emitted.shape == emit::FunctionShape::kShared);
  return absl::OkStatus();
}

absl::Status FunctionFiles::Close() {
  absl::Status status = CloseShardsBefore(context_.options.shards);
  if (status.ok() && ir_ != nullptr) status = ir_->Close();
  return status;
}

absl::Status FunctionFiles::OpenShardsTo(uint32_t last) {
  while (shards_.size() <= last) {
    absl::StatusOr<std::unique_ptr<OutputFile>> file =
        out_.Create(absl::StrCat(context_.options.file_stem, "_", shards_.size(), ".cc"));
    if (!file.ok()) return file.status();
    (*file)->Write(emit::ShardStart(context_, shards_.size()));
    shards_.push_back(*std::move(file));
  }
  return absl::OkStatus();
}

absl::Status FunctionFiles::CloseShardsBefore(uint32_t first) {
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
