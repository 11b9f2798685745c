#include "workloads/passes/merge_gemms.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "workloads/passes/graph_edit.h"

namespace tessera::workloads {
namespace {

/// The view is all of its tensor, row by row.
bool is_whole(const MatrixView& view, const Tensor& tensor) {
  return view.offset == 0 && view.batch[0].count == 1 && view.batch[1].count == 1 &&
         view.group.count == 1 && !view.transposed && view.repeat_stride == 0 &&
         view.cols == row_length(tensor) && view.row_stride == view.cols &&
         view.rows == row_count(tensor);
}

bool same_format(const Tensor& a, const Tensor& b) {
  const ElementFormat &x = a.format, &y = b.format;
  return a.cls == b.cls && a.own_bits == b.own_bits && x.type() == y.type() &&
         x.is_signed == y.is_signed && x.group == y.group && x.scale_bits == y.scale_bits &&
         x.density == y.density && x.encoding == y.encoding;
}

bool same_steps(const Operator& a, const Operator& b) {
  return std::equal(a.epilogue.begin(), a.epilogue.end(), b.epilogue.begin(), b.epilogue.end(),
                    [](const EpilogueStep& x, const EpilogueStep& y) {
                      return x.operation == y.operation && x.member == y.member;
                    });
}

/// "Attn_QKV" of Attn_Q, Attn_K, Attn_V.
std::string merged_name(const std::vector<const Operator*>& members) {
  const std::string& first = members[0]->name;
  const std::size_t underscore = first.find('_');
  const std::string front = underscore == std::string::npos ? "" : first.substr(0, underscore + 1);
  const bool shared = !front.empty() && std::all_of(members.begin(), members.end(), [&](auto* op) {
    return op->name.compare(0, front.size(), front) == 0;
  });
  std::string name = first;
  for (std::size_t i = 1; i < members.size(); ++i) {
    name += shared ? members[i]->name.substr(front.size()) : "+" + members[i]->name;
  }
  return name;
}

/// Rows that are `from` elements long become `to` elements long, and begin `first` elements in.
/// False when the view's rows run over the ends of those of its tensor.
bool widen(MatrixView& view, std::int64_t from, std::int64_t to, std::int64_t first) {
  if (view.repeat_stride != 0) return false;
  std::int64_t last = view.offset % from;
  const auto reach = [&](std::int64_t count, std::int64_t stride) {
    last += (count - 1) * (stride % from);
  };
  reach(view.batch[0].count, view.batch[0].stride);
  reach(view.batch[1].count, view.batch[1].stride);
  reach(view.group.count, view.group.stride);
  reach(view.rows, view.row_stride);
  if (last + view.cols > from) return false;
  const auto wider = [&](std::int64_t elements) { return elements / from * to + elements % from; };
  view.offset = wider(view.offset) + first;
  view.batch[0].stride = wider(view.batch[0].stride);
  view.batch[1].stride = wider(view.batch[1].stride);
  view.group.stride = wider(view.group.stride);
  view.row_stride = wider(view.row_stride);
  return true;
}

/// Operators that are to be replaced by others, at their places.
struct Replacement {
  std::vector<int> gone;               // besides the first of `at`
  std::vector<int> at;                 // the merged Gemm's place, then those of its readers
  std::vector<Operator> apart, fused;  // all that change, before and after
};

class Merger {
 public:
  explicit Merger(Graph& graph) : graph_(graph), uses_(tensor_uses(graph)) {}

  /// Gemms that may be merged with operator `index`, itself first.
  std::vector<int> partners(int index) const {
    std::vector<int> found;
    if (!is_candidate(at(index))) return found;
    found.push_back(index);
    for (const int other : use(at(index).inputs[0].tensor).readers) {
      if (other > index && is_candidate(at(other)) && alike(at(index), at(other))) {
        found.push_back(other);
      }
    }
    return found;
  }

  /// The activation that joins what operator `index` makes with something else, or kNoOperator.
  int joined_by(int index) const {
    const TensorUse& made = use(at(index).outputs.at(0).tensor);
    if (made.readers.size() != 1) return kNoOperator;
    const Operator& reader = at(made.readers[0]);
    const bool joins =
        reader.kind == OperatorKind::kSiluMul || reader.kind == OperatorKind::kGeluMul;
    return joins && reader.inputs.size() == 2 ? made.readers[0] : kNoOperator;
  }

