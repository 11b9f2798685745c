#include "workloads/import/onnx/name_operators.h"

#include <algorithm>
#include <map>
#include <set>

namespace tessera::workloads::onnx {
namespace {

constexpr int kNone = -1;
constexpr int kFarthest = 4;  // operators between a projection and the scores: RoPE, a norm, copies

class Naming {
 public:
  explicit Naming(MappedGraph& mapped)
      : graph_(mapped.graph),
        owner_(mapped.tensor_owner),
        readers_(graph_.tensors.size()),
        writers_(graph_.tensors.size()) {
    for (int i = 0; i < count(); ++i) {
      for (const MatrixView& view : op(i).inputs) add(readers_, view.tensor, i);
      for (const MatrixView& view : op(i).outputs) add(writers_, view.tensor, i);
    }
  }

  void run() {
    for (int i = 0; i < count(); ++i) {
      if (op(i).kind == OperatorKind::kSoftmax) name_layer(i);
    }
    fill_layers();
    name_outside();
    make_unique();
    name_tensors();
  }

 private:
  int count() const { return static_cast<int>(graph_.operators.size()); }
  Operator& op(int i) { return graph_.operators[static_cast<std::size_t>(i)]; }
  const Operator& op(int i) const { return graph_.operators[static_cast<std::size_t>(i)]; }

  static void add(std::vector<std::vector<int>>& lists, TensorId tensor, int i) {
    auto& list = lists.at(static_cast<std::size_t>(tensor));
    if (list.empty() || list.back() != i) list.push_back(i);
  }

  const std::vector<int>& readers_of(int i) const {
    return readers_[static_cast<std::size_t>(op(i).outputs[0].tensor)];
  }
  int writer_of(const MatrixView& view) const {
    const auto& writers = writers_[static_cast<std::size_t>(view.tensor)];
    return writers.empty() ? kNone : writers.front();
  }
  bool is_norm(int i) const {
    return i != kNone &&
           (op(i).kind == OperatorKind::kLayerNorm || op(i).kind == OperatorKind::kRmsNorm);
  }
  bool is(int i, OperatorKind kind) const { return i != kNone && op(i).kind == kind; }

  /// The first reader of `i`'s result for which `holds`.
  template <class Predicate>
  int reader(int i, Predicate holds) const {
    if (i == kNone) return kNone;
    for (const int each : readers_of(i)) {
      if (each > i && holds(each)) return each;
    }
    return kNone;
  }
  int reader(int i, OperatorKind kind) const {
    return reader(i, [&](int each) { return op(each).kind == kind; });
  }

  void name(int i, const std::string& text) {
    if (i == kNone || op(i).layer != -1) return;
    op(i).name = text;
    op(i).layer = layers_;
  }
  void name_norm(int i, const std::string& suffix) {
    if (is_norm(i)) name(i, (is(i, OperatorKind::kLayerNorm) ? "LayerNorm_" : "RMSNorm_") + suffix);
  }

  /// The Gemm whose result reaches `view` through operators that keep its shape.
  int projection_of(const MatrixView& view) const {
    int i = writer_of(view);
    for (int step = 0; i != kNone && step < kFarthest; ++step) {
      if (is(i, OperatorKind::kGemm)) return i;
      if (is_gemm(op(i)) || op(i).inputs.empty()) return kNone;
      i = writer_of(op(i).inputs[0]);
    }
    return kNone;
  }

  void name_layer(int softmax) {
    const int scores = writer_of(op(softmax).inputs[0]);
    const int context = reader(softmax, OperatorKind::kBatchedGemm);
    const bool attention = is(scores, OperatorKind::kBatchedGemm) && context != kNone &&
                           op(context).inputs[0].tensor == op(softmax).outputs[0].tensor;
    if (!attention) return;
    name(scores, "Attn_Scores");
    name(softmax, "Softmax");
    name(context, "Attn_Context");
    if (op(softmax).mask == Mask::kNone) op(softmax).mask = Mask::kFull;
    op(scores).mask = op(softmax).mask;
    const int q = name_projections(scores, context);
    name_block(q, context);
    ++layers_;
  }

  /// Returns the projection that makes the queries.
  int name_projections(int scores, int context) {
    const int q = projection_of(op(scores).inputs[0]), k = projection_of(op(scores).inputs[1]),
              v = projection_of(op(context).inputs[1]);
    if (q == k && k == v) {
      name(q, "Attn_QKV");
    } else {
      name(q, "Attn_Q");
      name(k, k == v ? "Attn_KV" : "Attn_K");
      name(v, "Attn_V");
    }
    return q;
  }

  /// From the context to the end of the layer.
  void name_block(int q, int context) {
    const int out = reader(context, OperatorKind::kGemm);
    name(out, "Attn_Out");
    const int before = q == kNone ? kNone : writer_of(op(q).inputs[0]);
    const bool pre_norm = is_norm(before) && only_gemms_read(before);
    if (pre_norm) name_norm(before, "1");
    const int residual = name_residual(out, "1");
    const int norm = reader(residual, [&](int i) { return is_norm(i); });
    name_norm(norm, pre_norm ? "2" : "1");
    name_mlp(norm == kNone ? residual : norm, !pre_norm);
  }

