// Whole models as ONNX files, and the descriptors of the same models.
#pragma once

#include "tests/import/onnx_builder.h"
#include "workloads/model_descriptor.h"

namespace tessera::test {

constexpr std::int64_t kClasses = 10, kVocabulary = 500, kPositions = 64;

inline workloads::ModelDescriptor stack_descriptor(const BlockShape& shape, std::int64_t layers) {
  workloads::ModelDescriptor model;
  model.name = model.title = "stack";
  model.hidden_size = shape.hidden;
  model.num_hidden_layers = layers;
  model.num_attention_heads = shape.heads;
  model.intermediate_size = shape.intermediate;
  return model;
}

/// 64 x 64 pixels, patches of 16 x 16, CLS row, classifier.
inline workloads::ModelDescriptor vit_descriptor(const BlockShape& shape, std::int64_t layers) {
  workloads::ModelDescriptor model = stack_descriptor(shape, layers);
  model.family = workloads::Family::kVit;
  model.image_size = 64;
  model.patch_size = 16;
  model.cls_token = true;
  model.num_labels = kClasses;
  return model;
}

inline workloads::ModelDescriptor bert_descriptor(const BlockShape& shape, std::int64_t layers) {
  workloads::ModelDescriptor model = stack_descriptor(shape, layers);
  model.family = workloads::Family::kBert;
  model.norm_position = workloads::NormPosition::kPost;
  model.vocab_size = kVocabulary;
  model.max_position_embeddings = kPositions;
  model.type_vocab_size = 2;
  model.pooler = true;
  model.tokens = 24;
  return model;
}

/// Conv, flattened and transposed, behind a CLS row that is expanded to the batch.
inline std::string vit_embedding(OnnxBuilder& onnx, const BlockShape& shape) {
  const std::string pixels = onnx.input("pixel_values", {"batch", "3", "64", "64"});
  const std::string conv = onnx.node(
      "Conv", {pixels, onnx.weight({shape.hidden, 3, 16, 16}), onnx.weight({shape.hidden})});
  onnx.attribute("strides", Ints{16, 16});
  onnx.attribute("kernel_shape", Ints{16, 16});
  const std::string rows = onnx.transpose(onnx.reshape(conv, {0, shape.hidden, -1}), {0, 2, 1});
  const std::string size = onnx.node("Shape", {pixels});
  const std::string batch = onnx.node("Gather", {size, onnx.integers({0}, true)});
  const std::string target =
      onnx.node("Concat", {onnx.node("Unsqueeze", {batch, onnx.integers({0})}), onnx.integers({-1}),
                           onnx.integers({-1})});
  onnx.attribute("axis", std::int64_t{0});
  const std::string minus = onnx.node("Equal", {target, onnx.integers({-1})});
  const std::string expanded =
      onnx.node("Expand", {onnx.weight({1, 1, shape.hidden}),
                           onnx.node("Where", {minus, onnx.integers({1, 1, 1}), target})});
  const std::string stream = onnx.node("Concat", {expanded, rows});
  onnx.attribute("axis", 1);
  return onnx.node("Add", {stream, onnx.weight({1, 17, shape.hidden})});
}

inline void build_vit(OnnxBuilder& onnx, const BlockShape& shape, int layers, Spelling spelling) {
  BlockBuilder block(onnx, shape, spelling);
  std::string stream = vit_embedding(onnx, shape);
  for (int i = 0; i < layers; ++i) stream = block.pre_norm_layer(stream);
  stream = block.norm(stream);
  const std::string first = onnx.node("Gather", {stream, onnx.integers({0}, true)});
  onnx.attribute("axis", 1);
  const std::string logits =
      onnx.node("Gemm", {first, onnx.weight({kClasses, shape.hidden}), onnx.weight({kClasses})});
  onnx.attribute("transB", 1);
  onnx.output(logits);
}

inline OnnxBuilder vit_model(const BlockShape& shape, int layers, Spelling spelling,
                             std::int64_t opset = 17, std::int64_t ir_version = 8) {
  OnnxBuilder onnx(opset, ir_version);
  build_vit(onnx, shape, layers, spelling);
  return onnx;
}

/// (1 - mask) * -10000, one row for each request.
inline std::string bert_mask(OnnxBuilder& onnx) {
  const std::string mask = onnx.input("attention_mask", {"batch", "sequence"}, 7);
  const std::string wide = onnx.node("Unsqueeze", {mask, onnx.integers({1, 2})});
  const std::string real = onnx.node("Cast", {wide});
  onnx.attribute("to", 1);
  const std::string left = onnx.node("Sub", {onnx.scalar(1), real});
  return onnx.node("Mul", {left, onnx.scalar(-10000)});
}

inline std::string bert_embedding(OnnxBuilder& onnx, const BlockShape& shape) {
  const std::string ids = onnx.input("input_ids", {"batch", "sequence"}, 7);
  const std::string types = onnx.input("token_type_ids", {"batch", "sequence"}, 7);
  const std::string tokens = onnx.node("Gather", {onnx.weight({kVocabulary, shape.hidden}), ids});
  const std::string length =
      onnx.node("Gather", {onnx.node("Shape", {ids}), onnx.integers({1}, true)});
  Ints all;
  for (std::int64_t i = 0; i < kPositions; ++i) all.push_back(i);
  const std::string positions = onnx.node(
      "Slice", {onnx.reshape(onnx.integers(all), {1, kPositions}), onnx.integers({0}),
                onnx.node("Unsqueeze", {length, onnx.integers({0})}), onnx.integers({1})});
  const std::string placed = onnx.node(
      "Add", {tokens, onnx.node("Gather", {onnx.weight({kPositions, shape.hidden}), positions})});
  return onnx.node("Add", {onnx.node("Gather", {onnx.weight({2, shape.hidden}), types}), placed});
}

inline OnnxBuilder bert_model(const BlockShape& shape, int layers, Spelling spelling) {
  OnnxBuilder onnx;
  BlockBuilder block(onnx, shape, spelling);
  const std::string mask = bert_mask(onnx);
  std::string stream = block.norm(bert_embedding(onnx, shape));
  for (int i = 0; i < layers; ++i) stream = block.post_norm_layer(stream, mask);
  const std::string first = onnx.node("Gather", {stream, onnx.integers({0}, true)});
  onnx.attribute("axis", 1);
  const std::string pooled = onnx.node(
      "Gemm", {first, onnx.weight({shape.hidden, shape.hidden}), onnx.weight({shape.hidden})});
  onnx.attribute("transB", 1);
  onnx.output(onnx.node("Tanh", {pooled}));
  onnx.output(stream);
  return onnx;
}

/// Grouped queries, RoPE, RMSNorm, SwiGLU, causal mask: all spelled out.
class DecoderBuilder {
 public:
  static constexpr std::int64_t kTokens = 16, kHidden = 96, kHeads = 6, kKvHeads = 2, kWidth = 16,
                                kMlp = 256;