  Operator merged(const std::vector<int>& members) const {
    std::vector<const Operator*> ops;
    Operator op = at(members[0]);
    for (const int member : members) ops.push_back(&at(member));
    op.name = merged_name(ops);
    op.n = 0;
    op.members.clear();
    for (const Operator* member : ops) {
      op.n += member->n;
      op.members.insert(op.members.end(), member->members.begin(), member->members.end());
      if (member != ops[0]) op.spared.push_back(member->inputs[0]);
    }
    return op;
  }

  TensorId add_tensor(const Operator& op, const std::string& role, TensorId like,
                      std::vector<std::int64_t> shape) {
    Tensor tensor = graph_.tensors[static_cast<std::size_t>(like)];
    tensor.name = op.phase + (op.layer < 0 ? "" : ".L" + std::to_string(op.layer)) + "." + op.name +
                  "." + role;
    tensor.shape = std::move(shape);
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<TensorId>(graph_.tensors.size()) - 1;
  }

  void drop_tensors(std::size_t count) { graph_.tensors.resize(count); }

  static MatrixView whole_of(TensorId tensor, std::int64_t rows, std::int64_t cols) {
    MatrixView view;
    view.tensor = tensor;
    view.rows = rows;
    view.cols = view.row_stride = cols;
    return view;
  }

  /// Results of `members` side by side; false when a reader cannot read its columns there.
  bool side_by_side(const std::vector<int>& members, Replacement& plan) {
    Operator op = merged(members);
    op.inputs[1] =
        whole_of(add_tensor(op, "weight", op.inputs[1].tensor, {op.k, op.n}), op.k, op.n);
    const MatrixView result =
        whole_of(add_tensor(op, "out", op.outputs[0].tensor, {op.m, op.n}), op.m, op.n);
    std::map<int, Operator> readers;
    std::int64_t first = 0;
    for (const int member : members) {
      const MatrixView& old = at(member).outputs[0];
      // Columns would begin inside a byte, or inside a group of weights with one scale.
      const int group = tensor(at(member).inputs[1]).format.group;
      if (first * tensor(old).format.bits % 8 != 0 || (group > 0 && first % group != 0)) {
        return false;
      }
      for (const int reader : use(old.tensor).readers) {
        Operator& copy = readers.emplace(reader, at(reader)).first->second;
        for (MatrixView& view : copy.inputs) {
          if (view.tensor != old.tensor) continue;
          if (!widen(view, old.cols, op.n, first)) return false;
          view.tensor = result.tensor;
        }
      }
      first += old.cols;
    }
    op.outputs = {result};
    replace(members, std::move(op), plan);
    for (auto& [reader, copy] : readers) {
      plan.at.push_back(reader);
      plan.apart.push_back(at(reader));
      plan.fused.push_back(std::move(copy));
    }
    return true;
  }

  /// {gate, up} of operators `a` and `b`, in the order in which one activation takes the results
  /// of both, element by element; empty when there is no such activation.
  std::vector<int> gate_and_up(int a, int b) const {
    const int activation = joined_by(a);
    if (a == b || activation == kNoOperator || joined_by(b) != activation) return {};
    if (tensor(at(a).inputs[1]).format.group > 0) return {};  // a group would hold columns of both
    const Operator& join = at(activation);
    const std::vector<int> members = join.inputs[0].tensor == at(a).outputs[0].tensor
                                         ? std::vector<int>{a, b}
                                         : std::vector<int>{b, a};
    const auto same = [&](const MatrixView& view, int member) {
      return same_geometry(view, at(member).outputs[0]);
    };
    const bool fits = join.outputs.size() == 1 && join.phase == at(a).phase &&
                      same(join.inputs[0], members[0]) && same(join.inputs[1], members[1]) &&
                      same(join.outputs[0], members[0]);
    return fits ? members : std::vector<int>{};
  }

  /// `members` {gate, up} with the activation behind them.
  Replacement in_turn(const std::vector<int>& members) {
    Operator op = merged(members);
    const int activation = joined_by(members[0]);
    const Operator& join = at(activation);
    Replacement plan;
    op.inputs[1] =
        whole_of(add_tensor(op, "weight", op.inputs[1].tensor, {op.k, op.n}), op.k, op.n);
    op.kept = {at(members[0]).outputs[0], at(members[1]).outputs[0]};
    op.epilogue.insert(op.epilogue.begin(), {join.name, join.operation});
    op.members.push_back(join.name);
    op.outputs = join.outputs;
    replace(members, std::move(op), plan);
    plan.gone.push_back(activation);
    plan.apart.push_back(join);
    return plan;
  }

  void apply(Replacement plan, std::vector<bool>& gone) {
    for (const int index : plan.gone) gone[static_cast<std::size_t>(index)] = true;
    for (std::size_t i = 0; i < plan.at.size(); ++i) {
      graph_.operators[static_cast<std::size_t>(plan.at[i])] = std::move(plan.fused[i]);
    }
  }

