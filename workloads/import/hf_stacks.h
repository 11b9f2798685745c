// One stack of layers from one mapping of a config.json.
#pragma once

#include <algorithm>
#include <string>

#include "workloads/import/hf_node.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

constexpr std::int64_t kMostPixels = 16'384;  // of an image's side

/// Class defaults of an image encoder.
struct VisionDefaults {
  std::int64_t hidden_size, intermediate_size, num_hidden_layers, num_attention_heads;
  std::int64_t image_size, patch_size;
  Activation hidden_act;
  bool pooling;  // a MAP head
};

/// Class defaults of a text decoder; 0 KV heads: as many as heads; 0 head_dim: the quotient.
struct DecoderDefaults {
  std::int64_t hidden_size, intermediate_size, num_hidden_layers, num_attention_heads;
  std::int64_t head_dim, vocab_size, max_position_embeddings;
  Activation hidden_act;
  bool tie_word_embeddings;
  bool qkv_bias;  // hard-coded in the model
  bool embed_scale;
};

Activation hf_activation(const HfNode& node, const std::string& key, Activation fallback);
/// num_key_value_heads and head_dim where the config leaves them out. Throws HfError where heads do
/// not divide.
void finish_heads(const HfNode& node, ModelDescriptor& model);

ModelDescriptor hf_siglip_vision(const HfNode& node, const VisionDefaults& defaults);
ModelDescriptor hf_clip_vision(const HfNode& node, std::int64_t projection_dim);
/// `extra_tokens`: 1 for DeiT's distillation token.
ModelDescriptor hf_vit(const HfNode& node, std::int64_t extra_tokens);
ModelDescriptor hf_dinov2(const HfNode& node);

ModelDescriptor hf_siglip_text(const HfNode& node);
ModelDescriptor hf_clip_text(const HfNode& node, std::int64_t projection_dim);
ModelDescriptor hf_bert(const HfNode& node);
ModelDescriptor hf_distilbert(const HfNode& node);
ModelDescriptor hf_t5_encoder(const HfNode& node);

ModelDescriptor hf_llama(const HfNode& node);
ModelDescriptor hf_qwen2(const HfNode& node);
ModelDescriptor hf_gemma(const HfNode& node);

/// LeRobot's policy over its vision-language model.
ModelDescriptor hf_smolvla(const HfNode& node, const ModelDescriptor& vlm);
/// The config.json of a known vlm_model_name; null: not known.
nlohmann::json known_vlm(const std::string& name);
/// "A, B".
std::string known_vlm_names();

}  // namespace tessera::workloads
