#include "tests/differential/reduce.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/null_sink.h"
#include "translator/validate/sink.h"
#include "translator/wasm/reader.h"

namespace fermata::differential {
namespace {

using testing_support::Bytes;
using testing_support::Concat;
using testing_support::Sized;
using testing_support::Unsigned;

constexpr uint8_t kCode = 10;
const Bytes kUnreachable = {0, 0x00, 0x0b};  // no locals, `unreachable`, `end`

class Reducer {
 public:
  Reducer(const Settings& settings, const Difference& difference, const Bytes& module,
          unsigned most_runs)
      : settings_(settings), most_runs_(most_runs) {
    settings_.jobs = 1;
    // What must remain is a difference from the peer, or from a configuration that is right.
    configuration_ = difference.configuration;
    reference_ = configuration_;
    reference_.mode = Mode::kPlain;
    reference_.checked = true;
    reference_.optimization = "-O0";
    result_.module = module;
    result_.plan = settings.plan;
    result_.difference = difference;
  }

  Reduced Run() {
    Calls();
    Parse(result_.module);
    Functions();
    for (size_t i = 0; i < bodies_.size(); ++i) Code(i);
    Calls();
    return std::move(result_);
  }

 private:
  bool spent() const { return result_.runs >= most_runs_; }

  // Whether the module still shows a difference; it is then the result.
  bool Try(const Bytes& module, const PlanOptions& plan) {
    if (spent()) return false;
    const std::string batch = absl::StrCat("reduce-", result_.runs++ % 8);
    Settings settings = settings_;
    settings.plan = plan;
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(settings.folder) / batch, ignored);
    Campaign campaign(settings);
    std::map<std::string, std::string> left_out;
    const auto names = campaign.Prepare(batch, {{"m", module}}, left_out);
    if (names.empty()) return false;
    for (Difference& difference : campaign.Run(batch, names, {reference_, configuration_})) {
      if (Flags(difference.configuration) != Flags(configuration_)) continue;
      result_.module = module;
      result_.plan = plan;
      result_.difference = std::move(difference);
      return true;
    }
    return false;
  }

  void Calls() {
    if (result_.difference.call == ~size_t{0}) return;
    PlanOptions plan = result_.plan;
    plan.only = {result_.difference.call};
    if (plan.only == result_.plan.only || Try(result_.module, plan)) return;
    plan.most_calls = result_.difference.call + 1;
    plan.only = result_.plan.only;
    Try(result_.module, plan);
  }

  // The code section's bodies, and what is before and after that section.
  void Parse(const Bytes& bytes) {
    absl::StatusOr<wasm::Module> module = wasm::ReadModule("module", bytes);
    if (!module.ok()) return;
    for (const wasm::Section& section : module->sections) {
      if (section.id != kCode) continue;
      before_ = Bytes(bytes.begin(), bytes.begin() + section.offset);
      after_ = Bytes(bytes.begin() + section.contents + section.size, bytes.end());
    }
    for (size_t i = module->imported_functions; i < module->functions.size(); ++i) {
      const auto body = module->functions[i].body;
      bodies_.emplace_back(body.begin(), body.end());
    }
  }
  Bytes Assemble(const std::vector<Bytes>& bodies) const {
    std::vector<Bytes> parts = {Unsigned(bodies.size())};
    for (const Bytes& body : bodies) parts.push_back(Sized(body));
    return Concat({before_, {kCode}, Sized(Concat(parts)), after_});
  }

  // Halves first, then smaller groups.
  void Functions() {
    for (size_t size = bodies_.size(); size != 0; size /= 2) {
      for (size_t begin = 0; begin < bodies_.size(); begin += size) {
        std::vector<Bytes> bodies = bodies_;
        const size_t end = std::min(begin + size, bodies.size());
        bool change = false;
        for (size_t i = begin; i < end; ++i) {
          change |= bodies[i] != kUnreachable;
          bodies[i] = kUnreachable;
        }
        if (change && Try(Assemble(bodies), result_.plan)) bodies_ = std::move(bodies);
      }
    }
  }

  static bool IsValid(const Bytes& bytes, size_t body) {
    absl::StatusOr<wasm::Module> module = wasm::ReadModule("module", bytes);
    validate::NullSink nobody;
    return module.ok() &&
           validate::ValidateFunction(
               *module, static_cast<uint32_t>(module->imported_functions + body), nobody)
               .ok();
  }

  // Takes out the longest pieces that can go, wherever the module stays valid; then values become
  // constants.
  void Code(size_t body) {
    static const Bytes kValues[] = {
        {}, {0x41, 1}, {0x42, 1}, {0x43, 0, 0, 0x80, 0x3f}, {0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f}};
    for (size_t length = bodies_[body].size(); length > 0; --length) {
      for (size_t at = 0; at + length < bodies_[body].size() && !spent();) {
        bool shorter = false;
        for (const Bytes& value : kValues) {
          if (value.size() >= length) continue;
          std::vector<Bytes> bodies = bodies_;
          Bytes& code = bodies[body];
          code.erase(code.begin() + at, code.begin() + at + length);
          code.insert(code.begin() + at, value.begin(), value.end());
          const Bytes module = Assemble(bodies);
          if (!IsValid(module, body) || !Try(module, result_.plan)) continue;
          bodies_ = std::move(bodies);
          shorter = true;
          break;
        }
        if (!shorter) ++at;
      }
    }
  }

  Settings settings_;
  const unsigned most_runs_;
  Configuration configuration_, reference_;
  Bytes before_, after_;
  std::vector<Bytes> bodies_;
  Reduced result_;
};

}  // namespace

Reduced Reduce(const Settings& settings, const Difference& difference, const Bytes& module,
               unsigned most_runs) {
  return Reducer(settings, difference, module, most_runs).Run();
}

}  // namespace fermata::differential
