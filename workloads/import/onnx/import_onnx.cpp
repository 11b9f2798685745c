#include "workloads/import/onnx/import_onnx.h"

#include <stdexcept>

#include "workloads/import/check_graph.h"
#include "workloads/import/onnx/coverage.h"
#include "workloads/import/onnx/expand_fused.h"
#include "workloads/import/onnx/map_graph.h"
#include "workloads/import/onnx/name_operators.h"
#include "workloads/import/onnx/rewrite.h"

namespace tessera::workloads::onnx {
namespace {

bool picks_known_rows(const Network& network, const Node& node) {
  return node.type == "Gather" && network.value(input_of(node, 1)).has_elements;
}

/// Nodes that are left and yet take no time: "Shape (computed before the run)".
void count_free(const Network& network, std::map<std::string, int>& absorbed) {
  for (std::size_t i = 0; i < network.nodes().size(); ++i) {
    const Node& node = network.nodes()[i];
    if (network.is_gone(i)) continue;
    if (is_precomputed(network, node)) {
      ++absorbed[node.type + " (computed before the run)"];
    } else if (is_layout(node) || node.type == "Concat" || picks_known_rows(network, node)) {
      ++absorbed[node.type + " (a view, or a Copy)"];
    }
  }
}

Import collect(const Model& model, const Network& network, MappedGraph mapped) {
  Import import;
  import.nodes = static_cast<int>(model.nodes.size());
  for (const Operator& op : mapped.graph.operators) import.macs += mac_count(op);
  import.uncovered_macs = mapped.uncovered_macs;
  import.uncountable = mapped.uncountable;
  import.recognised = network.recognised;
  import.absorbed = network.absorbed;
  count_free(network, import.absorbed);
  import.assumed = std::move(mapped.assumed);
  import.graph = std::move(mapped.graph);
  return import;
}

void check_result(const Model& model, const Graph& graph) {
  if (graph.operators.empty()) throw ImportError(model.file + ": nothing in the graph takes time");
  const std::string fault = fault_of(graph);
  if (!fault.empty()) throw ImportError(model.file + ": " + fault);
}

}  // namespace

Import import_model(const Model& written, const ImportOptions& options) {
  const Model model = expand_fused(written);
  Network network(model, infer_values(model, options.bindings, options.allow_unknown));
  try {
    rewrite(network);
    MappedGraph mapped = map_graph(network, options.allow_unknown);
    name_operators(mapped);
    Import import = collect(written, network, std::move(mapped));
    check_result(model, import.graph);
    return import;
  } catch (const ImportError&) {
    throw;
  } catch (const std::logic_error& error) {  // a node with fewer inputs than its operator has
    throw ImportError(model.file + ": a node is malformed (" + error.what() + ")");
  }
}

}  // namespace tessera::workloads::onnx
