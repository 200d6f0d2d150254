#include "bench/report/publish.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/report/tables.h"
#include "bench/report/text_file.h"

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

void ReplaceBlock(const std::string& path, const std::string& block) {
  const std::string begin = "<!-- bench:begin -->\n", end = "<!-- bench:end -->";
  std::string text = ReadText(path);
  const size_t from = text.find(begin), to = text.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) return;
  text.replace(from + begin.size(), to - from - begin.size(), block);
  WriteText(path, text);
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

void Publish(const json::Object& root, const std::string& dir) {
  Charts charts;
  std::string text = Introduction(root) + Summary(root);
  for (const auto section : {&KernelSection, &SuspensionSection, &HostSection, &GuestSection}) {
    const std::string part = section(root, charts);
    if (!part.empty()) absl::StrAppend(&text, "\n", part);
  }
  WriteText(dir + "/docs/numbers.md", text);
  for (const auto& [name, chart] : charts) {
    WriteText(absl::StrCat(dir, "/docs/charts/", name, ".svg"), Svg(chart));
  }
  ReplaceBlock(dir + "/README.md", ReadmeBlock(root, charts));
}

}  // namespace bench
