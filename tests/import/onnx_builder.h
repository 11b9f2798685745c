// ONNX files for tests, written with protobuf. Weights have shapes but no bytes.
#pragma once

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

namespace tessera::test {

using Ints = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

class OnnxBuilder {
 public:
  explicit OnnxBuilder(std::int64_t opset = 17, std::int64_t ir_version = 8) {
    model.set_ir_version(ir_version);
    model.set_producer_name("test");
    model.add_opset_import()->set_version(opset);
    graph = model.mutable_graph();
    graph->set_name("test");
  }

  /// A dimension is a number, a symbol, or "?" for neither.
  std::string input(const std::string& name, const Names& dims, int type = 1) {
    auto* tensor = describe(graph->add_input(), name, type);
    for (const std::string& dim : dims) {
      auto* added = tensor->mutable_shape()->add_dim();
      if (dim == "?") continue;
      const bool number = dim.find_first_not_of("0123456789") == std::string::npos;
      number ? added->set_dim_value(std::stoll(dim)) : added->set_dim_param(dim);
    }
    return name;
  }

  void output(const std::string& name) { describe(graph->add_output(), name, 1); }

  std::string weight(const Ints& dims, int type = 1) {
    auto* tensor = graph->add_initializer();
    tensor->set_name("w" + std::to_string(next_++));
    tensor->set_data_type(type);
    for (const std::int64_t dim : dims) tensor->add_dims(dim);
    if (external_weights) {
      tensor->set_data_location(onnx::TensorProto::EXTERNAL);
      auto* entry = tensor->add_external_data();
      entry->set_key("location");
      entry->set_value("weights_that_no_import_opens.bin");
    }
    return tensor->name();
  }

  std::string integers(const Ints& values, bool is_scalar = false) {
    auto* tensor = graph->add_initializer();
    tensor->set_name("i" + std::to_string(next_++));
    tensor->set_data_type(onnx::TensorProto::INT64);
    if (!is_scalar) tensor->add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) tensor->add_int64_data(value);
    return tensor->name();
  }

  std::string scalar(double value) {
    auto* tensor = graph->add_initializer();
    tensor->set_name("s" + std::to_string(next_++));
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    tensor->add_float_data(static_cast<float>(value));
    return tensor->name();
  }

  /// A zero point of type `type`: what says how wide a quantised value is.
  std::string zero_point(int type) { return weight({}, type); }

  std::string node(const std::string& type, const Names& inputs, const std::string& domain = "") {
    auto* added = graph->add_node();
    added->set_op_type(type);
    added->set_domain(domain);
    added->set_name("/" + type + "_" + std::to_string(next_));
    for (const std::string& input : inputs) added->add_input(input);
    added->add_output("v" + std::to_string(next_++));
    return added->output(0);
  }

  /// An attribute of the node added last.
  void attribute(const std::string& key, const Ints& values) {
    auto* added = last()->add_attribute();
    added->set_name(key);
    added->set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) added->add_ints(value);
  }
  void attribute(const std::string& key, std::int64_t value) {
    auto* added = last()->add_attribute();
    added->set_name(key);
    added->set_type(onnx::AttributeProto::INT);
    added->set_i(value);
  }
  onnx::NodeProto* last() { return graph->mutable_node(graph->node_size() - 1); }

  std::string transpose(const std::string& x, const Ints& order) {
    const std::string out = node("Transpose", {x});
    attribute("perm", order);
    return out;
  }
  std::string reshape(const std::string& x, const Ints& shape) {
    return node("Reshape", {x, integers(shape)});
  }
  std::string softmax(const std::string& x) {
    const std::string out = node("Softmax", {x});
    attribute("axis", -1);
    return out;
  }

  void save(const std::string& path) const {
    std::ofstream file(path, std::ios::binary);
    model.SerializeToOstream(&file);
  }

  onnx::ModelProto model;
  onnx::GraphProto* graph = nullptr;
  bool external_weights = false;  // of weights added from now on

 private:
  static onnx::TypeProto_Tensor* describe(onnx::ValueInfoProto* value, const std::string& name,
                                          int type) {
    value->set_name(name);
    auto* tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    return tensor;
  }

  int next_ = 0;
};

/// How a block is spelled.
enum class Spelling { kOperators, kDecomposed, kQuantised };

struct BlockShape {
  std::int64_t hidden = 96, heads = 3, intermediate = 384;
};

/// Encoder blocks as exporters write them.
class BlockBuilder {
 public:
  BlockBuilder(OnnxBuilder& onnx, const BlockShape& shape, Spelling spelling)
      : onnx_(onnx), shape_(shape), spelling_(spelling) {}

  std::string linear(const std::string& x, std::int64_t in, std::int64_t out) {
    const std::string product = onnx_.node("MatMul", {quantised(x), weight(in, out)});
    return onnx_.node("Add", {onnx_.weight({out}), product});
  }

  std::string norm(const std::string& x) {
    const std::string scale = onnx_.weight({shape_.hidden}), shift = onnx_.weight({shape_.hidden});
    if (spelling_ != Spelling::kDecomposed) {
      const std::string out = onnx_.node("LayerNormalization", {x, scale, shift});
      onnx_.attribute("axis", -1);
      return out;
    }
    const std::string centred = onnx_.node("Sub", {x, mean(x)});
    const std::string squares = onnx_.node("Pow", {centred, onnx_.scalar(2)});
    const std::string variance = onnx_.node("Add", {mean(squares), onnx_.scalar(1e-6)});
    const std::string unit = onnx_.node("Div", {centred, onnx_.node("Sqrt", {variance})});
    return onnx_.node("Add", {onnx_.node("Mul", {unit, scale}), shift});
  }

