// Pictures of graphs, by the program `dot` of Graphviz.
#ifndef FERMATA_TRANSLATOR_CLI_NATIVE_GRAPHVIZ_H_
#define FERMATA_TRANSLATOR_CLI_NATIVE_GRAPHVIZ_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace fermata::driver {

// The SVG of a graph in the DOT language. Error: `dot` is not installed, or fails.
absl::StatusOr<std::string> RenderSvg(absl::string_view dot);

}  // namespace fermata::driver

#endif  // FERMATA_TRANSLATOR_CLI_NATIVE_GRAPHVIZ_H_
