#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "bench/report/tables.h"

namespace bench {
namespace {

struct Column {
  const char* title;
  const char *engine, *peer, *quantity;
  int decimals;
};
constexpr Column kColumns[] = {
    {"instructions / wasm2c", "fermata", "wasm2c", "instructions", 2},
    {"time / wasm2c", "fermata", "wasm2c", "seconds", 2},
    {"instructions / native", "fermata", "native", "instructions", 2},
    {"time / native", "fermata", "native", "seconds", 2},
    {"instructions / plain", "fermata", "plain", "instructions", 3},
    {"resumed / fresh, instructions", "resumed", "fresh", "instructions", 3},
    {"resumed / fresh, time", "resumed", "fresh", "seconds", 2},
    {"preempt / without, instructions", "preempt", "fermata", "instructions", 3},
    {"preempt / without, time", "preempt", "fermata", "seconds", 2},
    {"checked, time / native", "checked", "native", "seconds", 2},
    {"Asyncify, instructions / wasm2c", "asyncify", "wasm2c", "instructions", 2},
    {"Asyncify, time / wasm2c", "asyncify", "wasm2c", "seconds", 2},
};

std::string Table(const KernelTable& table, const std::string& compiler) {
  std::vector<std::string> head = {"kernel"};
  for (const Column& column : kColumns) head.push_back(column.title);
  std::string text = TableHead(head);
  for (const std::string& kernel : table.kernels()) {
    std::vector<std::string> row = {kernel};
    for (const Column& c : kColumns) {
      row.push_back(
          Cell(table.RatioOf(kernel, c.engine, c.peer, compiler, c.quantity), c.decimals));
    }
    text += TableRow(row);
  }
  std::vector<std::string> row = {"**geometric mean**"};
  for (const Column& c : kColumns) {
    const Figure mean = GeometricMean(table.Ratios(c.engine, c.peer, compiler, c.quantity));
    row.push_back(absl::StrCat("**", Cell(mean, c.decimals), "**"));
  }
  return text + TableRow(row);
}

BarChart Chart(const KernelTable& table, const std::string& compiler, const std::string& quantity,
               const std::string& title) {
  BarChart chart;
  chart.title = title;
  chart.series = {"Fermata", "Asyncify + wasm2c", "native C"};
  chart.line = 1;
  const auto add = [&](const std::string& label, const auto& ratio) {
    chart.groups.push_back({label, {ratio("fermata"), ratio("asyncify"), ratio("native")}});
  };
  for (const std::string& kernel : table.kernels()) {
    add(kernel, [&](const char* engine) {
      return table.RatioOf(kernel, engine, "wasm2c", compiler, quantity);
    });
  }
  add("geometric mean", [&](const char* engine) {
    return GeometricMean(table.Ratios(engine, "wasm2c", compiler, quantity));
  });
  return chart;
}

}  // namespace

std::string Cell(Figure figure, int decimals) {
  return figure ? absl::StrFormat("%.*f", decimals, *figure) : "–";
}

std::string TableRow(const std::vector<std::string>& cells) {
  return absl::StrCat("| ", absl::StrJoin(cells, " | "), " |\n");
}

std::string TableHead(const std::vector<std::string>& cells) {
  std::string text = TableRow(cells);
  for (size_t i = 0; i < cells.size(); ++i) text += "|---";
  return text + "|\n";
}

std::string KernelSection(const llvm::json::Object& root, Charts& charts) {
  const KernelTable table(root);
  if (table.kernels().empty()) return "";
  std::string text = R"(## Kernels

Small programs in C ([bench/kernels](../bench/kernels)), compiled to wasm once; their hot functions can reach an import
that suspends, and hardly ever call it. Instructions are callgrind's; time is processor time, the least of rounds in
which all engines take turns. "Plain": the same guest with the import immediate, so that nothing can suspend.
"Resumed / fresh": the kernel suspends once and does all its work in the code that was resumed, against the same
program with that suspension answered at once. "Preempt": `--preempt`, against the same without it; nobody interrupts.
"Checked": `--memory=checked`.
)";
  for (const std::string& compiler : table.compilers()) {
    const std::string version = Text(root.getObject("versions"), compiler);
    const std::string name = "kernels-" + compiler;
    charts[name] = Chart(table, compiler, "instructions",
                         absl::StrCat("Instructions against wasm2c, ", compiler));
    charts[name + "-time"] =
        Chart(table, compiler, "seconds", absl::StrCat("Time against wasm2c, ", compiler));
    absl::StrAppendFormat(&text,
                          "\n### %s\n\n![Instructions](charts/%s.svg)\n\n"
                          "![Time](charts/%s-time.svg)\n\n",
                          version, name, name);
    text += Table(table, compiler);
  }
  return text;
}

}  // namespace bench