  explicit DecoderBuilder(OnnxBuilder& onnx) : onnx_(onnx) {}

  static workloads::ModelDescriptor descriptor(std::int64_t layers) {
    workloads::ModelDescriptor model = stack_descriptor({kHidden, kHeads, kMlp}, layers);
    model.family = workloads::Family::kDecoder;
    model.num_key_value_heads = kKvHeads;
    model.head_dim = kWidth;
    model.hidden_act = workloads::Activation::kSilu;
    model.gated_mlp = true;
    model.norm = workloads::Norm::kRmsNorm;
    model.vocab_size = kVocabulary;
    model.rope = true;
    model.mask = workloads::Mask::kCausal;
    model.lm_head = workloads::LmHead::kAllTokens;
    model.tokens = kTokens;
    return model;
  }

  void build(std::int64_t layers) {
    const std::string ids = onnx_.input("input_ids", {"1", "16"}, 7);
    std::string stream = onnx_.node("Gather", {onnx_.weight({kVocabulary, kHidden}), ids});
    for (std::int64_t i = 0; i < layers; ++i) {
      stream = onnx_.node("Add", {stream, attention(norm(stream))});
      stream = onnx_.node("Add", {stream, mlp(norm(stream))});
    }
    onnx_.output(linear(norm(stream), kHidden, kVocabulary));
  }

