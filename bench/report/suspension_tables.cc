#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/report/tables.h"

namespace bench {
namespace {

namespace json = llvm::json;

constexpr int kDepths[] = {1, 10, 100, 1000, 10000};
struct Peer {
  const char *prefix, *name;
};
constexpr Peer kPeers[] = {{"", "Fermata"},
                           {"typed_", "Fermata, typed API"},
                           {"dynamic_", "Fermata, dynamic API"},
                           {"asyncify_", "Asyncify + wasm2c"},
                           {"fibers_", "fibers + wasm2c"},
                           {"jspi_", "V8, JSPI"}};

Figure RoundTrip(const json::Object* figures, const Peer& peer, int depth) {
  return Number(figures, absl::StrCat(peer.prefix, "roundtrip_ns_depth_", depth));
}

std::string RoundTrips(const json::Object* figures) {
  std::vector<std::string> head = {"ns"};
  for (const int depth : kDepths) head.push_back(absl::StrCat("depth ", depth));
  std::string text = TableHead(head);
  for (const Peer& peer : kPeers) {
    std::vector<std::string> row = {peer.name};
    for (const int depth : kDepths) row.push_back(Cell(RoundTrip(figures, peer, depth), 1));
    text += TableRow(row);
  }
  return text;
}

BarChart RoundTripChart(const json::Object* figures) {
  BarChart chart;
  chart.title = "Suspend + resume, ns, by depth of the stack that is kept (logarithmic)";
  chart.logarithmic = true;
  for (const Peer& peer : kPeers) {
    if (peer.prefix == std::string("typed_") || peer.prefix == std::string("dynamic_")) continue;
    chart.series.push_back(peer.name);
  }
  for (const int depth : kDepths) {
    BarChart::Group group{absl::StrCat("depth ", depth), {}};
    for (const Peer& peer : kPeers) {
      if (peer.prefix == std::string("typed_") || peer.prefix == std::string("dynamic_")) continue;
      group.values.push_back(RoundTrip(figures, peer, depth));
    }
    chart.groups.push_back(std::move(group));
  }
  return chart;
}

std::string Calls(const json::Object* figures) {
  std::string text = TableHead({"a call of an import, and a new instance", "Fermata", "wasm2c"});
  const auto row = [&](const char* what, const char* ours, const char* theirs, double unit) {
    const auto cell = [&](const char* key) {
      const Figure figure = Number(figures, key);
      return figure ? Cell(*figure / unit, 1) : Cell({});
    };
    text += TableRow({what, cell(ours), cell(theirs)});
  };
  row("import that may suspend, answered at once, ns", "answer_at_once_ns", "", 1);
  row("the same by the dynamic API, ns", "dynamic_answer_at_once_ns", "", 1);
  row("import that can't suspend, ns", "immediate_import_ns", "wasm2c_import_ns", 1);
  row("instance made and freed, memory reserved, µs", "create_reserved_ns", "wasm2c_create_ns",
      1000);
  row("instance made and freed, memory checked, µs", "create_checked_ns", "", 1000);
  return text;
}

std::string Memory(const json::Object* figures) {
  std::string text =
      TableHead({"calls suspended at depth 10, of one instance", "10,000", "100,000", "1,000,000"});
  for (const Peer& kind : {Peer{"core", "Fermata: frames and activation, in an array, bytes each"},
                           Peer{"heap", "Fermata: frames in the heap, bytes each"},
                           Peer{"typed", "Fermata: typed steps, bytes each"},
                           Peer{"fibers", "fibers + wasm2c, bytes each"}}) {
    std::vector<std::string> row = {kind.name};
    for (const int count : {10000, 100000, 1000000}) {
      row.push_back(
          Cell(Number(figures, absl::StrCat(kind.prefix, "_activation_bytes_", count)), 0));
    }
    text += TableRow(row);
  }
  text += "\n" + TableHead({"instances, each with such a call", "wanted", "alive", "bytes each",
                            "why no more"});
  for (const char* policy : {"reserved", "checked"}) {
    for (const int wanted : {10000, 100000}) {
      const std::string key = absl::StrCat("instances_", policy, "_", wanted);
      text += TableRow({absl::StrCat("memory ", policy), absl::StrCat(wanted),
                        Cell(Number(figures, key), 0), Cell(Number(figures, key + "_bytes"), 0),
                        Text(figures, key + "_stopped")});
    }
  }
  return text;
}

std::string Snapshots(const json::Object* figures) {
  std::string text =
      TableHead({"an instance with a call suspended at depth 10, and so much memory "
                 "that is not zero; µs of processor time",
                 "0", "64 KiB", "1 MiB"});
  const auto row = [&](const char* what, const char* key, const char* unit, double scale) {
    std::vector<std::string> cells = {what};
    for (const int kilobytes : {0, 64, 1024}) {
      const Figure figure = Number(figures, absl::StrCat("snapshot_", key, "_", kilobytes, unit));
      cells.push_back(figure ? Cell(*figure / scale, scale == 1 ? 0 : 1) : Cell({}));
    }
    text += TableRow(cells);
  };
  row("saved", "save_reserved", "_ns", 1000);
  row("restored, memory reserved", "restore_reserved", "_ns", 1000);
  row("restored, memory checked", "restore_checked", "_ns", 1000);
  row("forked, memory reserved", "fork_reserved", "_ns", 1000);
  row("forked, memory checked", "fork_checked", "_ns", 1000);
  row("one more fork from a `ForkPoint`", "forkfrompoint_reserved", "_ns", 1000);
  row("bytes of the snapshot beyond the memory and the frames", "save_reserved", "_overhead_bytes",
      1);
  const auto ns = [&](const char* key) { return Number(figures, key); };
  const Figure million = ns("snapshot_clones_1000000_ns");
  return absl::StrCat(
      text,
      absl::StrFormat("\nA copy of a call, of the same instance (`Clone`): %s ns at depth 1, %s at "
                      "10, %s at 100. 1,000,000 copies, all suspended at once: %s ms.\n",
                      Cell(ns("snapshot_clone_1_ns"), 0), Cell(ns("snapshot_clone_10_ns"), 0),
                      Cell(ns("snapshot_clone_100_ns"), 0),
                      million ? Cell(*million / 1e6, 0) : Cell({})));
}

}  // namespace

std::string SuspensionSection(const json::Object& root, Charts& charts) {
  const json::Object* figures = root.getObject("suspension");
  if (figures == nullptr || figures->empty()) return "";
  charts["roundtrip"] = RoundTripChart(figures);
  constexpr char kText[] = R"(## Suspension

A guest recurses to a depth and suspends there again and again: ns of processor time for one suspension and one
resumption, the stack below kept (least of several repetitions that take turns; V8: of wall time). The first row is
the core API (`core::Resume`).

![Suspend and resume](charts/roundtrip.svg)

)";
  return absl::StrCat(kText, RoundTrips(figures),
                      absl::StrFormat("\nA frame of that guest keeps one i32 in %s bytes.\n\n",
                                      Cell(Number(figures, "bytes_per_frame"), 0)),
                      Calls(figures), "\nMemory resident, by `/proc/self/statm`:\n\n",
                      Memory(figures), "\nSnapshots and forks:\n\n", Snapshots(figures));
}

}  // namespace bench
