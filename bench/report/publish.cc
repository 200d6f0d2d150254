#include "bench/report/publish.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/report/tables.h"
#include "llvm/Support/FormatVariadic.h"
#include "translator/input_file.h"
#include "translator/output_folder.h"

namespace bench {
namespace {

namespace json = llvm::json;

std::vector<std::string> Keys(const json::Object& object) {
  std::vector<std::string> keys;
  for (const auto& entry : object) keys.push_back(llvm::StringRef(entry.first).str());
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::string Value(const json::Object& root, const std::string& key) {
  const Figure figure = Number(root.getObject("summary"), key);
  if (!figure) return "–";
  return Cell(figure, *figure >= 1000 ? 0 : *figure >= 10 ? 1 : 3);
}

std::string Summary(const json::Object& root) {
  const json::Object* summary = root.getObject("summary");
  if (summary == nullptr) return "";
  std::string text =
      "## Summary\n\nThe keys are those of `summary` in `build-bench/report/bench.json`.\n\n" +
      TableHead({"key", "value", "why there is none"});
  for (const std::string& key : Keys(*summary)) {
    text += TableRow(
        {absl::StrCat("`", key, "`"), Value(root, key), Text(root.getObject("notes"), key)});
  }
  return text;
}

bool IsQuick(const json::Object& root) {
  const auto quick = root.getBoolean("quick");
  return quick && *quick;
}

std::string Introduction(const json::Object& root) {
  const json::Object* versions = root.getObject("versions");
  const json::Object* machine = root.getObject("machine");
  constexpr char kText[] = R"(# Numbers

Written by `bench/run`: everything is built from the same wasm with the same flags and measured in one go on one
machine, side by side. Ratios below 1 are better for Fermata. wasm2c is the one of wabt that was installed (%s), with
its guard pages; it gets the flags of Fermata's own code but -fsignaling-nans, which would slow it down. Native C is
compiled with -O2 by the same compiler. Besides what the README's commands install, `bench/run` uses libbenchmark-dev, valgrind,
binaryen, libboost-context-dev, node and the newest clang, where they are there.

Machine: %s, %s processors, load average at the start %s. Compilers: %s; %s.
%s
)";
  return absl::StrFormat(kText, Text(versions, "wasm2c"), Text(machine, "processor"),
                         Cell(Number(machine, "processors"), 0), Cell(Number(machine, "load"), 1),
                         Text(versions, "gcc"), Text(versions, "clang"),
                         IsQuick(root) ? "\nA quick run: few rounds, not to be quoted.\n" : "");
}

// The README's block: what a reader should see first.
std::string ReadmeBlock(const json::Object& root, const Charts& charts) {
  struct Line {
    const char *what, *key;
  };
  constexpr Line kLines[] = {
      {"instructions, resumable kernels, against wasm2c (clang)", "instructions_clang_vs_wasm2c"},
      {"the same with g++", "instructions_gcc_vs_wasm2c"},
      {"time against native C, same compiler", "time_vs_native"},
      {"instructions against the same guest with nothing suspending", "resumable_vs_plain"},
      {"instructions of code that was resumed against fresh code", "resumed_vs_fresh"},
      {"suspend + resume at depth 1, ns", "roundtrip_ns_depth_1"},
      {"suspend + resume at depth 10,000, ns", "roundtrip_ns_depth_10000"},
      {"an import answered at once, ns", "answer_at_once_ns"},
      {"bytes resident per suspended call at depth 10", "resident_bytes_per_activation_depth_10"},
      {"generated machine code of Lua against wasm2c's", "lua_text_vs_wasm2c"},
      {"time to compile the C++ of Lua against wasm2c's C", "lua_compile_vs_wasm2c"},
  };
  std::string text =
      "From one run of `bench/run`, all engines side by side; ratios below 1 are better for "
      "Fermata. "
      "All of it: [docs/numbers.md](docs/numbers.md).\n\n" +
      TableHead({"", ""});
  for (const Line& line : kLines) text += TableRow({line.what, Value(root, line.key)});
  for (const char* chart : {"kernels-clang", "roundtrip"}) {
    const auto it = charts.find(chart);
    if (it == charts.end()) continue;
    absl::StrAppendFormat(&text, "\n![%s](docs/charts/%s.svg)\n", it->second.title, chart);
  }
  return text;
}

// The text with what is between the marks replaced; as it is if they are not there.
std::string ReplaceBlock(std::string text, const std::string& block) {
  const std::string begin = "<!-- bench:begin -->\n", end = "<!-- bench:end -->";
  const size_t from = text.find(begin), to = text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) return text;
  return text.replace(from + begin.size(), to - from - begin.size(), block);
}

// The charts as charts.py takes them, and then what it makes of them.
absl::Status Draw(const Tools& tools, const Charts& charts, const std::string& folder) {
  const std::string path = tools.build_dir + "/bench/charts.json";
  fermata::OutputFolder out(tools.build_dir + "/bench");
  absl::Status status = out.AddPath(path, llvm::formatv("{0:2}\n", ToJson(charts)).str());
  if (status.ok()) status = out.Commit();
  if (!status.ok()) return status;
  if (tools.python.empty()) {
    std::fprintf(stderr,
                 "the charts are not drawn: no Python with matplotlib (python3-matplotlib)\n");
    return absl::OkStatus();
  }
  const Ran ran = Run({tools.python, tools.source_dir + "/bench/report/charts.py", path, folder});
  if (!ran.ok()) return absl::InternalError("charts.py failed:\n" + Tail(ran.errors));
  return absl::OkStatus();
}

}  // namespace

std::string SummaryTable(const json::Object& root) {
  std::string text;
  const json::Object* summary = root.getObject("summary");
  if (summary == nullptr) return text;
  for (const std::string& key : Keys(*summary)) {
    absl::StrAppendFormat(&text, "%-42s %10s\n", key, Value(root, key));
  }
  return text;
}

absl::Status Publish(const Tools& tools, const json::Object& root, const std::string& dir) {
  Charts charts;
  std::string text = Introduction(root) + Summary(root);
  for (const auto section : {&KernelSection, &SuspensionSection, &HostSection, &GuestSection}) {
    const std::string part = section(root, charts);
    if (!part.empty()) absl::StrAppend(&text, "\n", part);
  }
  const auto readme = fermata::ReadInput(dir + "/README.md");
  if (!readme.ok()) return readme.status();
  fermata::OutputFolder out(dir);
  absl::Status status = out.AddPath(dir + "/docs/numbers.md", text);
  if (status.ok()) {
    status = out.AddPath(dir + "/README.md",
                         ReplaceBlock((*readme)->getBuffer().str(), ReadmeBlock(root, charts)));
  }
  if (status.ok()) status = out.Commit();
  return status.ok() ? Draw(tools, charts, dir + "/docs/charts") : status;
}

}  // namespace bench
