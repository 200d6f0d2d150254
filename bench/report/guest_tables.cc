#include "absl/strings/str_cat.h"
#include "bench/report/tables.h"

namespace bench {
namespace {

namespace json = llvm::json;

struct Row {
  const json::Object *guest, *ours, *theirs;
  Figure Against(const std::string& figure) const {
    return Ratio(Number(ours, figure), Number(theirs, figure));
  }
};

std::vector<Row> Rows(const json::Object& root) {
  std::vector<Row> rows;
  if (const json::Array* guests = root.getArray("guests")) {
    for (const json::Value& value : *guests) {
      const json::Object* guest = value.getAsObject();
      if (guest == nullptr) continue;
      rows.push_back({guest, guest->getObject("fermata"), guest->getObject("wasm2c")});
    }
  }
  return rows;
}

std::string Scaled(Figure figure, double unit, int decimals) {
  return figure ? Cell(*figure / unit, decimals) : Cell({});
}

// Geometric means over the modules of `least` bytes or more.
std::string MeanRow(const std::string& title, const std::vector<Row>& rows, double least) {
  std::vector<Figure> speed, peak[2], bytes[2], output;
  for (const Row& row : rows) {
    const Figure size = Number(row.guest, "module_bytes");
    if (size.value_or(0) < least) continue;
    speed.push_back(
        Ratio(Number(row.theirs, "translate_seconds"), Number(row.ours, "translate_seconds")));
    for (const bool theirs : {false, true}) {
      const json::Object* engine = theirs ? row.theirs : row.ours;
      peak[theirs].push_back(Ratio(Number(engine, "translate_peak_bytes"), size));
      bytes[theirs].push_back(Ratio(Number(engine, "output_bytes"), size));
    }
    output.push_back(row.Against("output_bytes"));
  }
  if (speed.empty()) return "";
  return TableRow({title, "", "", "", Cell(GeometricMean(speed), 1),
                   Cell(GeometricMean(peak[0]), 1), Cell(GeometricMean(peak[1]), 1),
                   Cell(GeometricMean(bytes[0]), 1), Cell(GeometricMean(bytes[1]), 1),
                   Cell(GeometricMean(output))});
}

std::string Translation(const std::vector<Row>& rows) {
  std::string text = TableHead({"guest", "wasm, KB", "translation, ms", "wasm2c, ms",
                                "times faster", "peak memory per wasm byte", "wasm2c",
                                "output per wasm byte", "wasm2c", "output / wasm2c"});
  for (const Row& row : rows) {
    const Figure size = Number(row.guest, "module_bytes");
    const auto per_byte = [&](const json::Object* engine, const char* key) {
      return Cell(Ratio(Number(engine, key), size), 1);
    };
    text += TableRow(
        {Text(row.guest, "name"), Scaled(size, 1000, 0),
         Scaled(Number(row.ours, "translate_seconds"), 1e-3, 0),
         Scaled(Number(row.theirs, "translate_seconds"), 1e-3, 0),
         Cell(Ratio(Number(row.theirs, "translate_seconds"), Number(row.ours, "translate_seconds")),
              1),
         per_byte(row.ours, "translate_peak_bytes"), per_byte(row.theirs, "translate_peak_bytes"),
         per_byte(row.ours, "output_bytes"), per_byte(row.theirs, "output_bytes"),
         Cell(row.Against("output_bytes"))});
  }
  text += MeanRow("mean of all", rows, 0);
  text += MeanRow("mean of those of 1 MB or more", rows, kBigModule);
  return text;
}

std::string Compilation(const std::vector<Row>& rows, const std::string& compiler) {
  std::string text =
      TableHead({"guest", "text, KB", "wasm2c, KB", "text / wasm2c", "compile, s", "wasm2c, s",
                 "compile / wasm2c", "slowest file, s", "peak, MB", "wasm2c, MB"});
  bool any = false;
  for (const Row& row : rows) {
    const auto cell = [&](const json::Object* engine, const std::string& key, double unit,
                          int decimals) {
      return Scaled(Number(engine, absl::StrCat(key, "_", compiler)), unit, decimals);
    };
    if (!Number(row.ours, "text_" + compiler) && !Number(row.theirs, "text_" + compiler)) continue;
    any = true;
    text += TableRow(
        {Text(row.guest, "name"), cell(row.ours, "text", 1000, 0),
         cell(row.theirs, "text", 1000, 0), Cell(row.Against("text_" + compiler)),
         cell(row.ours, "compile_seconds", 1, 1), cell(row.theirs, "compile_seconds", 1, 1),
         Cell(row.Against("compile_seconds_" + compiler)),
         cell(row.ours, "slowest_file_seconds", 1, 1), cell(row.ours, "compile_peak_bytes", 1e6, 0),
         cell(row.theirs, "compile_peak_bytes", 1e6, 0)});
  }
  return any ? text : "";
}

BarChart Chart(const std::vector<Row>& rows, const std::string& compiler) {
  BarChart chart;
  chart.title = absl::StrCat("Machine code and compile time against wasm2c, ", compiler);
  chart.series = {"machine code", "C++ compile time"};
  chart.line = 1;
  for (const Row& row : rows) {
    const Figure text = row.Against("text_" + compiler);
    if (!text) continue;
    chart.groups.push_back(
        {Text(row.guest, "name"), {text, row.Against("compile_seconds_" + compiler)}});
  }
  return chart;
}

}  // namespace

std::string GuestSection(const json::Object& root, Charts& charts) {
  const std::vector<Row> rows = Rows(root);
  if (rows.empty()) return "";
  std::string text = R"(## Programs: size and compile time

Unmodified modules, all imports suspending, against wasm2c on the same module. Wall time of the translators, least of
several; processor time of the compilers at -O2, one file after the other. The goals are for modules of a megabyte or more: of
smaller ones the process itself takes much of time and memory, which is never less than what this program has. Where wasm2c has no figure, it can't
translate the module. How fast programs run: `bench/native/run`.

)";
  text += Translation(rows);
  for (const char* compiler : {"gcc", "clang"}) {
    const std::string table = Compilation(rows, compiler);
    if (table.empty()) continue;
    const std::string name = absl::StrCat("guests-", compiler);
    charts[name] = Chart(rows, compiler);
    absl::StrAppend(&text, "\n### Compiled by ", Text(root.getObject("versions"), compiler),
                    "\n\n![Machine code and compile time](charts/", name, ".svg)\n\n", table);
  }
  return text;
}

}  // namespace bench