  /// The addition of a branch to the residual stream; LayerScale may stand in between.
  int name_residual(int branch, const std::string& suffix) {
    int residual = reader(branch, OperatorKind::kAdd);
    if (residual != kNone && reads_weight(op(residual), 1)) {
      name(residual, "LayerScale_" + suffix);
      residual = reader(residual, OperatorKind::kAdd);
    }
    name(residual, "Residual_Add_" + suffix);
    return residual;
  }

  bool only_gemms_read(int i) const {
    const auto& readers = readers_of(i);
    return std::all_of(readers.begin(), readers.end(),
                       [&](int each) { return is(each, OperatorKind::kGemm); });
  }

  bool is_activation(int i) const {
    return !is_gemm(op(i)) && !is_norm(i) && op(i).kind != OperatorKind::kAdd &&
           op(i).kind != OperatorKind::kCopy && op(i).kind != OperatorKind::kSoftmax;
  }

  void name_mlp(int input, bool post_norm) {
    const int first = reader(input, OperatorKind::kGemm);
    const int act = reader(first, [&](int i) { return is_activation(i); });
    if (act == kNone) return;
    const bool gated = op(act).inputs.size() == 2;
    if (gated) {
      name(projection_of(op(act).inputs[0]), "MLP_Gate");
      name(projection_of(op(act).inputs[1]), "MLP_Up");
    } else {
      name(first, "MLP_FC1");
    }
    name(act, op(act).name);
    const int last = reader(act, OperatorKind::kGemm);
    name(last, gated ? "MLP_Down" : "MLP_FC2");
    const int residual = name_residual(last, "2");
    if (post_norm) name_norm(reader(residual, [&](int i) { return is_norm(i); }), "2");
  }

  /// What stands between a layer's operators belongs to it.
  void fill_layers() {
    std::vector<std::pair<int, int>> spans(static_cast<std::size_t>(layers_), {count(), -1});
    for (int i = 0; i < count(); ++i) {
      if (op(i).layer < 0) continue;
      auto& span = spans[static_cast<std::size_t>(op(i).layer)];
      span = {std::min(span.first, i), std::max(span.second, i)};
    }
    for (int layer = 0; layer < layers_; ++layer) {
      const auto [first, last] = spans[static_cast<std::size_t>(layer)];
      for (int i = first; i <= last; ++i) {
        if (op(i).layer < 0) op(i).layer = layer;
      }
    }
  }

  bool reads_weight(const Operator& each, std::size_t input) const {
    if (input >= each.inputs.size()) return false;
    const Tensor& tensor = graph_.tensors[static_cast<std::size_t>(each.inputs[input].tensor)];
    return tensor.cls == TensorClass::kWeights;
  }

  void name_outside() {
    bool behind = false;
    for (int i = 0; i < count(); ++i) {
      Operator& each = op(i);
      behind = behind || each.layer == layers_ - 1;
      if (each.layer != -1) continue;
      if (is_norm(i)) {
        each.name += behind && layers_ > 0 ? "_final" : "_embed";
      } else if (each.kind == OperatorKind::kEmbedding) {
        each.name = "Token_Embed";
      } else if (each.kind == OperatorKind::kCopy && reads_weight(each, 0)) {
        each.name = "CLS_concat";
      } else if (each.kind == OperatorKind::kAdd && reads_weight(each, 1) && !behind) {
        each.name = each.inputs[1].row_stride == 0 ? "TypeEmbed_Add" : "PosEmbed_Add";
      } else if (each.kind == OperatorKind::kGemm && behind) {
        each.name = head_name(i);
      }
    }
  }

  std::string head_name(int i) const {
    if (reader(i, OperatorKind::kTanh) != kNone) return "Pooler";
    const bool vocabulary =
        std::any_of(graph_.operators.begin(), graph_.operators.end(), [&](const Operator& each) {
          return each.kind == OperatorKind::kEmbedding && each.outputs[0].tensor != kNoTensor &&
                 graph_.tensors[static_cast<std::size_t>(each.inputs[0].tensor)].shape[0] ==
                     op(i).n;
        });
    return vocabulary ? "LM_Head" : "Classifier";
  }

  void make_unique() {
    std::map<std::pair<int, std::string>, int> used;
    for (Operator& each : graph_.operators) {
      const int times = ++used[{each.layer, each.name}];
      if (times > 1) each.name += "_" + std::to_string(times);
      each.members = {each.name};
    }
  }

  void name_tensors() {
    std::set<std::string> used;
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
      std::string& role = graph_.tensors[t].name;
      const Operator& owner = op(std::min(owner_[t], count() - 1));
      const std::string layer = owner.layer < 0 ? "" : "L" + std::to_string(owner.layer) + ".";
      const bool second_weight =
          role == "weight" && used.count(layer + owner.name + ".weight") != 0;
      std::string base = layer + owner.name + "." + (second_weight ? "bias" : role);
      std::string unique = base;
      for (int n = 2; !used.insert(unique).second; ++n) unique = base + "_" + std::to_string(n);
      role = unique;
    }
  }

  Graph& graph_;
  const std::vector<int>& owner_;
  std::vector<std::vector<int>> readers_, writers_;  // by tensor, operators in order
  int layers_ = 0;
};

}  // namespace

void name_operators(MappedGraph& mapped) {
  if (!mapped.graph.operators.empty()) Naming(mapped).run();
}

}  // namespace tessera::workloads::onnx
