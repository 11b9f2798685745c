#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>

#include "workloads/passes/operator_pattern.h"
#include "workloads/passes/passes.h"

namespace tessera::workloads {
namespace {

bool is_norm(const Operator& op) {
  return op.kind == OperatorKind::kLayerNorm || op.kind == OperatorKind::kRmsNorm;
}

bool is_softmax(const Operator& op) { return op.kind == OperatorKind::kSoftmax; }

/// Who asks for which element type of each tensor.
class Demands {
 public:
  Demands(const Graph& graph, const Precision& precision) : graph_(graph), precision_(precision) {
    for (const Operator& op : graph.operators) add(op);
    require_matches();
  }

  ElementType type_of(TensorId id) const {
    const TensorClass cls = tensor(id).cls;
    if (cls == TensorClass::kKvCache) return precision_.kv_cache;
    const auto found = demand_.find(id);
    if (found != demand_.end()) return found->second.type;
    if (cls == TensorClass::kWeights) return precision_.weights;
    const auto written = written_.find(id);
    return written != written_.end() ? written->second : precision_.activations;
  }

 private:
  struct Demand {
    ElementType type;
    const Operator* by;
  };

  const Tensor& tensor(TensorId id) const {
    return graph_.tensors.at(static_cast<std::size_t>(id));
  }

  void add(const Operator& op) {
    OperandTypes rule{precision_.weights, precision_.activations};
    for (const PrecisionRule& each : precision_.rules) {
      if (matches(each.pattern, op)) rule = each.types;
    }
    for (const MatrixView& view : op.inputs) {
      if (tensor(view.tensor).cls == TensorClass::kWeights) {
        demand(view.tensor, rule.weights, op);
      } else if (is_gemm(op)) {
        demand(view.tensor, rule.activations, op);
      }
    }
    for (const TensorId id : op.parameters) demand(id, rule.weights, op);
    const TensorId read = op.inputs.empty() ? kNoTensor : op.inputs[0].tensor;
    if (is_softmax(op) && precision_.softmax) demand(read, *precision_.softmax, op);
    if (is_norm(op) && precision_.norm) demand(read, *precision_.norm, op);
    for (const MatrixView& view : op.outputs) written_[view.tensor] = rule.activations;
  }

  void require_matches() const {
    for (const PrecisionRule& rule : precision_.rules) {
      const auto& ops = graph_.operators;
      if (std::any_of(ops.begin(), ops.end(),
                      [&](const Operator& op) { return matches(rule.pattern, op); })) {
        continue;
      }
      std::string phases;
      for (const Phase& phase : graph_.phases) phases += (phases.empty() ? "" : ", ") + phase.name;
      throw std::invalid_argument("precision: the pattern '" + rule.pattern +
                                  "' matches no operator; the phases are " + phases);
    }
  }

  void demand(TensorId id, ElementType type, const Operator& op) {
    const Tensor& wanted = tensor(id);
    if (wanted.own_bits || wanted.cls == TensorClass::kKvCache) return;
    const auto [at, is_new] = demand_.insert({id, {type, &op}});
    if (is_new || at->second.type == type) return;
    throw std::invalid_argument("precision: " + qualified_name(*at->second.by) + " reads tensor '" +
                                wanted.name + "' as " + to_string(at->second.type) + ", " +
                                qualified_name(op) + " as " + to_string(type) +
                                ": it is stored once");
  }

  const Graph& graph_;
  const Precision& precision_;
  std::map<TensorId, Demand> demand_;
  std::map<TensorId, ElementType> written_;
};

void set_type(Tensor& tensor, const ElementType& type, const QuantisationGroups& groups) {
  tensor.format.bits = type.bits;
  tensor.format.kind = type.kind;
  const bool grouped = groups.size > 0 && tensor.cls == TensorClass::kWeights &&
                       tensor.shape.size() > 1 && type.kind == NumberKind::kInteger;
  if (!grouped) return;
  tensor.format.group = groups.size;
  tensor.format.scale_bits = groups.scale_bits;
}

bool same_type(const Operator& op, const std::vector<Tensor>& tensors) {
  const auto type = [&](const MatrixView& view) {
    return tensors.at(static_cast<std::size_t>(view.tensor)).format.type();
  };
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (type(op.inputs[i]) != type(op.outputs.at(i))) return false;
  }
  return true;
}

}  // namespace

std::string pair_name(const OperandTypes& types) {
  const auto name = [](const ElementType& type) {
    return type.kind == NumberKind::kInteger ? std::to_string(type.bits) : to_string(type);
  };
  const std::string weights = name(types.weights), activations = name(types.activations);
  if (types.activations.kind == NumberKind::kInteger) return "w" + weights + "a" + activations;
  return types.weights == types.activations ? activations : "w" + weights + activations;
}

OperandTypes operand_types(const std::string& pair) {
  using Types = std::vector<ElementType>;
  static const Types all{
      4, 8, 16, {16, NumberKind::kFloat}, {16, NumberKind::kBfloat}, {32, NumberKind::kFloat}};
  for (const ElementType& weights : all) {
    for (const ElementType& activations : all) {
      if (pair_name({weights, activations}) == pair) return {weights, activations};
    }
  }
  throw std::invalid_argument("'" + pair + "' is no precision pair");
}

std::string describe(const Precision& precision) {
  std::string text = pair_name({precision.weights, precision.activations});
  if (precision.kv_cache != precision.activations) {
    text += ", KV cache " + to_string(precision.kv_cache);
  }
  if (precision.softmax) text += ", softmax " + to_string(*precision.softmax);
  if (precision.norm) text += ", norms " + to_string(*precision.norm);
  if (precision.groups.size > 0) text += ", groups of " + std::to_string(precision.groups.size);
  for (const PrecisionRule& rule : precision.rules) {
    text += ", " + rule.pattern + " " + pair_name(rule.types);
  }
  return text;
}

Graph apply_precision(Graph graph, const Precision& precision) {
  const Demands demands(graph, precision);
  std::vector<ElementType> types;
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    types.push_back(demands.type_of(static_cast<TensorId>(id)));
  }
  for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
    Tensor& tensor = graph.tensors[id];
    if (!tensor.own_bits) set_type(tensor, types[id], precision.groups);
    if (tensor.format.bits <= 0) {
      throw std::invalid_argument(std::string("precision: bits of ") + to_string(tensor.cls) +
                                  " must be positive, not " + std::to_string(tensor.format.bits));
    }
  }
  for (Operator& op : graph.operators) {
    const bool copies = op.kind == OperatorKind::kCopy || op.kind == OperatorKind::kEmbedding;
    if (copies && !same_type(op, graph.tensors)) op.operation = "requantise";
  }
  return graph;
}

}  // namespace tessera::workloads
