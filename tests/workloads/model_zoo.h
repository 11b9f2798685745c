// Model descriptors for tests: the shipped models and others of the same families.
#pragma once

#include <cstdint>
#include <memory>
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
  model.qkv_bias = model.out_bias = model.mlp_bias = false;
  model.tie_word_embeddings = true;
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
  model.embed_scale = true;
  return model;
}

inline std::shared_ptr<const ModelDescriptor> part(const ModelDescriptor& model) {
  return std::make_shared<const ModelDescriptor>(model);
}

inline ModelDescriptor smolvla() {
  ModelDescriptor text = smollm2_360m_l16();
  text.vocab_size = 49280;
  text.final_norm = true;
  text.tie_word_embeddings = false;
  ModelDescriptor expert = llama("smolvla_expert", 720, 16, 15, 5, 2048);
  expert.head_dim = 64;
  expert.mask = Mask::kFull;
  expert.lm_head = LmHead::kNone;
  ModelDescriptor model;
  model.name = "smolvla";
  model.title = "SmolVLA";
  model.family = Family::kSmolVla;
  model.vision = part(siglip_b16(512));
  model.text = part(text);
  model.expert = part(expert);
  model.connector = {4, false, true};
  model.cameras = 3;
  model.tokens = 48;
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

/// CLS and one more row, a norm in front, the final norm and a projection on the CLS row.
inline ModelDescriptor tiny_clip_vision() {
  ModelDescriptor model = tiny_vit();
  model.name = "tiny_clip_vision";
  model.hidden_act = Activation::kQuickGelu;
  model.num_labels = 0;
  model.extra_tokens = 1;
  model.embed_norm = model.pooled_norm = true;
  model.projection_dim = 6;
  return model;
}

inline ModelDescriptor tiny_siglip() {
  ModelDescriptor model = tiny_vit();
  model.name = "tiny_siglip";
  model.hidden_act = Activation::kGeluTanh;
  model.cls_token = false;
  model.num_labels = 0;
  model.pooling = Pooling::kMap;
  return model;
}

inline ModelDescriptor tiny_dinov2() {
  ModelDescriptor model = tiny_vit();
  model.name = "tiny_dinov2";
  model.num_labels = 0;
  model.layer_scale = true;
  model.gated_mlp = true;
  model.hidden_act = Activation::kSilu;
  return model;
}

inline ModelDescriptor tiny_clip_text() {
  ModelDescriptor model = tiny_bert();
  model.name = "tiny_clip_text";
  model.norm_position = NormPosition::kPre;
  model.mask = Mask::kCausal;
  model.type_vocab_size = 0;
  model.pooler = false;
  model.projection_dim = 6;
  return model;
}

inline ModelDescriptor tiny_t5() {
  ModelDescriptor model = tiny_bert();
  model.name = "tiny_t5";
  model.norm = Norm::kRmsNorm;
  model.norm_position = NormPosition::kPre;
  model.hidden_act = Activation::kRelu;
  model.type_vocab_size = model.max_position_embeddings = 0;
  model.relative_attention_num_buckets = 4;
  model.pooler = false;
  return model;
}

inline ModelDescriptor tiny_gemma() {
  ModelDescriptor model = tiny_decoder();
  model.name = "tiny_gemma";
  model.num_attention_heads = 3;
  model.num_key_value_heads = 1;
  model.head_dim = 6;
  model.hidden_act = Activation::kGeluTanh;
  model.embed_scale = true;
  return model;
}

inline ModelDescriptor tiny_dual_encoder() {
  ModelDescriptor model;
  model.name = model.title = "tiny_dual_encoder";
  model.family = Family::kDualEncoder;
  model.vision = part(tiny_clip_vision());
  model.text = part(tiny_clip_text());
  return model;
}

/// 4 x 4 patches become 2 x 2 tokens.
inline ModelDescriptor tiny_vlm() {
  ModelDescriptor vision = tiny_siglip();
  vision.pooling = Pooling::kNone;
  vision.image_size = 8;
  ModelDescriptor model;
  model.name = model.title = "tiny_vlm";
  model.family = Family::kVlm;
  model.vision = part(vision);
  model.text = part(tiny_decoder());
  model.connector.pixel_shuffle = 2;
  model.tokens = 3;
  return model;
}

/// Four layers: the expert's attend to themselves and across in turn.
inline ModelDescriptor tiny_smolvla() {
  ModelDescriptor text = tiny_decoder();
  text.num_hidden_layers = 4;
  text.mask = Mask::kFull;
  text.lm_head = LmHead::kNone;
  ModelDescriptor expert = text;
  expert.name = "tiny_expert";
  expert.hidden_size = 8;
  expert.intermediate_size = 6;
  ModelDescriptor model = tiny_vlm();
  model.name = model.title = "tiny_smolvla";
  model.family = Family::kSmolVla;
  model.text = part(text);
  model.expert = part(expert);
  model.connector.embed_scale = true;
  model.chunk_size = 3;
  model.num_steps = 3;
  model.max_state_dim = 6;
  model.max_action_dim = 4;
  model.cameras = 2;
  return model;
}

inline PhaseRequest request(const ModelDescriptor& model, std::int64_t batch = 1,
                            std::int64_t tokens = 0) {
  PhaseRequest made;
  made.phase = is_composite(model.family) ? "" : model.family == Family::kVit ? "vision" : "text";
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
