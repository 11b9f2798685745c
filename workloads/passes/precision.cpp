#include <stdexcept>
#include <string>

#include "workloads/passes/passes.h"

namespace tessera::workloads {
namespace {

int bits_of(TensorClass cls, const Precision& precision) {
  switch (cls) {
    case TensorClass::kWeights:
      return precision.weight_bits;
    case TensorClass::kActivations:
      return precision.activation_bits;
    case TensorClass::kKvCache:
      return precision.kv_bits;
  }
  throw std::logic_error("unknown tensor class");
}

bool same_width(const Operator& op, const std::vector<Tensor>& tensors) {
  const auto bits = [&](const MatrixView& view) {
    return tensors.at(static_cast<std::size_t>(view.tensor)).format.bits;
  };
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (bits(op.inputs[i]) != bits(op.outputs.at(i))) return false;
  }
  return true;
}

}  // namespace

Graph apply_precision(Graph graph, const Precision& precision) {
  for (Tensor& tensor : graph.tensors) {
    if (!tensor.own_bits) tensor.format.bits = bits_of(tensor.cls, precision);
    if (tensor.format.bits <= 0) {
      throw std::invalid_argument(std::string("precision: bits of ") + to_string(tensor.cls) +
                                  " must be positive, not " + std::to_string(tensor.format.bits));
    }
  }
  for (Operator& op : graph.operators) {
    const bool copies = op.kind == OperatorKind::kCopy || op.kind == OperatorKind::kEmbedding;
    if (copies && !same_width(op, graph.tensors)) op.operation = "requantise";
  }
  return graph;
}

}  // namespace tessera::workloads
