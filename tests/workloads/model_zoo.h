// Model descriptors for tests: the shipped models and others of the same families.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/model_descriptor.h"

namespace tessera::workloads::zoo {

inline ModelDescriptor stack(const std::string& name, Family family, std::int64_t hidden,
                             std::int64_t layers, std::int64_t heads, std::int64_t intermediate) {
  ModelDescriptor model;
  model.name = name;
  model.title = name;
  model.family = family;
  model.hidden_size = hidden;
  model.num_hidden_layers = layers;
  model.num_attention_heads = heads;
  model.num_key_value_heads = heads;
  model.head_dim = hidden / heads;
  model.intermediate_size = intermediate;
  return model;
}

inline ModelDescriptor siglip_b16(std::int64_t image_size) {
  ModelDescriptor model =
      stack("siglip_b16_" + std::to_string(image_size), Family::kVit, 768, 12, 12, 3072);
  model.title = "SigLIP-B/16-" + std::to_string(image_size);
  model.hidden_act = Activation::kGeluTanh;
  model.image_size = image_size;
  model.patch_size = 16;
  return model;
}

inline ModelDescriptor siglip_so400m() {
  ModelDescriptor model = stack("siglip_so400m_14_384", Family::kVit, 1152, 27, 16, 4304);
  model.hidden_act = Activation::kGeluTanh;
  model.image_size = 384;
  model.patch_size = 14;
  return model;
}

inline ModelDescriptor vit16(const std::string& name, std::int64_t hidden, std::int64_t layers,
                             std::int64_t heads, std::int64_t image_size) {
  ModelDescriptor model = stack(name, Family::kVit, hidden, layers, heads, 4 * hidden);
  model.image_size = image_size;
  model.patch_size = 16;
  model.cls_token = true;
  model.num_labels = 1000;
  return model;
}

inline ModelDescriptor vit_b16_224() {
  ModelDescriptor model = vit16("vit_b16_224", 768, 12, 12, 224);
  model.title = "ViT-B/16-224";
  return model;
}

inline ModelDescriptor llama(const std::string& name, std::int64_t hidden, std::int64_t layers,
                             std::int64_t heads, std::int64_t kv_heads, std::int64_t intermediate) {
  ModelDescriptor model = stack(name, Family::kDecoder, hidden, layers, heads, intermediate);
  model.num_key_value_heads = kv_heads;
  model.hidden_act = Activation::kSilu;
  model.gated_mlp = true;
  model.norm = Norm::kRmsNorm;
  model.vocab_size = 49152;
  model.max_position_embeddings = 8192;
  model.rope = true;
  model.mask = Mask::kCausal;
  model.lm_head = LmHead::kLastToken;
  model.tokens = 50;
  return model;
}

inline ModelDescriptor smollm2_360m() {
  ModelDescriptor model = llama("smollm2_360m", 960, 32, 15, 5, 2560);
  model.title = "SmolLM2-360M";
  return model;
}

inline ModelDescriptor smollm2_360m_l16() {
  ModelDescriptor model = smollm2_360m();
  model.name = "smollm2_360m_l16";
  model.title = "SmolLM2-360M, 16 layers";
  model.num_hidden_layers = 16;
  model.final_norm = false;
  model.mask = Mask::kFull;
  model.lm_head = LmHead::kNone;
  return model;
}

inline ModelDescriptor with_vocabulary(ModelDescriptor model, std::int64_t vocab_size) {
  model.vocab_size = vocab_size;
  return model;
}

inline ModelDescriptor gemma_2b() {
  ModelDescriptor model = llama("gemma_2b", 2048, 18, 8, 1, 16384);
  model.head_dim = 256;
  model.hidden_act = Activation::kGeluTanh;
  model.vocab_size = 256000;
  return model;
}

inline ModelDescriptor distilbert() {
  ModelDescriptor model = stack("distilbert", Family::kBert, 768, 6, 12, 3072);
  model.norm_position = NormPosition::kPost;
  model.vocab_size = 30522;
  model.max_position_embeddings = 512;
  model.tokens = 128;
  return model;
}

inline ModelDescriptor bert_base() {
  ModelDescriptor model = distilbert();
  model.name = "bert_base";
  model.title = "BERT-base";
  model.num_hidden_layers = 12;
  model.type_vocab_size = 2;
  model.pooler = true;
  return model;
}

/// A two-layer decoder with grouped heads, small enough to visit every element.
inline ModelDescriptor tiny_decoder() {
  ModelDescriptor model = llama("tiny_decoder", 12, 2, 6, 2, 10);
  model.vocab_size = 20;
  model.max_position_embeddings = 16;
  model.tokens = 5;
  return model;
}

inline ModelDescriptor tiny_vit() {
  ModelDescriptor model = stack("tiny_vit", Family::kVit, 8, 2, 2, 12);
  model.image_size = 7;
  model.patch_size = 2;
  model.cls_token = true;
  model.num_labels = 3;
  return model;
}

inline ModelDescriptor tiny_bert() {
  ModelDescriptor model = bert_base();
  model.name = "tiny_bert";
  model.hidden_size = 8;
  model.num_hidden_layers = 2;
  model.num_attention_heads = 4;
  model.num_key_value_heads = 4;
  model.head_dim = 2;
  model.intermediate_size = 6;
  model.vocab_size = 10;
  model.max_position_embeddings = 9;
  model.tokens = 4;
  return model;
}

inline PhaseRequest request(const ModelDescriptor& model, std::int64_t batch = 1,
                            std::int64_t tokens = 0) {
  PhaseRequest made;
  made.phase = model.family == Family::kVit ? "vision" : "text";
  made.model = model;
  made.batch = batch;
  made.tokens = tokens;
  return made;
}

inline Graph graph_of(const ModelDescriptor& model, std::int64_t batch = 1,
                      std::int64_t tokens = 0) {
  return build_graph({request(model, batch, tokens)});
}

}  // namespace tessera::workloads::zoo
