#include "workloads/import/onnx/import_onnx.h"

#include <stdexcept>

#include "workloads/import/check_graph.h"
#include "workloads/import/onnx/map_graph.h"
#include "workloads/import/onnx/name_operators.h"
#include "workloads/import/onnx/rewrite.h"

namespace tessera::workloads::onnx {
namespace {

Import collect(const Model& model, const Network& network, MappedGraph mapped) {
  Import import;
  import.nodes = static_cast<int>(model.nodes.size());
  for (const Operator& op : mapped.graph.operators) import.macs += mac_count(op);
  import.uncovered_macs = mapped.uncovered_macs;
  import.uncountable = mapped.uncountable;
  import.recognised = network.recognised;
  import.absorbed = network.absorbed;
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

Import import_model(const Model& model, const ImportOptions& options) {
  Network network(model, infer_values(model, options.bindings, options.allow_unknown));
  try {
    rewrite(network);
    MappedGraph mapped = map_graph(network, options.allow_unknown);
    name_operators(mapped);
    Import import = collect(model, network, std::move(mapped));
    check_result(model, import.graph);
    return import;
  } catch (const ImportError&) {
    throw;
  } catch (const std::logic_error& error) {  // a node with fewer inputs than its operator has
    throw ImportError(model.file + ": a node is malformed (" + error.what() + ")");
  }
}

}  // namespace tessera::workloads::onnx