  const Operator& at(int index) const { return graph_.operators[static_cast<std::size_t>(index)]; }

 private:
  /// Added by this pass: already merged.
  bool is_made(TensorId id) const { return static_cast<std::size_t>(id) >= uses_.size(); }
  const TensorUse& use(TensorId id) const { return uses_.at(static_cast<std::size_t>(id)); }
  const Tensor& tensor(const MatrixView& view) const {
    return graph_.tensors[static_cast<std::size_t>(view.tensor)];
  }

  /// A plain Gemm with weights of its own and results that lie together in a tensor of their own.
  bool is_candidate(const Operator& op) const {
    if (op.kind != OperatorKind::kGemm || op.instances != 1 || op.outputs.size() != 1) return false;
    if (!op.parameters.empty() || !op.kept.empty()) return false;
    const MatrixView &weight = op.inputs[1], &out = op.outputs[0];
    if (is_made(op.inputs[0].tensor) || is_made(out.tensor)) return false;
    const Tensor &right = tensor(weight), &result = tensor(out);
    return right.cls == TensorClass::kWeights && !right.is_table &&
           use(weight.tensor).readers.size() == 1 && use(weight.tensor).writers == 0 &&
           is_whole(weight, right) && result.cls == TensorClass::kActivations && !result.is_state &&
           use(out.tensor).writers == 1 && is_whole(out, result) &&
           use(op.inputs[0].tensor).writers <= 1;
  }

  bool alike(const Operator& a, const Operator& b) const {
    return a.phase == b.phase && a.layer == b.layer && a.m == b.m && a.k == b.k &&
           a.group == b.group && a.inputs[0].repeat_stride == b.inputs[0].repeat_stride &&
           same_geometry(a.inputs[0], b.inputs[0]) && same_steps(a, b) &&
           same_format(tensor(a.inputs[1]), tensor(b.inputs[1])) &&
           same_format(tensor(a.outputs[0]), tensor(b.outputs[0]));
  }

  void replace(const std::vector<int>& members, Operator op, Replacement& plan) const {
    for (const int member : members) plan.apart.push_back(at(member));
    plan.gone.assign(members.begin() + 1, members.end());
    plan.at = {members[0]};
    plan.fused.push_back(std::move(op));
  }

  Graph& graph_;
  const std::vector<TensorUse> uses_;
};

/// Carries the replacement out where it is wanted; else the tensors made for it go again.
void settle(Merger& merger, const Graph& graph, FusionSwitch chosen, const FusionPays& pays,
            Replacement plan, std::size_t tensors, std::vector<bool>& gone) {
  if (chosen == FusionSwitch::kAuto && !pays(graph, plan.apart, plan.fused)) {
    return merger.drop_tensors(tensors);
  }
  merger.apply(std::move(plan), gone);
}

}  // namespace

std::vector<bool> merge_projections(Graph& graph, FusionSwitch chosen, const FusionPays& pays) {
  Merger merger(graph);
  std::vector<bool> gone(graph.operators.size(), false);
  for (int i = 0; i < static_cast<int>(graph.operators.size()); ++i) {
    if (gone[static_cast<std::size_t>(i)]) continue;
    std::vector<int> members = merger.partners(i);
    const auto joined = [&](int member) { return merger.joined_by(member) != kNoOperator; };
    members.erase(std::remove_if(members.begin(), members.end(), joined), members.end());
    if (members.size() < 2 || members[0] != i) continue;
    const std::size_t tensors = graph.tensors.size();
    Replacement plan;
    if (!merger.side_by_side(members, plan)) {
      merger.drop_tensors(tensors);
      continue;
    }
    settle(merger, graph, chosen, pays, std::move(plan), tensors, gone);
  }
  return gone;
}

std::vector<bool> merge_gate_up(Graph& graph, FusionSwitch chosen, const FusionPays& pays) {
  Merger merger(graph);
  std::vector<bool> gone(graph.operators.size(), false);
  for (int i = 0; i < static_cast<int>(graph.operators.size()); ++i) {
    for (const int other : merger.partners(i)) {
      const std::vector<int> members = merger.gate_and_up(i, other);
      if (members.empty()) continue;
      const std::size_t tensors = graph.tensors.size();
      Replacement plan = merger.in_turn(members);
      settle(merger, graph, chosen, pays, std::move(plan), tensors, gone);
      break;
    }
  }
  return gone;
}

}  // namespace tessera::workloads
