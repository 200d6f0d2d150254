#include "translator/pipeline.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "translator/analysis/counted_loops.h"
#include "translator/analysis/stack_checks.h"
#include "translator/emit/header/freestanding_header.h"
#include "translator/emit/header/header.h"
#include "translator/emit/memory_view.h"
#include "translator/emit/module/budget.h"
#include "translator/emit/module/freestanding_source.h"
#include "translator/emit/module/module_source.h"
#include "translator/emit/module/shards.h"
#include "translator/emit/typed_elements.h"
#include "translator/emit/writer.h"
#include "translator/function_files.h"
#include "translator/in_order.h"
#include "translator/input_file.h"
#include "translator/module_analysis/call_graph.h"
#include "translator/module_analysis/immediate.h"
#include "translator/module_analysis/may_suspend.h"
#include "translator/output_folder.h"
#include "translator/restrictions.h"
#include "translator/translate_function.h"
#include "translator/validate/module_validator.h"
#include "translator/wasm/error.h"
#include "translator/wasm/printable.h"
#include "translator/wasm/reader.h"
#include "translator/wasm/sha256.h"

namespace fermata {
namespace {

using emit::ModuleContext;

// Of storage for frames, in the freestanding profile.
constexpr uint64_t kMostFrameBytes = 1u << 30;

// By function: whether it suspends by itself, not because of what it calls.
absl::StatusOr<std::vector<bool>> FindPauses(const wasm::Module& module,
                                             const analysis::CallGraph& graph,
                                             const std::vector<bool>& entry_checks,
                                             const emit::Options& options) {
  std::vector<bool> pauses(module.functions.size(), options.suspend_everywhere);
  if (options.preempt == emit::Preempt::kNone || options.suspend_everywhere) return pauses;
  const analysis::Suspension none = analysis::AnalyzeSuspension(
      module, graph, std::vector<bool>(module.imported_functions, true), pauses);
  for (uint32_t f = module.imported_functions; f < module.functions.size(); ++f) {
    pauses[f] = entry_checks[f];
    if (pauses[f] || !graph.functions[f].has_loop) continue;
    const absl::StatusOr<std::unique_ptr<ir::Function>> function = BuildFunction(module, f, none);
    if (!function.ok()) return function.status();
    pauses[f] = !analysis::FindLongLoops(**function, analysis::MostStatements(options.freestanding))
                     .empty();
  }
  return pauses;
}

void SetHeader(const ModuleContext& context, emit::HeaderOptions& header) {
  header.name_space = context.options.name_space;
  header.class_name = context.options.class_name;
  header.file_stem = context.options.file_stem;
  header.immediate = context.immediate;
  header.wasi = context.options.wasi;
  for (uint32_t f = 0; f < context.module.functions.size(); ++f) {
    header.may_suspend.push_back(context.suspension.MayCallSuspend(f));
  }
}

// "frames 48 bytes, native stack about 300 bytes".
std::string Describe(const emit::Budget& budget) {
  const auto part = [](const emit::Longest& path, absl::string_view about) {
    return path.endless() ? absl::StrCat("unbounded (", path.recursion, ")")
                          : absl::StrCat(about, path.bytes, " bytes");
  };
  return absl::StrCat("frames ", part(budget.frames, ""), ", native stack ",
                      part(budget.stack, "about "));
}

// What the functions that the host calls need, told to the user, and the storage that follows.
absl::Status SetNeeds(const ModuleContext& context, const std::vector<emit::Budget>& budgets,
                      const TranslateOptions& options, emit::FreestandingHeaderOptions& header) {
  const wasm::Module& module = context.module;
  const auto bytes = [](const emit::Longest& path) {
    return path.endless() ? emit::kUnboundedBytes : static_cast<uint32_t>(path.bytes);
  };
  uint64_t most = 4;
  header.needs.resize(module.exports.size());
  const auto need = [&](const std::string& what, uint32_t function, uint32_t offset) {
    const emit::Budget& budget = budgets[function];
    if (options.tell) options.tell(absl::StrCat(what, ": ", Describe(budget)));
    most = std::max(most, budget.frames.bytes);
    header.stack_bytes = std::max(header.stack_bytes, static_cast<uint32_t>(budget.stack.bytes));
    header.needs_stack_limit |= budget.stack.endless();
    if (!budget.frames.endless() || options.emit.frame_bytes) return absl::OkStatus();
    return wasm::ErrorAt(
        module.path, offset,
        absl::StrCat(what, " may suspend in a recursion (", budget.frames.recursion,
                     "): --frame-bytes says how many bytes its frames may take"));
  };
  for (size_t i = 0; i < module.exports.size(); ++i) {
    const wasm::Export& e = module.exports[i];
    if (e.kind != wasm::ExternKind::kFunction) continue;
    const absl::Status status =
        need(absl::StrCat("export \"", wasm::Printable(e.name), "\""), e.index, e.offset);
    if (!status.ok()) return status;
    header.needs[i] = {bytes(budgets[e.index].frames), bytes(budgets[e.index].stack)};
  }
  if (module.has_start) {
    const absl::Status status = need("the start function", module.start, module.start_offset);
    if (!status.ok()) return status;
  }
  if (most > kMostFrameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(module.path, ": frames of ", most, " bytes: more than a guest may have"));
  }
  header.frame_bytes =
      (options.emit.frame_bytes.value_or(static_cast<uint32_t>(most)) + 7u) / 8u * 8u;
  return absl::OkStatus();
}

absl::StatusOr<std::string> FreestandingHeader(const ModuleContext& context,
                                               const emit::SiteTable& sites,
                                               const std::vector<emit::Budget>& budgets,
                                               const TranslateOptions& options) {
  emit::FreestandingHeaderOptions header;
  SetHeader(context, header);
  const absl::Status status = SetNeeds(context, budgets, options, header);
  if (!status.ok()) return status;
  header.declarations = emit::FreestandingDeclarations(context, sites);
  if (!context.module.memories.empty()) {
    header.memory_bytes =
        static_cast<uint32_t>(emit::FixedBytes(context.options, context.module.memories[0].type));
  }
  header.pauses = context.options.Pauses();
  header.uses_simd = context.graph.uses_simd;
  header.op_sites.resize(context.module.imported_functions);
  for (const emit::SiteTable::Group& group : sites.groups()) {
    if (group.op && group.function != ir::kNone) header.op_sites[group.function] = group.first;
  }
  return emit::EmitFreestandingHeader(context.module, header);
}

absl::StatusOr<std::string> Header(const ModuleContext& context, const emit::SiteTable& sites,
                                   const std::vector<emit::Budget>& budgets,
                                   const TranslateOptions& options) {
  if (context.options.freestanding) return FreestandingHeader(context, sites, budgets, options);
  emit::HeaderOptions header;
  SetHeader(context, header);
  return emit::EmitHostedHeader(context.module, header);
}

std::string Depfile(const std::string& target, const std::string& wasm) {
  const auto escape = [](const std::string& path) {
    return absl::StrReplaceAll(path, {{" ", "\\ "}, {"$", "$$"}, {"#", "\\#"}});
  };
  return absl::StrCat(escape(target), ": ", escape(wasm), "\n");
}

// Writes the file `name` as `emit` prints it, without ever holding all of it.
absl::Status Stream(OutputFolder& out, const std::string& name,
                    absl::FunctionRef<void(emit::Writer&)> emit) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = out.Create(name);
  if (!file.ok()) return file.status();
  {
    emit::Writer writer([&](absl::string_view text) { (*file)->Write(text); });
    emit(writer);
  }
  return (*file)->Close();
}

