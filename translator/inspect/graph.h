// The calls that make functions resumable, as a graph in the DOT language of Graphviz.
//
// Nodes are the functions that may suspend; the imports that suspend, as boxes; and, as diamonds,
// the types called through a table. An indirect call leads to its type, and from there to each
// function that it may reach: one edge for each caller and each callee instead of one for each pair
// of them.
#ifndef FERMATA_TRANSLATOR_INSPECT_GRAPH_H_
#define FERMATA_TRANSLATOR_INSPECT_GRAPH_H_

#include <cstdint>
#include <string>

#include "translator/inspect/inspection.h"

namespace fermata::inspect {

// Beyond this a picture says nothing, and takes very long to lay out.
inline constexpr uint32_t kMaxNodes = 2000;

struct Graph {
  std::string dot;
  uint32_t shown = 0;  // nodes
  uint32_t nodes = 0;
};

// Of more than `max_nodes`, those nearest to the imports are shown, and the label says so.
Graph DrawGraph(const Inspection& in, uint32_t max_nodes = kMaxNodes);

}  // namespace fermata::inspect

#endif  // FERMATA_TRANSLATOR_INSPECT_GRAPH_H_
