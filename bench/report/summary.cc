#include "bench/report/summary.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/report/figures.h"

namespace bench {
namespace {

namespace json = llvm::json;

class Summary {
 public:
  explicit Summary(const json::Object& root) : root_(root), kernels_(root) {}

  void AddKernels() {
    const std::string no_kernels = "not measured: needs clang with wasm-ld and a C compiler";
    const std::string no_counts = "not measured: needs valgrind, and clang with wasm-ld";
    for (const char* compiler : {"clang", "gcc"}) {
      Mean(absl::StrCat("instructions_", compiler, "_vs_wasm2c"), "fermata", "wasm2c", compiler,
           "instructions", absl::StrCat(no_counts, ", wasm2c and ", compiler));
    }
    for (const char* compiler : {"clang", "gcc"}) {
      Mean(absl::StrCat("time_", compiler, "_vs_wasm2c"), "fermata", "wasm2c", compiler, "seconds",
           absl::StrCat(no_kernels, ", wasm2c and ", compiler));
    }
    Mean("time_vs_native", "fermata", "native", "", "seconds", no_kernels);
    Mean("resumable_vs_plain", "fermata", "plain", "", "instructions", no_counts);
    Mean("resumed_vs_fresh", "resumed", "fresh", "", "instructions", no_counts);
    Set("resumed_vs_fresh_worst", Greatest(kernels_.Ratios("resumed", "fresh", "", "instructions")),
        no_counts);
    Mean("resumed_vs_fresh_time", "resumed", "fresh", "", "seconds", no_kernels);
    Mean("preempt_vs_plain", "preempt", "fermata", "", "seconds", no_kernels);
    Mean("preempt_vs_plain_instructions", "preempt", "fermata", "", "instructions", no_counts);
    Mean("checked_time_vs_native", "checked", "native", "", "seconds", no_kernels);
  }

  void AddGuests() {
    Guest("lua_text_vs_wasm2c", "lua54-noeh-bench", "text");
    Guest("sqlite_text_vs_wasm2c", "sqlite3-shell", "text");
    Guest("lua_compile_vs_wasm2c", "lua54-noeh-bench", "compile_seconds");
    Guest("sqlite_compile_vs_wasm2c", "sqlite3-shell", "compile_seconds");
    std::vector<Figure> speed, output, peak;
    for (const json::Object* guest : BigGuests()) {
      const json::Object* ours = guest->getObject("fermata");
      const json::Object* theirs = guest->getObject("wasm2c");
      speed.push_back(
          Ratio(Number(theirs, "translate_seconds"), Number(ours, "translate_seconds")));
      output.push_back(Ratio(Number(ours, "output_bytes"), Number(theirs, "output_bytes")));
      peak.push_back(Ratio(Number(ours, "translate_peak_bytes"), Number(guest, "module_bytes")));
    }
    const std::string reason = "not measured: needs a guest of a megabyte or more, and wasm2c";
    Set("translate_speed_vs_wasm2c", GeometricMean(speed), reason);
    Set("output_bytes_vs_wasm2c", GeometricMean(output), reason);
    Set("translate_peak_bytes_per_module_byte", GeometricMean(peak), reason);
    Set("translate_peak_bytes_per_module_byte_worst", Greatest(peak), reason);
  }

  void AddSuspension() {
    const json::Object* suspension = root_.getObject("suspension");
    const std::string reason = "not measured: needs Google Benchmark, and clang with wasm-ld";
    for (const int depth : {1, 10, 100, 1000, 10000}) {
      const std::string key = absl::StrCat("roundtrip_ns_depth_", depth);
      Set(key, Number(suspension, key), reason);
      const std::string fibers = absl::StrCat("fibers_roundtrip_ns_depth_", depth);
      Set(absl::StrCat("roundtrip_vs_fibers_depth_", depth),
          Ratio(Number(suspension, key), Number(suspension, fibers)),
          "not measured: needs libboost-context-dev and wasm2c");
    }
    for (const char* key :
         {"answer_at_once_ns", "frame_overhead_bytes", "resident_bytes_per_activation_depth_10",
          "instances_live", "resident_bytes_per_instance"}) {
      Set(key, Number(suspension, key), reason);
    }
  }

  void MoveTo(json::Object& root) {
    root["summary"] = std::move(summary_);
    root["notes"] = std::move(notes_);
  }

 private:
  void Set(const std::string& key, Figure figure, const std::string& reason) {
    if (figure) {
      summary_[key] = *figure;
      return;
    }
    summary_[key] = nullptr;
    notes_[key] = reason;
  }
  void Mean(const std::string& key, const std::string& a, const std::string& b,
            const std::string& compiler, const std::string& quantity, const std::string& reason) {
    Set(key, GeometricMean(kernels_.Ratios(a, b, compiler, quantity)), reason);
  }
  // Fermata's figure over wasm2c's, mean of the compilers.
  void Guest(const std::string& key, const std::string& name, const std::string& quantity) {
    std::vector<Figure> ratios;
    if (const json::Object* guest = FindGuest(name)) {
      const json::Object* ours = guest->getObject("fermata");
      const json::Object* theirs = guest->getObject("wasm2c");
      for (const char* compiler : {"gcc", "clang"}) {
        const std::string figure = absl::StrCat(quantity, "_", compiler);
        ratios.push_back(Ratio(Number(ours, figure), Number(theirs, figure)));
      }
    }
    Set(key, GeometricMean(ratios),
        absl::StrCat("not measured: needs the guest ", name, " and wasm2c"));
  }
  const json::Object* FindGuest(const std::string& name) const {
    for (const json::Object* guest : Guests()) {
      if (Text(guest, "name") == name) return guest;
    }
    return nullptr;
  }
  std::vector<const json::Object*> Guests() const {
    std::vector<const json::Object*> guests;
    if (const json::Array* rows = root_.getArray("guests")) {
      for (const json::Value& row : *rows) {
        if (const json::Object* guest = row.getAsObject()) guests.push_back(guest);
      }
    }
    return guests;
  }
  std::vector<const json::Object*> BigGuests() const {
    std::vector<const json::Object*> big;
    for (const json::Object* guest : Guests()) {
      if (Number(guest, "module_bytes").value_or(0) >= kBigModule) big.push_back(guest);
    }
    return big;
  }

  const json::Object& root_;
  KernelTable kernels_;
  json::Object summary_, notes_;
};

}  // namespace

void Summarize(json::Object& root) {
  Summary summary(root);
  summary.AddKernels();
  summary.AddGuests();
  summary.AddSuspension();
  summary.MoveTo(root);
}

}  // namespace bench
