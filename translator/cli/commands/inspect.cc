#include "translator/cli/commands/inspect.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include "translator/cli/commands/common.h"
#include "translator/cli/native/graphviz.h"
#include "translator/input_file.h"
#include "translator/inspect/graph.h"
#include "translator/inspect/inspection.h"
#include "translator/inspect/json.h"
#include "translator/inspect/text.h"
#include "translator/output_folder.h"

namespace fermata::commands::inspect {
namespace {

namespace cl = llvm::cl;
using fermata::inspect::Graph;
using fermata::inspect::Inspection;

cl::SubCommand command("inspect",
                       "Show what a WebAssembly module is made of, which proposals it "
                       "needs, and which of its functions may suspend, and why");
cl::OptionCategory category("Inspection");

cl::opt<std::string> input(cl::Positional, cl::Required, cl::desc("<module.wasm>"),
                           cl::sub(command), cl::cat(category));
cl::list<std::string> immediate(
    "immediate", cl::value_desc("module.field"), cl::CommaSeparated,
    cl::desc("Imports that are plain calls and never suspend; globs such as 'env.*' (repeatable)"),
    cl::sub(command), cl::cat(category));
cl::opt<bool> wasi(
    "wasi", cl::desc("The module's WASI preview 1 functions that never wait are plain calls"),
    cl::sub(command), cl::cat(category));
cl::list<std::string> features(
    "features", cl::value_desc("proposal"), cl::CommaSeparated,
    cl::desc("Proposals that the module may use, or with a '-' must not (default: all supported)"),
    cl::sub(command), cl::cat(category));
cl::opt<bool> json("json", cl::desc("Print one JSON object"), cl::sub(command), cl::cat(category));
cl::opt<bool> functions("functions", cl::desc("List each function, and whether it may suspend"),
                        cl::sub(command), cl::cat(category));
cl::opt<std::string> graph(
    "graph", cl::value_desc("file"),
    cl::desc("Write the graph of calls between functions that may suspend, as DOT (x.dot, or '-' "
             "for standard output, in place of the report) or as a picture (x.svg)"),
    cl::sub(command), cl::cat(category));

bool GraphIsSvg() { return absl::EndsWith(graph, ".svg"); }

absl::Status CheckFlags() {
  if (graph.empty() && graph.getNumOccurrences() == 0) return absl::OkStatus();
  if (graph == "-") {
    return json ? absl::InvalidArgumentError("--graph - and --json both write to standard output")
                : absl::OkStatus();
  }
  if (GraphIsSvg() || absl::EndsWith(graph, ".dot")) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--graph '", std::string(graph), "': expected a name that ends in .dot or .svg, or '-'"));
}

// The file appears with all of its contents, or not at all.
absl::Status WriteGraph(const Graph& drawing) {
  std::string content;
  if (GraphIsSvg()) {
    absl::StatusOr<std::string> svg = driver::RenderSvg(drawing.dot);
    if (!svg.ok()) {
      return absl::Status(svg.status().code(), absl::StrCat("--graph ", std::string(graph), ": ",
                                                            svg.status().message()));
    }
    content = *std::move(svg);
  }
  OutputFolder out("");
  absl::Status status = out.AddPath(graph, GraphIsSvg() ? content : drawing.dot);
  if (status.ok()) status = out.Commit();
  return status;
}

// Standard output may be a full disk or a program that has ended.
int Finish(int status) {
  llvm::outs().flush();
  if (!llvm::outs().has_error()) return status;
  const std::string message = llvm::outs().error().message();
  llvm::outs().clear_error();
  return Fail(absl::StrCat("cannot write to standard output: ", message));
}

int Report(const Inspection& in) {
  if (graph.getNumOccurrences() > 0) {
    const Graph drawing = fermata::inspect::DrawGraph(in);
    if (drawing.shown < drawing.nodes) {
      llvm::errs() << "fermata: the graph has " << drawing.nodes << " nodes; only the "
                   << drawing.shown << " nearest to the imports that suspend are drawn\n";
    }
    if (graph == "-") {
      llvm::outs() << drawing.dot;
      return Finish(0);
    }
    const absl::Status status = WriteGraph(drawing);
    if (!status.ok()) return Fail(status.message());
  }
  if (json) {
    fermata::inspect::WriteJson(in, functions, llvm::outs());
  } else {
    fermata::inspect::WriteText(in, functions, llvm::outs());
  }
  return Finish(0);
}

// A module that needs a proposal not supported yet: that is worth telling, as far as it goes.
int ReportMissing(absl::Span<const uint8_t> bytes, const absl::Status& error) {
  if (graph != "-") {
    if (json) {
      fermata::inspect::WriteMissingJson(input, bytes, error, llvm::outs());
    } else {
      fermata::inspect::WriteMissingText(input, bytes, error, llvm::outs());
    }
  }
  return Finish(Fail(error.message()));
}

}  // namespace

void Prepare() { cl::HideUnrelatedOptions(category, command); }

bool Selected() { return static_cast<bool>(command); }

int Run() {
  absl::Status status = CheckFlags();
  if (!status.ok()) return Fail(status.message());
  fermata::inspect::Options options;
  options.immediate.assign(immediate.begin(), immediate.end());
  options.wasi = wasi;
  status = wasm::ChangeFeatures(absl::StrJoin(features, ","), options.features);
  if (!status.ok()) return Fail(absl::StrCat("--features: ", status.message()));

  const absl::StatusOr<std::unique_ptr<llvm::MemoryBuffer>> file = ReadInput(input);
  if (!file.ok()) return Fail(file.status().message());
  const absl::Span<const uint8_t> bytes = BytesOf(**file);
  const absl::StatusOr<std::unique_ptr<Inspection>> in =
      fermata::inspect::Inspect(input, bytes, options);
  if (in.ok()) return Report(**in);
  if (wasm::MissingProposal(in.status())) return ReportMissing(bytes, in.status());
  return Fail(in.status().message());
}

}  // namespace fermata::commands::inspect
