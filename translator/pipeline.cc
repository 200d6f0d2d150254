#include "translator/pipeline.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "llvm/Support/SHA256.h"
#include "translator/analysis/call_graph.h"
#include "translator/analysis/immediate.h"
#include "translator/analysis/may_suspend.h"
#include "translator/analysis/stack_checks.h"
#include "translator/emit/functions.h"
#include "translator/emit/header.h"
#include "translator/emit/module_source.h"
#include "translator/emit/report.h"
#include "translator/emit/shards.h"
#include "translator/input_file.h"
#include "translator/ir/builder.h"
#include "translator/ir/printer.h"
#include "translator/output_folder.h"
#include "translator/passes/force_loads.h"
#include "translator/passes/suspend_everywhere.h"
#include "translator/validate/module_validator.h"
#include "translator/wasm/reader.h"

namespace fermata {
namespace {

using emit::ModuleContext;
using emit::Site;

std::array<uint8_t, 32> Hash(absl::Span<const uint8_t> bytes) {
  return llvm::SHA256::hash(llvm::makeArrayRef(bytes.data(), bytes.size()));
}

// Translates the functions, one at a time, into their shards.
class FunctionStage {
 public:
  FunctionStage(const ModuleContext& context, const TranslateOptions& options, OutputFolder& out)
      : context_(context), options_(options), out_(out), sites_(emit::OpSites(context)) {
    if (!options.report.empty()) report_.emplace(context);
  }

