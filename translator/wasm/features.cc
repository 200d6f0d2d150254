#include "translator/wasm/features.h"

#include "absl/strings/str_cat.h"

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

std::string NeedsProposal(Feature feature) {
  return absl::StrCat("needs the \"", Name(feature),
                      "\" proposal, which Fermata does not support yet");
}

}  // namespace fermata::wasm
