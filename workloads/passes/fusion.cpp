#include <utility>
#include <vector>

#include "workloads/passes/graph_edit.h"
#include "workloads/passes/merge_gemms.h"
#include "workloads/passes/passes.h"

namespace tessera::workloads {
namespace {

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

/// Index of the activation that can run as the epilogue of operator `index`, or kNoOperator.
int epilogue_of(const Graph& graph, const std::vector<TensorUse>& uses, std::size_t index) {
  const Operator& op = graph.operators[index];
  if (!is_gemm(op) || op.outputs.size() != 1) {
    return kNoOperator;
  }
  const TensorUse& use = uses.at(static_cast<std::size_t>(op.outputs[0].tensor));
  if (use.readers.size() != 1 || use.writers != 1 || use.readers[0] <= static_cast<int>(index)) {
    return kNoOperator;
  }
  const Operator& reader = graph.operators[static_cast<std::size_t>(use.readers[0])];
  const bool fits = is_activation(reader) && reader.phase == op.phase &&
                    same_geometry(reader.inputs[0], op.outputs[0]) &&
                    same_geometry(reader.outputs[0], op.outputs[0]);
  return fits ? use.readers[0] : kNoOperator;
}

void absorb(Operator& op, const Operator& activation) {
  op.kept.push_back(op.outputs[0]);
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
    if (activation != kNoOperator) {
      absorb(graph.operators[i], graph.operators[static_cast<std::size_t>(activation)]);
      gone[static_cast<std::size_t>(activation)] = true;
    }
  }
  return gone;
}

/// An addition of two matrices that operator `index` can take over as its epilogue, or kNoOperator.
/// Which of the summands the Gemm makes comes in `own`.
int addition_of(const Graph& graph, const std::vector<TensorUse>& uses, int index,
                std::size_t& own) {
  const Operator& op = graph.operators[static_cast<std::size_t>(index)];
  const auto use = [&](const MatrixView& view) -> const TensorUse& {
    return uses.at(static_cast<std::size_t>(view.tensor));
  };
  const auto format = [&](const MatrixView& view) -> const ElementFormat& {
    return graph.tensors[static_cast<std::size_t>(view.tensor)].format;
  };
  if (op.kind != OperatorKind::kGemm || op.outputs.size() != 1 || adds_residual(op)) {
    return kNoOperator;
  }
  const MatrixView& made = op.outputs[0];
  const TensorUse& result = use(made);
  const bool plain = op.epilogue.size() == 1 && columns_per_result(op) == 1;
  if (!plain || result.readers.size() != 1 || result.writers != 1 || result.readers[0] <= index) {
    return kNoOperator;
  }
  const Operator& reader = graph.operators[static_cast<std::size_t>(result.readers[0])];
  const bool adds = reader.kind == OperatorKind::kAdd && reader.inputs.size() == 2 &&
                    reader.outputs.size() == 1 && reader.parameters.empty() &&
                    reader.phase == op.phase;
  if (!adds) return kNoOperator;
  own = reader.inputs[0].tensor == made.tensor ? 0 : 1;
  const MatrixView &other = reader.inputs[1 - own], &sum = reader.outputs[0];
  const bool alike = same_geometry(reader.inputs[own], made) && same_geometry(other, made) &&
                     same_geometry(sum, made) && format(other).type() == format(sum).type() &&
                     format(sum).type() == format(made).type();
  // The other summand must be there when the Gemm runs.
  return alike && use(other).last_writer < index ? result.readers[0] : kNoOperator;
}

Operator with_addition(Operator op, const Operator& addition, std::size_t own) {
  op.inputs.push_back(addition.inputs[1 - own]);
  op.kept.push_back(op.outputs[0]);
  op.outputs = addition.outputs;
  op.epilogue.insert(op.epilogue.begin(), {addition.name, addition.operation});
  op.members.push_back(addition.name);
  return op;
}

/// Runs additions as epilogues; returns which operators have gone.
std::vector<bool> absorb_additions(Graph& graph, const Fusion& fusion, const FusionPays& pays) {
  const std::vector<TensorUse> uses = tensor_uses(graph);
  std::vector<bool> gone(graph.operators.size(), false);
  for (int i = 0; i < static_cast<int>(graph.operators.size()); ++i) {
    std::size_t own = 0;
    const int at = addition_of(graph, uses, i, own);
    if (at == kNoOperator) continue;
    Operator& op = graph.operators[static_cast<std::size_t>(i)];
    const Operator& addition = graph.operators[static_cast<std::size_t>(at)];
    Operator fused = with_addition(op, addition, own);
    if (fusion.residual == FusionSwitch::kAuto && !pays(graph, {op, addition}, {fused})) continue;
    op = std::move(fused);
    gone[static_cast<std::size_t>(at)] = true;
  }
  return gone;
}

bool steps_by(const Dim& dim, std::int64_t stride) {
  return dim.count == 1 || dim.stride == stride;
}

/// The view's rows of `cols` elements lie one behind the other, from the tensor's start.
bool is_contiguous(const MatrixView& view) {
  const std::int64_t matrix = view.rows * view.cols;
  const std::int64_t head = view.group.count * matrix;
  return view.offset == 0 && !view.transposed && view.row_stride == view.cols &&
         steps_by(view.group, matrix) && steps_by(view.batch[1], head) &&
         steps_by(view.batch[0], view.batch[1].count * head);
}

/// The one operator that reads what operator `index` writes, both in the order of its rows;
/// kNoOperator.
int sole_reader(const Graph& graph, const std::vector<TensorUse>& uses, int index) {
  const Operator& op = graph.operators[static_cast<std::size_t>(index)];
  if (op.outputs.size() != 1 || !is_contiguous(op.outputs[0])) return kNoOperator;
  const TensorUse& use = uses.at(static_cast<std::size_t>(op.outputs[0].tensor));
  if (use.readers.size() != 1 || use.writers != 1 || use.readers[0] <= index) return kNoOperator;
  const Operator& reader = graph.operators[static_cast<std::size_t>(use.readers[0])];
  const MatrixView& read = reader.inputs[0];
  const bool fits = read.tensor == op.outputs[0].tensor && read.cols == op.outputs[0].cols &&
                    is_contiguous(read) && reader.phase == op.phase;
  return fits ? use.readers[0] : kNoOperator;
}

Operator attention_of(const Operator& scores, const Operator& softmax, const Operator& context) {
  Operator fused = scores;
  fused.name = "Attention";
  fused.kind = OperatorKind::kAttention;
  fused.inputs.push_back(context.inputs[1]);
  fused.outputs = context.outputs;
  fused.operation = softmax.operation;
  fused.members = {scores.name, softmax.name, context.name};
  fused.kept = {scores.outputs[0], softmax.outputs[0]};
  fused.parts = {scores, softmax, context};
  return fused;
}

/// The scores, softmax and context of one attention: operator indices.
struct AttentionSite {
  int scores = kNoOperator, softmax = kNoOperator, context = kNoOperator;
  bool exists() const { return context != kNoOperator; }
};

/// From operator `index`, the scores; none where it cannot be fused.
AttentionSite attention_at(const Graph& graph, const std::vector<TensorUse>& uses, int index) {
  const auto at = [&](int i) -> const Operator& {
    return graph.operators[static_cast<std::size_t>(i)];
  };
  const Operator& scores = at(index);
  if (scores.kind != OperatorKind::kBatchedGemm || !scores.inputs[1].transposed) return {};
  const int softmax = sole_reader(graph, uses, index);
  if (softmax == kNoOperator || at(softmax).kind != OperatorKind::kSoftmax) return {};
  const int last = sole_reader(graph, uses, softmax);
  if (last == kNoOperator || at(last).kind != OperatorKind::kBatchedGemm) return {};
  const Operator& context = at(last);
  const auto bits = [&](const Operator& op) {
    return graph.tensors[static_cast<std::size_t>(op.outputs[0].tensor)].format.bits;
  };
  const bool alike = context.m == scores.m && context.k == scores.n &&
                     context.instances == scores.instances && context.group == scores.group &&
                     !context.inputs[1].transposed && bits(scores) == bits(at(softmax));
  return alike ? AttentionSite{index, softmax, last} : AttentionSite{};
}

/// The fused operator stands where the context stood: all its inputs are there. Returns which
/// operators have gone.
std::vector<bool> fuse_attention(Graph& graph, const Fusion& fusion, const FusionPays& pays) {
  const std::vector<TensorUse> uses = tensor_uses(graph);
  std::vector<bool> gone(graph.operators.size(), false);
  const auto at = [&](int i) -> Operator& { return graph.operators[static_cast<std::size_t>(i)]; };
  for (int i = 0; i < static_cast<int>(graph.operators.size()); ++i) {
    const AttentionSite site = attention_at(graph, uses, i);
    if (!site.exists()) continue;
    Operator fused = attention_of(at(site.scores), at(site.softmax), at(site.context));
    fused.softmax = fusion.softmax;
    if (fusion.attention == FusionSwitch::kAuto && !pays(graph, fused.parts, {fused})) continue;
    at(site.context) = std::move(fused);
    gone[static_cast<std::size_t>(site.scores)] = true;
    gone[static_cast<std::size_t>(site.softmax)] = true;
  }
  return gone;
}

void append_requantise(Graph& graph) {
  for (Operator& op : graph.operators) {
    if (is_gemm(op)) {
      op.epilogue.push_back({"", "requantise"});
    }
  }
}

}  // namespace

Graph fuse(Graph graph, const Fusion& fusion, const FusionPays& pays) {
  if (fusion.epilogue) {
    remove_operators(graph, absorb_activations(graph));
  }
  append_requantise(graph);
  if (fusion.gate_up != FusionSwitch::kOff) {
    remove_operators(graph, merge_gate_up(graph, fusion.gate_up, pays));
  }
  if (fusion.qkv != FusionSwitch::kOff) {
    remove_operators(graph, merge_projections(graph, fusion.qkv, pays));
  }
  if (fusion.residual != FusionSwitch::kOff) {
    remove_operators(graph, absorb_additions(graph, fusion, pays));
  }
  if (fusion.attention != FusionSwitch::kOff) {
    remove_operators(graph, fuse_attention(graph, fusion, pays));
  }
  return graph;
}

}  // namespace tessera::workloads
