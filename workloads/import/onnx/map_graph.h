// From a rewritten ONNX graph to operators over tensors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph.h"
#include "workloads/import/onnx/network.h"

namespace tessera::workloads::onnx {

struct MappedGraph {
  Graph graph;                       // without phases; tensors carry their role as name: "out"
  std::vector<int> tensor_owner;     // the operator that a tensor is named after
  std::vector<std::string> sources;  // of each operator: the ONNX node's name, else its type
  std::vector<std::string> assumed;  // what was costed by assumption, one line each
  std::int64_t uncovered_macs = 0;   // of operators in `assumed`, where they can be told
  int uncountable = 0;               // operators in `assumed` whose MACs cannot be told
};

/// Throws ImportError with every operator that cannot be costed, unless `allow_unknown`: then those
/// cost one elementwise pass over their first input.
MappedGraph map_graph(const Network& network, bool allow_unknown);

}  // namespace tessera::workloads::onnx
