// Builds what the benchmarks need beside the project itself, measures, and writes the report.
// bench/run is the command that people use.
//
//   fermata-bench --source DIR --build DIR [--quick | --full]
//                 [--only kernels,suspension,hosts,guests] [--kernel NAME] [--guest NAME]
//                 [--guests DIR] [--report FILE] [--publish DIR]
//
// Writes the report (DIR/report/bench.json); what `--only` leaves out is kept from there (`--only
// none` measures nothing). `--publish` also writes docs/numbers.md, docs/charts and the README's
// block.
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bench/report/figures.h"
#include "bench/report/guests.h"
#include "bench/report/hosts.h"
#include "bench/report/kernels.h"
#include "bench/report/publish.h"
#include "bench/report/summary.h"
#include "bench/report/suspension.h"
#include "bench/report/toolchain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "translator/output_folder.h"

namespace {

namespace cl = llvm::cl;
namespace json = llvm::json;

cl::opt<std::string> source("source", cl::Required, cl::desc("The project's folder"));
cl::opt<std::string> build("build", cl::Required, cl::desc("Its build folder"));
cl::opt<std::string> guests("guests", cl::desc("Folder of guests (NAME/module.wasm)"));
cl::opt<std::string> only("only", cl::desc("Sections to measure: kernels,suspension,hosts,guests"));
cl::opt<std::string> kernel("kernel", cl::desc("Measure this kernel alone"));
cl::opt<std::string> report("report", cl::desc("The report, instead of DIR/report/bench.json"));
cl::opt<std::string> guest("guest", cl::desc("Measure this guest alone"));
cl::opt<bool> quick("quick", cl::desc("Fewer rounds, fewer guests"));
cl::opt<std::string> publish(
    "publish", cl::desc("Write docs/numbers.md, its charts and README.md in this folder"));
cl::opt<std::string> write_flags("write-flags", cl::Hidden, cl::value_desc("folder"),
                                 cl::desc("Write the compilers' flags, for the build, and end"));
cl::opt<bool> full("full", cl::desc("Also the guests that take many minutes"));

bool Wants(const char* section) {
  return only.empty() || absl::StrContains(only.getValue(), section);
}

// Also of /proc, whose files have no size.
std::string ReadText(const std::string& path) {
  const auto file = llvm::MemoryBuffer::getFileAsStream(path);
  return file ? (*file)->getBuffer().str() : "";
}

absl::Status WriteReport(const std::string& path, json::Object root) {
  const llvm::StringRef folder = llvm::sys::path::parent_path(path);
  fermata::OutputFolder out(folder.empty() ? "." : folder.str());
  absl::Status status = out.Open();
  if (status.ok()) {
    status = out.AddPath(path, llvm::formatv("{0:2}\n", json::Value(std::move(root))).str());
  }
  return status.ok() ? out.Commit() : status;
}

json::Object Previous(const std::string& path) {
  auto value = json::parse(ReadText(path));
  if (value) {
    if (json::Object* object = value->getAsObject()) return std::move(*object);
  } else {
    llvm::consumeError(value.takeError());
  }
  return {};
}

json::Object Versions(const bench::Tools& tools) {
  json::Object versions{{"wasm2c", tools.wasm2c_version}};
  for (const bench::Compiler& compiler : tools.compilers)
    versions[compiler.name] = compiler.version;
  return versions;
}

// What tells a quiet machine from a busy one, among other things.
json::Object Machine() {
  const std::string info = ReadText("/proc/cpuinfo");
  std::string processor = "unknown";
  if (const size_t at = info.find("model name"); at != std::string::npos) {
    const size_t begin = std::min(info.find(": ", at), info.size() - 2) + 2;
    processor = info.substr(begin, info.find('\n', begin) - begin);
  }
  double load = 0;
  if (getloadavg(&load, 1) != 1) load = -1;
  return json::Object{{"processor", processor},
                      {"processors", static_cast<int64_t>(std::thread::hardware_concurrency())},
                      {"load", load}};
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "fermata-bench: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  cl::ParseCommandLineOptions(argc, argv, "Measures Fermata and its peers\n");
  if (report.empty()) report = build + "/report/bench.json";
  const absl::StatusOr<bench::Tools> found = bench::FindTools(source, build);
  if (!found.ok()) return Fail(found.status());
  const bench::Tools& tools = *found;
  if (!write_flags.empty()) {
    const absl::Status written = bench::WriteFlags(tools, write_flags);
    return written.ok() ? 0 : Fail(written);
  }
  json::Object root = only.empty() ? json::Object() : Previous(report);
  root["quick"] = quick.getValue();
  root["versions"] = Versions(tools);
  root["machine"] = Machine();
  if (Wants("kernels")) {
    root["kernels"] = bench::ToJson(bench::MeasureKernels(tools, {quick, kernel}));
  }
  if (Wants("suspension")) root["suspension"] = bench::MeasureSuspension(tools, quick);
  if (Wants("hosts")) root["hosts"] = bench::MeasureHosts(tools, quick);
  if (Wants("guests")) root["guests"] = bench::MeasureGuests(tools, {guests, guest, quick, full});
  bench::Summarize(root);
  std::printf("%s", bench::SummaryTable(root).c_str());
  absl::Status status;
  if (!publish.empty()) status = bench::Publish(tools, root, publish);
  // In any case: measuring takes long.
  status.Update(WriteReport(report, std::move(root)));
  return status.ok() ? 0 : Fail(status);
}
