#include "workloads/import/imported_phase.h"

namespace tessera::workloads {
namespace {

void shift(std::vector<MatrixView>& views, TensorId by) {
  for (MatrixView& view : views) view.tensor += by;
}

}  // namespace

void append_imported(Graph& graph, const PhaseRequest& request) {
  const Graph& model = *request.model.graph;
  const auto first = static_cast<TensorId>(graph.tensors.size());
  for (Tensor tensor : model.tensors) {
    tensor.name = request.phase + "." + tensor.name;
    graph.tensors.push_back(std::move(tensor));
  }
  for (Operator op : model.operators) {
    op.phase = request.phase;
    shift(op.inputs, first);
    shift(op.outputs, first);
    for (TensorId& parameter : op.parameters) parameter += first;
    graph.operators.push_back(std::move(op));
  }
}

}  // namespace tessera::workloads
