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

inline OnnxBuilder vit_model(const BlockShape& shape, int layers, Spelling spelling,
                             std::int64_t opset = 17, std::int64_t ir_version = 8) {
  OnnxBuilder onnx(opset, ir_version);
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

}  // namespace tessera::test