  absl::Status Run() {
    const wasm::Module& module = context_.module;
    uint32_t f = module.imported_functions;
    std::vector<emit::ShardWriter> writers(context_.options.shards, emit::ShardWriter(context_));
    for (uint32_t shard = 0; shard < context_.options.shards; ++shard) {
      for (; f < module.functions.size() && context_.shards[f].first == shard; ++f) {
        absl::Status status = TranslateFunction(f, absl::MakeSpan(writers).subspan(shard));
        if (!status.ok()) return status;
      }
      absl::Status status = out_.Add(absl::StrCat(context_.options.file_stem, "_", shard, ".cc"),
                                     writers[shard].Finish(shard));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const std::vector<Site>& sites() const { return sites_; }
  std::optional<emit::Report>& report() { return report_; }
  const std::string& ir_text() const { return ir_text_; }

 private:
  // `writers`: from the function's first source file on.
  absl::Status TranslateFunction(uint32_t f, absl::Span<emit::ShardWriter> writers) {
    absl::StatusOr<std::unique_ptr<ir::Function>> function =
        ir::Build(context_.module, f, context_.suspension);
    if (!function.ok()) return function.status();
    if (context_.options.suspend_everywhere) passes::SuspendEverywhere(**function);
    int forced = 0;
    if (context_.options.memory == emit::MemoryPolicy::kReserved) {
      forced = passes::ForceLoads(**function, context_.graph);
    }
    if (!options_.ir.empty()) absl::StrAppend(&ir_text_, ir::Print(**function));
    absl::StatusOr<emit::EmittedFunction> emitted =
        emit::EmitFunction(context_, **function, sites_.size());
    if (!emitted.ok()) return emitted.status();
    sites_.insert(sites_.end(), emitted->sites.begin(), emitted->sites.end());
    if (report_) report_->Add(f, *emitted, forced);
    writers[0].Add(f, std::move(emitted->parts[0]));
    for (size_t part = 1; part < emitted->parts.size(); ++part) {
      writers[part].AddFurther(std::move(emitted->parts[part]));
    }
    done_ += context_.module.functions[f].body.size();
    if (options_.progress) {
      options_.progress(static_cast<double>(done_) / context_.module.bytes.size());
    }
    return absl::OkStatus();
  }

  const ModuleContext& context_;
  const TranslateOptions& options_;
  OutputFolder& out_;
  std::vector<Site> sites_;
  std::optional<emit::Report> report_;
  std::string ir_text_;
  uint64_t done_ = 0;
};

std::string Header(const ModuleContext& context) {
  emit::HeaderOptions header;
  header.name_space = context.options.name_space;
  header.class_name = context.options.class_name;
  header.file_stem = context.options.file_stem;
  header.immediate = context.immediate;
  header.wasi = context.options.wasi;
  for (uint32_t f = 0; f < context.module.functions.size(); ++f) {
    header.may_suspend.push_back(context.suspension.MayCallSuspend(f));
  }
  return emit::EmitHostedHeader(context.module, header);
}

std::string Depfile(const std::string& target, const std::string& wasm) {
  const auto escape = [](const std::string& path) {
    return absl::StrReplaceAll(path, {{" ", "\\ "}, {"$", "$$"}, {"#", "\\#"}});
  };
  return absl::StrCat(escape(target), ": ", escape(wasm), "\n");
}

absl::Status WriteFiles(const ModuleContext& context, const TranslateOptions& options,
                        OutputFolder& out) {
  FunctionStage stage(context, options, out);
  absl::Status status = stage.Run();
  const std::string& stem = context.options.file_stem;
  if (status.ok()) status = out.Add(stem + "_data.cc", emit::EmitData(context));
  if (status.ok()) status = out.Add(stem + "_module.h", emit::EmitModuleHeader(context));
  if (status.ok()) {
    status = out.Add(stem + "_module.cc", emit::EmitModuleSource(context, stage.sites()));
  }
  if (status.ok()) status = out.Add(stem + ".h", Header(context));
  if (status.ok() && stage.report()) status = out.AddPath(options.report, stage.report()->Finish());
  if (status.ok() && !options.ir.empty()) status = out.AddPath(options.ir, stage.ir_text());
  if (status.ok() && !options.depfile.empty()) {
    status = out.AddPath(options.depfile,
                         Depfile(absl::StrCat(out.path(), "/", stem, ".h"), context.module.path));
  }
  return status;
}

}  // namespace

absl::Status TranslateBytes(const std::string& path, absl::Span<const uint8_t> bytes,
                            const TranslateOptions& options) {
  // 1. Decode the sections; 2. validate what is around the functions.
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(path, bytes, options.features);
  if (!module.ok()) return module.status();
  absl::Status status = validate::ValidateModule(*module);
  if (!status.ok()) return status;

  // 3. Validate the function bodies, noting who calls whom; 4. what follows from that.
  absl::StatusOr<analysis::CallGraph> graph = analysis::BuildCallGraph(*module);
  if (!graph.ok()) return graph.status();
  absl::StatusOr<std::vector<bool>> immediate =
      analysis::MatchImmediate(*module, options.emit.immediate, options.emit.wasi);
  if (!immediate.ok()) return immediate.status();
  const analysis::Suspension suspension =
      analysis::AnalyzeSuspension(*module, *graph, *immediate, options.emit.suspend_everywhere);

  ModuleContext context{*module, options.emit, *graph, suspension};
  context.immediate = *std::move(immediate);
  context.stack_need = analysis::PlaceStackChecks(*module, *graph);
  context.info_index.assign(module->functions.size(), ir::kNone);
  for (uint32_t i = 0; i < graph->referenced.size(); ++i) {
    context.info_index[graph->referenced[i]] = i;
  }
  context.yield_site = std::count(context.immediate.begin(), context.immediate.end(), false);
  context.shards = emit::AssignShards(*module, options.emit);
  context.internal = emit::FindInternal(*module, *graph, context.shards);
  context.hash = Hash(bytes);
  for (const wasm::Function& f : module->functions) context.code_bytes += f.body.size();

  // 5. Build, analyze and print each function; 6. the files around them.
  OutputFolder out(options.output);
  status = out.Open();
  if (status.ok()) status = WriteFiles(context, options, out);
  if (status.ok()) status = out.Commit();
  return status;
}

absl::Status Translate(const std::string& path, const TranslateOptions& options) {
  absl::StatusOr<std::unique_ptr<llvm::MemoryBuffer>> file = ReadInput(path);
  if (!file.ok()) return file.status();
  return TranslateBytes(path, BytesOf(**file), options);
}

}  // namespace fermata
