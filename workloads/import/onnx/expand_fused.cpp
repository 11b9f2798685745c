#include "workloads/import/onnx/expand_fused.h"

#include <algorithm>
#include <utility>

namespace tessera::workloads::onnx {
namespace {

constexpr std::int64_t kCopyDimension = 0, kInferDimension = -1;  // in the shape of a Reshape

class Expansion {
 public:
  explicit Expansion(Model model) : model_(std::move(model)) {}

  Model run() {
    const std::vector<Node> written = std::move(model_.nodes);
    model_.nodes.clear();
    for (const Node& node : written) {
      node_ = &node;
      parts_ = 0;
      if (!expand(node)) model_.nodes.push_back(node);
    }
    return std::move(model_);
  }

 private:
  /// False: not a fused operator, or one that cannot be taken apart.
  bool expand(const Node& node) {
    const bool microsoft = node.domain == "com.microsoft";
    if (node.inputs.empty() || node.outputs.empty()) return false;
    if (node.type == "Attention") return microsoft ? packed_attention(node) : attention(node);
    if (node.type == "RotaryEmbedding") return rotation(node);
    if (!microsoft) return false;
    if (node.type == "MultiHeadAttention") return multi_head_attention(node);
    if (node.type == "SkipLayerNormalization") return skip_norm(node, "LayerNormalization", 4);
    if (node.type == "SkipSimplifiedLayerNormalization")
      return skip_norm(node, "RMSNormalization", 3);
    if (node.type == "BiasGelu") return bias_gelu(node);
    return node.type == "MatMulNBits" && narrow_matmul(node);
  }

  // ---- making nodes ---------------------------------------------------------------------------

  std::string emit(const std::string& type, std::vector<std::string> inputs,
                   std::map<std::string, std::vector<std::int64_t>> lists = {},
                   std::map<std::string, std::int64_t> integers = {},
                   const std::string& output = {}) {
    Node part;
    part.type = type;
    part.name = node_->name.empty() ? "" : node_->name + "/" + type;
    part.inputs = std::move(inputs);
    part.outputs = {output.empty() ? fresh_name() : output};
    for (auto& [key, list] : lists) part.attributes[key].integers = std::move(list);
    for (const auto& [key, value] : integers) part.attributes[key].integer = value;
    model_.nodes.push_back(std::move(part));
    return model_.nodes.back().outputs[0];
  }

  std::string fresh_name() { return node_->outputs[0] + "#" + std::to_string(++parts_); }

  std::string constant(const std::vector<std::int64_t>& values) {
    Constant made;
    made.name = fresh_name();
    made.type = {ElementClass::kInteger, 64};
    made.dims = {static_cast<std::int64_t>(values.size())};
    made.has_elements = true;
    made.integers = values;
    model_.initializers.push_back(made);
    return made.name;
  }

  std::string reshape(const std::string& x, const std::vector<std::int64_t>& shape) {
    return emit("Reshape", {x, constant(shape)});
  }
  std::string transpose(const std::string& x, const std::vector<std::int64_t>& order) {
    return emit("Transpose", {x}, {{"perm", order}});
  }

  // ---- attention ------------------------------------------------------------------------------

  static bool is_given(const Node& node, std::size_t input) {
    return !input_of(node, input).empty();
  }

  static bool has_one_output(const Node& node) {
    return std::all_of(node.outputs.begin() + 1, node.outputs.end(),
                       [](const std::string& name) { return name.empty(); });
  }

  /// Masks are part of the softmax.
  std::string shares_of(const std::string& q, const std::string& keys, bool causal) {
    return emit("Softmax", {emit("MatMul", {q, keys})}, {},
                {{"axis", -1}, {"causal", causal ? 1 : 0}});
  }

  /// q, k, v: [batch, tokens, heads * width]; `heads` share `kv_heads` keys and values.
  void heads_attention(const std::string& q, const std::string& k, const std::string& v,
                       std::int64_t heads, std::int64_t kv_heads, bool causal) {
    constexpr std::int64_t kSame = kCopyDimension, kRest = kInferDimension;
    const std::string queries =
        transpose(reshape(q, {kSame, kSame, kv_heads, heads / kv_heads, kRest}), {0, 2, 3, 1, 4});
    const std::string keys =
        transpose(reshape(k, {kSame, kSame, kv_heads, 1, kRest}), {0, 2, 3, 4, 1});
    const std::string values =
        transpose(reshape(v, {kSame, kSame, kv_heads, 1, kRest}), {0, 2, 3, 1, 4});
    const std::string context = emit("MatMul", {shares_of(queries, keys, causal), values});
    const std::string rows = transpose(context, {0, 3, 1, 2, 4});
    emit("Reshape", {rows, constant({kSame, kSame, kRest})}, {}, {}, node_->outputs[0]);
  }

