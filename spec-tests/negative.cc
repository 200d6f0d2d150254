#include "spec-tests/negative.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/support/files.h"
#include "translator/validate/function_validator.h"
#include "translator/validate/module_validator.h"
#include "translator/validate/null_sink.h"
#include "translator/wasm/reader.h"

namespace fermata::spec {
namespace {

using wasm::Feature;

}  // namespace

absl::Status CheckModule(const std::string& path, const wasm::FeatureSet& features) {
  const absl::StatusOr<std::string> file = testing_support::LoadFile(path);
  if (!file.ok()) return file.status();
  const std::vector<uint8_t> bytes(file->begin(), file->end());
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(path, bytes, features);
  if (!module.ok()) return module.status();
  absl::Status status = validate::ValidateModule(*module);
  validate::NullSink nobody;
  for (uint32_t f = module->imported_functions; status.ok() && f < module->functions.size(); ++f) {
    status = validate::ValidateFunction(*module, f, nobody);
  }
  return status;
}

wasm::FeatureSet FeaturesOf(absl::string_view group) {
  wasm::FeatureSet features = {Feature::kMvp,
                               Feature::kMutableGlobals,
                               Feature::kSignExtension,
                               Feature::kSaturatingFloat,
                               Feature::kMultiValue,
                               Feature::kBulkMemory,
                               Feature::kReferenceTypes,
                               Feature::kSimd};
  if (group == "threads") {
    features.Add(Feature::kThreads);
    return features;
  }
  for (Feature f :
       {Feature::kExtendedConst, Feature::kRelaxedSimd, Feature::kTailCall, Feature::kExceptions,
        Feature::kMemory64, Feature::kMultiMemory, Feature::kFunctionReferences, Feature::kGc}) {
    features.Add(f);
  }
  if (group == "legacy-exceptions") features.Add(Feature::kLegacyExceptions);
  if (group == "custom-page-sizes") features.Add(Feature::kCustomPageSizes);
  if (group == "wide-arithmetic") features.Add(Feature::kWideArithmetic);
  if (group == "stack-switching") features.Add(Feature::kStackSwitching);
  if (group == "custom-descriptors") features.Add(Feature::kCustomDescriptors);
  return features;
}

bool IsMalformedPhrase(absl::string_view phrase) {
  for (absl::string_view start :
       {"malformed ", "unexpected content", "magic header not detected", "integer too large",
        "unexpected end", "integer representation too long", "section size mismatch",
        "unknown binary version", "function and code section have inconsistent lengths",
        "data count and data section have inconsistent lengths", "length out of bounds",
        "too many locals", "data count section required", "illegal opcode", "END opcode expected",
        "zero byte expected", "invalid custom page size", "unknown section"}) {
    if (absl::StartsWith(phrase, start)) return true;
  }
  return false;
}

std::string WithoutPosition(absl::string_view message, absl::string_view path) {
  if (!absl::ConsumePrefix(&message, absl::StrCat(path, ": 0x"))) return std::string(message);
  // A function's name may hold anything, also ": ", but it is quoted.
  const size_t colon = message.find(": ");
  const size_t quote = message.find('"');
  if (quote < colon) {
    const size_t end = message.find("\"): ", quote);
    if (end != absl::string_view::npos) return std::string(message.substr(end + 4));
  }
  return std::string(colon == absl::string_view::npos ? message : message.substr(colon + 2));
}

CommandResult CheckRefused(const Command& command, const std::string& path, absl::string_view group,
                           bool& other_phrase) {
  CommandResult outcome{command.line, command.type, Verdict::kPassed, ""};
  other_phrase = false;
  const absl::Status status = CheckModule(path, FeaturesOf(group));
  if (status.ok()) {
    outcome.verdict = Verdict::kFailed;
    outcome.detail = absl::StrCat("expected to be refused: ", command.message, "; was accepted");
    return outcome;
  }
  const std::string words = WithoutPosition(status.message(), path);
  if (absl::IsUnimplemented(status)) {
    outcome.verdict = Verdict::kBlocked;
    outcome.detail = words;
    return outcome;
  }
  if (absl::StartsWith(words, command.message)) return outcome;
  const bool malformed = command.type == CommandType::kAssertMalformed ||
                         command.type == CommandType::kAssertMalformedCustom;
  // This one phrase is used for both classes.
  const bool either = absl::StartsWith(words, "invalid custom page size");
  if (absl::IsInvalidArgument(status) && (either || IsMalformedPhrase(words) == malformed)) {
    other_phrase = true;
    outcome.detail = absl::StrCat("the suite says: ", command.message, "; found: ", words);
    return outcome;
  }
  outcome.verdict = Verdict::kFailed;
  outcome.detail = absl::StrCat(
      "expected ", malformed ? "malformed: " : "invalid: ", command.message, "; found: ", words);
  return outcome;
}

}  // namespace fermata::spec