 private:
  std::string linear(const std::string& x, std::int64_t in, std::int64_t out) {
    return onnx_.node("MatMul", {x, onnx_.weight({in, out})});
  }

  std::string norm(const std::string& x) {
    const std::string squares = onnx_.node("Pow", {x, onnx_.scalar(2)});
    const std::string mean = onnx_.node("ReduceMean", {squares, onnx_.integers({-1})});
    const std::string root = onnx_.node("Sqrt", {onnx_.node("Add", {mean, onnx_.scalar(1e-5)})});
    const std::string unit = onnx_.node("Mul", {x, onnx_.node("Reciprocal", {root})});
    return onnx_.node("Mul", {onnx_.weight({kHidden}), unit});
  }

  std::string heads(const std::string& x, std::int64_t count) {
    return onnx_.transpose(onnx_.reshape(x, {1, kTokens, count, kWidth}), {0, 2, 1, 3});
  }

  std::string half(const std::string& x, std::int64_t from, std::int64_t to) {
    return onnx_.node("Slice",
                      {x, onnx_.integers({from}), onnx_.integers({to}), onnx_.integers({3})});
  }

  std::string rotate(const std::string& x) {
    const std::string upper = onnx_.node("Neg", {half(x, kWidth / 2, INT64_MAX)});
    const std::string turned = onnx_.node("Concat", {upper, half(x, 0, kWidth / 2)});
    onnx_.attribute("axis", -1);
    const std::string straight = onnx_.node("Mul", {x, onnx_.weight({1, 1, kTokens, kWidth})});
    const std::string across = onnx_.node("Mul", {turned, onnx_.weight({1, 1, kTokens, kWidth})});
    return onnx_.node("Add", {straight, across});
  }

  /// Each KV head for the queries that share it.
  std::string repeat(const std::string& x) {
    const std::string wide = onnx_.node("Unsqueeze", {x, onnx_.integers({2})});
    const std::string all = onnx_.node(
        "Expand", {wide, onnx_.integers({1, kKvHeads, kHeads / kKvHeads, kTokens, kWidth})});
    return onnx_.reshape(all, {1, kHeads, kTokens, kWidth});
  }

  std::string attention(const std::string& x) {
    const std::string q = rotate(heads(linear(x, kHidden, kHeads * kWidth), kHeads));
    const std::string k = rotate(heads(linear(x, kHidden, kKvHeads * kWidth), kKvHeads));
    const std::string v = heads(linear(x, kHidden, kKvHeads * kWidth), kKvHeads);
    const std::string keys = onnx_.transpose(repeat(k), {0, 1, 3, 2});
    const std::string scores =
        onnx_.node("Div", {onnx_.node("MatMul", {q, keys}), onnx_.scalar(4)});
    const std::string masked = onnx_.node("Add", {scores, causal_mask()});
    const std::string context = onnx_.node("MatMul", {onnx_.softmax(masked), repeat(v)});
    const std::string rows =
        onnx_.reshape(onnx_.transpose(context, {0, 2, 1, 3}), {1, kTokens, kHeads * kWidth});
    return linear(rows, kHeads * kWidth, kHidden);
  }

  /// 0 where a key is not behind its query, else a large negative number.
  std::string causal_mask() {
    Ints positions;
    for (std::int64_t i = 0; i < kTokens; ++i) positions.push_back(i);
    const std::string keys = onnx_.reshape(onnx_.integers(positions), {1, kTokens});
    const std::string queries = onnx_.reshape(onnx_.integers(positions), {kTokens, 1});
    const std::string allowed = onnx_.node("LessOrEqual", {keys, queries});
    return onnx_.node("Where", {allowed, onnx_.scalar(0), onnx_.scalar(-1e9)});
  }

  std::string mlp(const std::string& x) {
    const std::string gate = linear(x, kHidden, kMlp), up = linear(x, kHidden, kMlp);
    const std::string act = onnx_.node("Mul", {gate, onnx_.node("Sigmoid", {gate})});
    return linear(onnx_.node("Mul", {act, up}), kMlp, kHidden);
  }

  OnnxBuilder& onnx_;
};

}  // namespace tessera::test
