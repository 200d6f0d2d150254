#include "translator/wasm/features.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace fermata::wasm {

const char* Name(Feature feature) {
  switch (feature) {
#define FERMATA_FEATURE_NAME(enumerator, name, supported) \
  case Feature::enumerator:                               \
    return name;
    FERMATA_FEATURES(FERMATA_FEATURE_NAME)
#undef FERMATA_FEATURE_NAME
  }
  return "?";
}

absl::Status ChangeFeatures(absl::string_view list, FeatureSet& set) {
  for (absl::string_view name : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const bool remove = absl::ConsumePrefix(&name, "-");
    bool known = false;
#define FERMATA_CHANGE_FEATURE(enumerator, text, supported)                  \
  if (name == text) {                                                        \
    known = true;                                                            \
    if (remove) {                                                            \
      set.Remove(Feature::enumerator);                                       \
    } else if (supported) {                                                  \
      set.Add(Feature::enumerator);                                          \
    } else {                                                                 \
      return absl::UnimplementedError(                                       \
          absl::StrCat("the \"", name, "\" proposal is not supported yet")); \
    }                                                                        \
  }
    FERMATA_FEATURES(FERMATA_CHANGE_FEATURE)
#undef FERMATA_CHANGE_FEATURE
    if (!known)
      return absl::InvalidArgumentError(absl::StrCat("there is no proposal \"", name, "\""));
  }
  return absl::OkStatus();
}

std::string NeedsProposal(Feature feature) {
  return absl::StrCat("needs the \"", Name(feature),
                      "\" proposal, which Fermata does not support yet");
}

std::optional<Feature> MissingProposal(const absl::Status& error) {
  if (!absl::IsUnimplemented(error)) return std::nullopt;
  for (Feature feature : kAllFeatures) {
    if (absl::EndsWith(error.message(), NeedsProposal(feature))) return feature;
  }
  return std::nullopt;
}

}  // namespace fermata::wasm
