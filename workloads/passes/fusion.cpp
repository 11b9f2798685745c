#include <utility>
#include <vector>

#include "workloads/passes/passes.h"

namespace tessera::workloads {
namespace {

constexpr int kNone = -1;

/// Who touches a tensor.
struct TensorUse {
  int readers = 0;
  int writers = 0;
  int last_reader = kNone;  // operator index
};

std::vector<TensorUse> tensor_uses(const Graph& graph) {
  std::vector<TensorUse> uses(graph.tensors.size());
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    for (const MatrixView& view : graph.operators[i].inputs) {
      TensorUse& use = uses.at(static_cast<std::size_t>(view.tensor));
      ++use.readers;
      use.last_reader = static_cast<int>(i);
    }
    for (const MatrixView& view : graph.operators[i].outputs) {
      ++uses.at(static_cast<std::size_t>(view.tensor)).writers;
    }
  }
  return uses;
}

bool is_activation(const Operator& op) {
  switch (op.kind) {
    case OperatorKind::kGelu:
    case OperatorKind::kQuickGelu:
    case OperatorKind::kSilu:
    case OperatorKind::kRelu:
    case OperatorKind::kTanh:
      return op.inputs.size() == 1 && op.outputs.size() == 1;
    default:
      return false;
  }
}

bool operator==(const Dim& a, const Dim& b) { return a.count == b.count && a.stride == b.stride; }

/// The same elements of their tensors in the same order.
bool same_geometry(const MatrixView& a, const MatrixView& b) {
  return a.offset == b.offset && a.batch[0] == b.batch[0] && a.batch[1] == b.batch[1] &&
         a.group == b.group && a.rows == b.rows && a.row_stride == b.row_stride &&
         a.cols == b.cols && a.transposed == b.transposed;
}

/// Index of the activation that can run as the epilogue of operator `index`, or kNone.
int epilogue_of(const Graph& graph, const std::vector<TensorUse>& uses, std::size_t index) {
  const Operator& op = graph.operators[index];
  if (!is_gemm(op) || op.outputs.size() != 1) {
    return kNone;
  }
  const TensorUse& use = uses.at(static_cast<std::size_t>(op.outputs[0].tensor));
  if (use.readers != 1 || use.writers != 1 || use.last_reader <= static_cast<int>(index)) {
    return kNone;
  }
  const Operator& reader = graph.operators[static_cast<std::size_t>(use.last_reader)];
  const bool fits = is_activation(reader) && reader.phase == op.phase &&
                    same_geometry(reader.inputs[0], op.outputs[0]) &&
                    same_geometry(reader.outputs[0], op.outputs[0]);
  return fits ? use.last_reader : kNone;
}

void absorb(Operator& op, const Operator& activation) {
  op.outputs = activation.outputs;
  op.epilogue.push_back({activation.name, activation.operation});
  op.members.push_back(activation.name);
}

/// Runs activations as epilogues; returns which operators have gone.
std::vector<bool> absorb_activations(Graph& graph) {
  const std::vector<TensorUse> uses = tensor_uses(graph);
  std::vector<bool> gone(graph.operators.size(), false);
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    const int activation = epilogue_of(graph, uses, i);
    if (activation != kNone) {
      absorb(graph.operators[i], graph.operators[static_cast<std::size_t>(activation)]);
      gone[static_cast<std::size_t>(activation)] = true;
    }
  }
  return gone;
}

/// Drops the operators that have gone and moves the phases' ranges along.
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

void append_requantise(Graph& graph) {
  for (Operator& op : graph.operators) {
    if (is_gemm(op)) {
      op.epilogue.push_back({"", "requantise"});
    }
  }
}

}  // namespace

Graph fuse(Graph graph, const Fusion& fusion) {
  if (fusion.epilogue) {
    remove_operators(graph, absorb_activations(graph));
  }
  append_requantise(graph);
  return graph;
}

}  // namespace tessera::workloads