// A few hundred microseconds of work.
constexpr uint64_t kBatchBytes = 4096;
// A module that is not worth starting a thread for.
constexpr uint64_t kAloneBytes = 16384;
constexpr unsigned kMostThreads = 16;

// The functions cut into stretches, each to be translated in one go: the first of each, and the
// number of functions.
std::vector<uint32_t> CutIntoBatches(const wasm::Module& module) {
  std::vector<uint32_t> begins;
  uint64_t bytes = 0;
  for (uint32_t f = module.imported_functions; f < module.functions.size(); ++f) {
    if (begins.empty() || bytes + module.functions[f].body.size() > kBatchBytes) {
      begins.push_back(f);
      bytes = 0;
    }
    bytes += module.functions[f].body.size();
  }
  begins.push_back(module.functions.size());
  return begins;
}

unsigned ThreadsFor(const wasm::Module& module, const TranslateOptions& options) {
  if (options.threads != 0) return std::min(options.threads, kMostThreads);
  if (module.functions.empty() || module.bytes.size() < kAloneBytes) return 1;
  return std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
}

// Translates the functions on all processors, and writes them in order.
absl::Status WriteFunctions(const ModuleContext& context, const TranslateOptions& options,
                            FunctionFiles& files) {
  using Batch = std::vector<TranslatedFunction>;
  const wasm::Module& module = context.module;
  const std::vector<uint32_t> begins = CutIntoBatches(module);
  const auto translate = [&](uint32_t number) -> absl::StatusOr<Batch> {
    Batch batch;
    for (uint32_t f = begins[number]; f < begins[number + 1]; ++f) {
      absl::StatusOr<TranslatedFunction> translated =
          TranslateFunction(context, f, !options.ir.empty());
      if (!translated.ok()) return translated.status();
      batch.push_back(*std::move(translated));
    }
    return batch;
  };
  uint64_t done = 0;  // bytes of bodies
  const auto write = [&](uint32_t number, Batch batch) {
    for (size_t i = 0; i < batch.size(); ++i) {
      const absl::Status status = files.Write(begins[number] + i, batch[i]);
      if (!status.ok()) return status;
      done += module.functions[begins[number] + i].body.size();
    }
    if (options.progress) options.progress(static_cast<double>(done) / module.bytes.size());
    return absl::OkStatus();
  };
  const absl::Status status =
      InOrder<Batch>::Run(begins.size() - 1, ThreadsFor(module, options), translate, write);
  return status.ok() ? files.Close() : status;
}

