#include "bench/report/suspension.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "bench/report/figures.h"
#include "llvm/Support/FileSystem.h"

namespace bench {
namespace {

namespace json = llvm::json;

json::Object ParseObject(const std::string& text) {
  auto value = json::parse(text);
  if (!value) {
    llvm::consumeError(value.takeError());
    return {};
  }
  json::Object* object = value->getAsObject();
  return object == nullptr ? json::Object() : std::move(*object);
}

// The benchmarks whose names are the report's own.
std::string KeyOf(const std::string& benchmark) {
  static const std::map<std::string, std::string> kPrefixes = {{"CoreRoundtrip", ""},
                                                               {"TypedRoundtrip", "typed_"},
                                                               {"DynamicRoundtrip", "dynamic_"},
                                                               {"FiberRoundtrip", "fibers_"},
                                                               {"AsyncifyRoundtrip", "asyncify_"}};
  static const std::map<std::string, std::string> kKeys = {
      {"AnswerAtOnce", "answer_at_once_ns"},
      {"DynamicAnswerAtOnce", "dynamic_answer_at_once_ns"},
      {"ImmediateImport", "immediate_import_ns"},
      {"Wasm2cImport", "wasm2c_import_ns"},
      {"CreateReserved", "create_reserved_ns"},
      {"CreateChecked", "create_checked_ns"},
      {"CreateWasm2c", "wasm2c_create_ns"}};
  const size_t slash = benchmark.find('/');
  const auto prefix = kPrefixes.find(benchmark.substr(0, slash));
  if (prefix != kPrefixes.end() && slash != std::string::npos) {
    return absl::StrCat(prefix->second, "roundtrip_ns_depth_", benchmark.substr(slash + 1));
  }
  const auto key = kKeys.find(benchmark.substr(0, slash));
  return key == kKeys.end() ? "" : key->second;
}

// Those whose iteration is this many calls (suspension_bench.cc).
double CallsOf(const std::string& key) {
  const bool asks = absl::EndsWith(key, "answer_at_once_ns") || absl::EndsWith(key, "_import_ns");
  return asks ? 1000 : 1;
}

// The benchmarks of a program: several repetitions, which take turns in random order.
std::vector<json::Object> Repetitions(const Tools& tools, const char* name, bool quick) {
  std::vector<json::Object> repetitions;
  const std::string program = absl::StrCat(tools.build_dir, "/bin/", name);
  if (!llvm::sys::fs::exists(program)) return repetitions;
  const Ran ran = Run({program, "--benchmark_format=json",
                       absl::StrCat("--benchmark_repetitions=", quick ? 3 : 15),
                       absl::StrCat("--benchmark_min_time=", quick ? "0.01" : "0.05"),
                       "--benchmark_enable_random_interleaving=true"});
  json::Object result = ParseObject(ran.output);
  json::Array* runs = result.getArray("benchmarks");
  if (!ran.ok() || runs == nullptr) {
    std::fprintf(stderr, "%s failed: %s\n", program.c_str(), Tail(ran.errors, 10).c_str());
    return repetitions;
  }
  for (json::Value& value : *runs) {
    json::Object* run = value.getAsObject();
    if (run == nullptr || Text(run, "run_type") == "aggregate") continue;
    repetitions.push_back(std::move(*run));
  }
  return repetitions;
}

// Keeps the least.
void KeepLeast(json::Object& figures, const std::string& key, double value) {
  figures[key] = std::min(value, Number(&figures, key).value_or(value));
}

void RunBenchmarks(const Tools& tools, bool quick, json::Object& figures) {
  std::fprintf(stderr, "suspension: round trips\n");
  for (const json::Object& run : Repetitions(tools, "suspension_bench", quick)) {
    const std::string key = KeyOf(Text(&run, "run_name"));
    const Figure ns = Number(&run, "cpu_time");
    if (key.empty() || !ns) continue;
    KeepLeast(figures, key, *ns / CallsOf(key));
    for (const char* counter : {"bytes", "frames"}) {
      if (Figure count = Number(&run, counter)) figures[absl::StrCat(key, "_", counter)] = *count;
    }
  }
  // A frame of `hold` keeps one i32.
  const auto count = [&](const char* depth, const char* what) {
    return Number(&figures, absl::StrCat("roundtrip_ns_depth_", depth, "_", what));
  };
  const Figure many = count("10000", "bytes"), few = count("1000", "bytes");
  const Figure frames = count("10000", "frames"), fewer = count("1000", "frames");
  if (many && few && frames && fewer) {
    figures["bytes_per_frame"] = (*many - *few) / (*frames - *fewer);
    figures["frame_overhead_bytes"] = (*many - *few) / (*frames - *fewer) - 4;
  }
}

// "Restore<bench::RoundtripChecked>/64" is snapshot_restore_checked_64_ns.
void RunSnapshots(const Tools& tools, bool quick, json::Object& figures) {
  std::fprintf(stderr, "suspension: snapshots and forks\n");
  for (const json::Object& run : Repetitions(tools, "snapshot_bench", quick)) {
    const std::string name =
        absl::StrReplaceAll(Text(&run, "run_name"), {{"<bench::Roundtrip>", "_reserved"},
                                                     {"<bench::RoundtripChecked>", "_checked"},
                                                     {"/iterations:1", ""},
                                                     {"/", "_"}});
    const std::string key = absl::StrCat("snapshot_", absl::AsciiStrToLower(name));
    const Figure time = Number(&run, "cpu_time");
    if (!time) continue;
    KeepLeast(figures, key + "_ns", Text(&run, "time_unit") == "ms" ? *time * 1e6 : *time);
    const Figure bytes = Number(&run, "bytes"), live = Number(&run, "live");
    if (bytes && live) figures[key + "_overhead_bytes"] = *bytes - *live;
  }
}

void RunJspi(const Tools& tools, json::Object& figures) {
  const std::string script = tools.source_dir + "/bench/suspension/jspi.mjs";
  const std::string wasm = tools.build_dir + "/bench/suspension/roundtrip.wasm";
  if (tools.node.empty() || !llvm::sys::fs::exists(wasm)) return;
  std::fprintf(stderr, "suspension: V8\n");
  for (const char* flag : {"", "--experimental-wasm-jspi"}) {
    Command command = {tools.node};
    if (*flag != 0) command.push_back(flag);
    command.insert(command.end(), {script, wasm});
    const json::Object depths = ParseObject(Run(command).output);
    for (const auto& entry : depths) {
      figures[absl::StrCat("jspi_roundtrip_ns_depth_", llvm::StringRef(entry.first).str())] =
          entry.second;
    }
    if (!depths.empty()) return;
  }
}

json::Object Density(const Tools& tools, const std::string& what, const std::string& kind,
                     int count) {
  const std::string program = tools.build_dir + "/bin/density";
  if (!llvm::sys::fs::exists(program)) return {};
  return ParseObject(Run({program, what, kind, absl::StrCat(count)}).output);
}

void MeasureActivations(const Tools& tools, bool quick, json::Object& figures) {
  std::fprintf(stderr, "suspension: memory of calls\n");
  const auto measure = [&](const std::string& kind, int count) {
    json::Object result = Density(tools, "activations", kind, count);
    const Figure bytes = Number(&result, "bytes");
    if (bytes) figures[absl::StrCat(kind, "_activation_bytes_", count)] = *bytes;
    return bytes;
  };
  Figure last;
  for (const int count : {10000, 100000, 1000000}) {
    if (quick && count > 100000) continue;
    if (const Figure bytes = measure("core", count)) last = bytes;
    measure("heap", count);
    measure("typed", count);
  }
  measure("fibers", 10000);
  if (last) figures["resident_bytes_per_activation_depth_10"] = *last;
}

void MeasureInstances(const Tools& tools, bool quick, json::Object& figures) {
  std::fprintf(stderr, "suspension: memory of instances\n");
  Figure most, bytes_at_most;
  for (const char* policy : {"reserved", "checked"}) {
    for (const int wanted : {10000, 100000}) {
      if (quick && wanted > 10000) continue;
      json::Object result = Density(tools, "instances", policy, wanted);
      const Figure count = Number(&result, "count"), bytes = Number(&result, "bytes");
      if (!count || !bytes) continue;
      const std::string name = absl::StrCat("instances_", policy, "_", wanted);
      figures[name] = *count;
      figures[name + "_bytes"] = *bytes;
      figures[name + "_stopped"] = Text(&result, "stopped");
      if (!most || *count > *most) {
        most = count;
        bytes_at_most = bytes;
      }
    }
  }
  if (!most) return;
  figures["instances_live"] = *most;
  figures["resident_bytes_per_instance"] = *bytes_at_most;
}

}  // namespace

json::Object MeasureSuspension(const Tools& tools, bool quick) {
  json::Object figures;
  RunBenchmarks(tools, quick, figures);
  RunSnapshots(tools, quick, figures);
  RunJspi(tools, figures);
  MeasureActivations(tools, quick, figures);
  MeasureInstances(tools, quick, figures);
  return figures;
}

}  // namespace bench
