#include "workloads/passes/graph_edit.h"

#include <utility>

namespace tessera::workloads {
namespace {

bool same_dim(const Dim& a, const Dim& b) { return a.count == b.count && a.stride == b.stride; }

}  // namespace

std::vector<TensorUse> tensor_uses(const Graph& graph) {
  std::vector<TensorUse> uses(graph.tensors.size());
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    for (const MatrixView& view : graph.operators[i].inputs) {
      uses.at(static_cast<std::size_t>(view.tensor)).readers.push_back(static_cast<int>(i));
    }
    for (const MatrixView& view : graph.operators[i].outputs) {
      TensorUse& use = uses.at(static_cast<std::size_t>(view.tensor));
      ++use.writers;
      use.last_writer = static_cast<int>(i);
    }
  }
  return uses;
}

bool same_geometry(const MatrixView& a, const MatrixView& b) {
  return a.offset == b.offset && same_dim(a.batch[0], b.batch[0]) &&
         same_dim(a.batch[1], b.batch[1]) && same_dim(a.group, b.group) && a.rows == b.rows &&
         a.row_stride == b.row_stride && a.cols == b.cols && a.transposed == b.transposed;
}

void remove_operators(Graph& graph, const std::vector<bool>& gone) {
  std::vector<Operator> kept;
  std::vector<int> new_index;
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    new_index.push_back(static_cast<int>(kept.size()));
    if (!gone[i]) {
      kept.push_back(std::move(graph.operators[i]));
    }
  }
  new_index.push_back(static_cast<int>(kept.size()));
  for (Phase& phase : graph.phases) {
    phase.first_operator = new_index.at(static_cast<std::size_t>(phase.first_operator));
    phase.last_operator = new_index.at(static_cast<std::size_t>(phase.last_operator));
  }
  graph.operators = std::move(kept);
}

}  // namespace tessera::workloads
