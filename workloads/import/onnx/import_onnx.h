// From an ONNX model to a graph that a workload can run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workloads/graph.h"
#include "workloads/import/onnx/values.h"

namespace tessera::workloads::onnx {

struct ImportOptions {
  Bindings bindings;  // sizes of symbolic dimensions
  bool allow_unknown = false;
};

/// What was imported and what became of the nodes of the file.
struct Import {
  Graph graph;  // operators and tensors without phase
  int nodes = 0;
  std::int64_t macs = 0;
  std::int64_t uncovered_macs = 0;  // of operators costed by assumption, where they can be told
  int uncountable = 0;              // of them: whose MACs cannot be told
  std::map<std::string, int> recognised;  // "LayerNormalization" put together from parts
  std::map<std::string, int> absorbed;    // "Add (bias of a Gemm)"
  std::vector<std::string> assumed;       // one line each; only with allow_unknown
};

/// Pure: no file is read. Throws ImportError with one message.
Import import_model(const Model& model, const ImportOptions& options);

}  // namespace tessera::workloads::onnx