  bool attention(const Node& node) {
    const bool cached = is_given(node, 4) || is_given(node, 5) || !has_one_output(node);
    if (cached || !is_given(node, 1) || !is_given(node, 2)) return false;
    const bool causal = integer_of(node, "is_causal", 0) != 0;
    const std::int64_t heads = integer_of(node, "q_num_heads", 0),
                       kv_heads = integer_of(node, "kv_num_heads", heads);
    if (heads > 0 && kv_heads > 0 && heads % kv_heads == 0) {
      heads_attention(node.inputs[0], node.inputs[1], node.inputs[2], heads, kv_heads, causal);
    } else {  // [batch, heads, tokens, width]
      const std::string keys = transpose(node.inputs[1], {0, 1, 3, 2});
      emit("MatMul", {shares_of(node.inputs[0], keys, causal), node.inputs[2]}, {}, {},
           node.outputs[0]);
    }
    return true;
  }

  /// Input, one weight for queries, keys and values, bias.
  bool packed_attention(const Node& node) {
    const std::int64_t heads = integer_of(node, "num_heads", 0);
    const bool cached = is_given(node, 4) || !has_one_output(node);
    if (cached || heads < 1 || !is_given(node, 1) || has_attribute(node, "qkv_hidden_sizes")) {
      return false;
    }
    std::string all = emit("MatMul", {node.inputs[0], node.inputs[1]});
    if (is_given(node, 2)) all = emit("Add", {all, node.inputs[2]});
    Node split;
    split.type = "Split";
    split.inputs = {all};
    split.outputs = {fresh_name(), fresh_name(), fresh_name()};
    split.attributes["axis"].integer = -1;
    model_.nodes.push_back(split);
    heads_attention(split.outputs[0], split.outputs[1], split.outputs[2], heads, heads,
                    integer_of(node, "unidirectional", 0) != 0);
    return true;
  }

  bool multi_head_attention(const Node& node) {
    const std::int64_t heads = integer_of(node, "num_heads", 0);
    const bool cached = is_given(node, 6) || is_given(node, 7) || !has_one_output(node);
    const bool separate = is_given(node, 1) && is_given(node, 2) && !is_given(node, 3);
    if (cached || heads < 1 || !separate) return false;
    heads_attention(node.inputs[0], node.inputs[1], node.inputs[2], heads, heads,
                    integer_of(node, "unidirectional", 0) != 0);
    return true;
  }

  // ---- others ---------------------------------------------------------------------------------

  bool rotation(const Node& node) {
    emit("Rope", {node.inputs[0]}, {}, {}, node.outputs[0]);
    return true;
  }

  /// Residual addition and norm; the fourth output is the sum.
  bool skip_norm(const Node& node, const std::string& norm, std::size_t bias) {
    if (!is_given(node, 1) || !is_given(node, 2)) return false;
    std::string branch = node.inputs[0];
    if (is_given(node, bias)) branch = emit("Add", {branch, node.inputs[bias]});
    const std::string sum = emit("Add", {branch, node.inputs[1]}, {}, {},
                                 node.outputs.size() < 4 ? "" : node.outputs[3]);
    std::vector<std::string> inputs{sum, node.inputs[2]};
    if (bias == 4 && is_given(node, 3)) inputs.push_back(node.inputs[3]);
    emit(norm, inputs, {}, {{"axis", -1}}, node.outputs[0]);
    return true;
  }

  bool bias_gelu(const Node& node) {
    if (!is_given(node, 1)) return false;
    emit("Gelu", {emit("Add", {node.inputs[0], node.inputs[1]})}, {}, {}, node.outputs[0]);
    return true;
  }

  bool narrow_matmul(const Node& node) {
    Constant weight;
    weight.name = fresh_name();
    weight.dims = {integer_of(node, "K", 0), integer_of(node, "N", 0)};
    weight.type = {ElementClass::kInteger, static_cast<int>(integer_of(node, "bits", 4))};
    const bool known = weight.type.bits == 4 || weight.type.bits == 8;
    if (!known || weight.dims[0] < 1 || weight.dims[1] < 1) return false;
    model_.initializers.push_back(weight);
    emit("MatMul", {node.inputs[0], weight.name}, {}, {}, node.outputs[0]);
    return true;
  }

  Model model_;
  const Node* node_ = nullptr;  // being taken apart
  int parts_ = 0;
};

}  // namespace

Model expand_fused(Model model) { return Expansion(std::move(model)).run(); }

}  // namespace tessera::workloads::onnx