absl::Status WriteFiles(const ModuleContext& context, const TranslateOptions& options,
                        OutputFolder& out) {
  FunctionFiles functions(context, out);
  absl::Status status;
  if (!options.report.empty()) functions.Report();
  if (!options.ir.empty()) status = functions.WriteIr(options.ir);
  if (status.ok()) status = WriteFunctions(context, options, functions);
  const std::string& stem = context.options.file_stem;
  if (status.ok()) {
    status = Stream(out, stem + "_data.cc", [&](emit::Writer& w) { emit::EmitData(context, w); });
  }
  if (status.ok()) {
    status = out.Add(stem + "_module.h", context.options.freestanding
                                             ? emit::EmitFreestandingModuleHeader(context)
                                             : emit::EmitModuleHeader(context));
  }
  std::vector<emit::Budget> budgets;
  if (status.ok() && (context.options.freestanding || functions.report())) {
    budgets = emit::FindBudgets(context, functions.sites(), functions.variable_bytes());
  }
  if (status.ok()) {
    status = Stream(out, stem + "_module.cc", [&](emit::Writer& w) {
      emit::EmitModuleSource(context, functions.sites(), budgets, w);
    });
  }
  if (status.ok()) {
    const absl::StatusOr<std::string> header = Header(context, functions.sites(), budgets, options);
    status = header.ok() ? out.Add(stem + ".h", *header) : header.status();
  }
  if (status.ok() && functions.report()) {
    status = out.AddPath(options.report, functions.report()->Finish(budgets));
  }
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

  status = CheckFixedMemory(*module, options.emit);
  if (!status.ok()) return status;

  // 3. Validate the function bodies, noting who calls whom; 4. what follows from that.
  absl::StatusOr<analysis::CallGraph> graph = analysis::BuildCallGraph(*module);
  if (!graph.ok()) return graph.status();
  status = CheckFreestanding(*module, *graph, options.emit);
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<bool>> immediate =
      analysis::MatchImmediate(*module, options.emit.immediate, options.emit.wasi);
  if (!immediate.ok()) return immediate.status();
  std::vector<bool> entry_checks;
  if (options.emit.preempt != emit::Preempt::kNone) {
    entry_checks = analysis::PlaceEntryChecks(*module, *graph);
  }
  const absl::StatusOr<std::vector<bool>> pauses =
      FindPauses(*module, *graph, entry_checks, options.emit);
  if (!pauses.ok()) return pauses.status();
  const analysis::Suspension suspension =
      analysis::AnalyzeSuspension(*module, *graph, *immediate, *pauses);

  ModuleContext context{*module, options.emit, *graph, suspension};
  context.immediate = *std::move(immediate);
  context.stack_need = analysis::PlaceStackChecks(*module, *graph);
  context.entry_checks = std::move(entry_checks);
  context.info_index.assign(module->functions.size(), ir::kNone);
  for (uint32_t i = 0; i < graph->referenced.size(); ++i) {
    context.info_index[graph->referenced[i]] = i;
  }
  context.pause_site = std::count(context.immediate.begin(), context.immediate.end(), false);
  context.shards = emit::AssignShards(*module, options.emit);
  context.internal = emit::FindInternal(*module, *graph, context.shards);
  context.typed_elements = emit::FindTypedElements(context);
  context.hash = Sha256(bytes);
  for (const wasm::Function& f : module->functions) context.code_bytes += f.body.size();

  // 5. Each function's way, see translate_function.cc; 6. the files around them.
  OutputFolder out(options.output, options.discard);
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