  std::string gelu(const std::string& x) {
    if (spelling_ != Spelling::kDecomposed && spelling_ != Spelling::kQuantised) {
      return onnx_.node("Gelu", {x});
    }
    const std::string erf =
        onnx_.node("Erf", {onnx_.node("Div", {x, onnx_.scalar(std::sqrt(2.0))})});
    const std::string sum = onnx_.node("Add", {erf, onnx_.scalar(1)});
    return onnx_.node("Mul", {onnx_.node("Mul", {x, sum}), onnx_.scalar(0.5)});
  }

  /// `mask`: empty, or added to the scores.
  std::string attention(const std::string& x, const std::string& mask = "") {
    const std::int64_t width = shape_.hidden / shape_.heads;
    const auto heads = [&](const std::string& projected, const Ints& order) {
      return onnx_.transpose(onnx_.reshape(projected, {0, 0, shape_.heads, width}), order);
    };
    const std::string q = linear(x, shape_.hidden, shape_.hidden);
    const std::string k = linear(x, shape_.hidden, shape_.hidden);
    const std::string v = linear(x, shape_.hidden, shape_.hidden);
    const std::string product = onnx_.node(
        "MatMul", {quantised(heads(q, {0, 2, 1, 3})), quantised(heads(k, {0, 2, 3, 1}))});
    std::string scores =
        onnx_.node("Div", {product, onnx_.scalar(std::sqrt(static_cast<double>(width)))});
    if (!mask.empty()) scores = onnx_.node("Add", {scores, mask});
    const std::string shares = onnx_.softmax(scores);
    const std::string context =
        onnx_.node("MatMul", {quantised(shares), quantised(heads(v, {0, 2, 1, 3}))});
    const std::string rows =
        onnx_.reshape(onnx_.transpose(context, {0, 2, 1, 3}), {0, 0, shape_.hidden});
    return linear(rows, shape_.hidden, shape_.hidden);
  }

  /// One projection for queries, keys and values; heads are picked afterwards, as timm does.
  std::string fused_attention(const std::string& x) {
    const std::int64_t width = shape_.hidden / shape_.heads;
    const std::string all =
        onnx_.reshape(linear(x, shape_.hidden, 3 * shape_.hidden), {0, 0, 3, shape_.heads, width});
    const std::string turned = onnx_.transpose(all, {2, 0, 3, 1, 4});
    const auto part = [&](std::int64_t which) {
      const std::string picked = onnx_.node("Gather", {turned, onnx_.integers({which}, true)});
      onnx_.attribute("axis", std::int64_t{0});
      return picked;
    };
    const std::string q = onnx_.node("Mul", {part(0), onnx_.scalar(0.125)});
    const std::string keys = onnx_.transpose(part(1), {0, 1, 3, 2});
    const std::string context =
        onnx_.node("MatMul", {onnx_.softmax(onnx_.node("MatMul", {q, keys})), part(2)});
    return linear(onnx_.reshape(onnx_.transpose(context, {0, 2, 1, 3}), {0, 0, shape_.hidden}),
                  shape_.hidden, shape_.hidden);
  }

  /// The Attention of opset 23 over projections.
  std::string operator_attention(const std::string& x, bool causal) {
    const std::string q = linear(x, shape_.hidden, shape_.hidden);
    const std::string k = linear(x, shape_.hidden, shape_.hidden);
    const std::string v = linear(x, shape_.hidden, shape_.hidden);
    const std::string out = onnx_.node("Attention", {q, k, v});
    onnx_.attribute("q_num_heads", shape_.heads);
    onnx_.attribute("kv_num_heads", shape_.heads);
    onnx_.attribute("is_causal", causal ? 1 : 0);
    return linear(out, shape_.hidden, shape_.hidden);
  }

  std::string mlp(const std::string& x) {
    return linear(gelu(linear(x, shape_.hidden, shape_.intermediate)), shape_.intermediate,
                  shape_.hidden);
  }

  std::string pre_norm_layer(std::string x) {
    x = onnx_.node("Add", {attention(norm(x)), x});
    return onnx_.node("Add", {x, mlp(norm(x))});
  }

  std::string post_norm_layer(std::string x, const std::string& mask = "") {
    x = norm(onnx_.node("Add", {attention(x, mask), x}));
    return norm(onnx_.node("Add", {mlp(x), x}));
  }

 private:
  std::string mean(const std::string& x) {
    const std::string out = onnx_.node("ReduceMean", {x});
    onnx_.attribute("axes", Ints{-1});
    return out;
  }

  std::string weight(std::int64_t in, std::int64_t out) {
    if (spelling_ != Spelling::kQuantised) return onnx_.weight({in, out});
    const std::string stored = onnx_.weight({in, out}, onnx::TensorProto::INT8);
    return onnx_.node("DequantizeLinear",
                      {stored, onnx_.weight({out}), onnx_.weight({out}, onnx::TensorProto::INT8)});
  }

  std::string quantised(const std::string& x) {
    if (spelling_ != Spelling::kQuantised) return x;
    const Names scale{onnx_.scalar(0.1), onnx_.zero_point(onnx::TensorProto::INT8)};
    const std::string q = onnx_.node("QuantizeLinear", {x, scale[0], scale[1]});
    return onnx_.node("DequantizeLinear", {q, scale[0], scale[1]});
  }

  OnnxBuilder& onnx_;
  BlockShape shape_;
  Spelling spelling_;
};

}  // namespace tessera::test
