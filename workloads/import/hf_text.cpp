// Text encoders and decoders: defaults of transformers' configuration_{siglip,clip,bert,distilbert,
// t5,llama,qwen2,gemma}.py (WORKLOADS.md, section 1.1).
#include <map>

#include "workloads/import/hf_stacks.h"

namespace tessera::workloads {
namespace {

// Lengths of the shipped descriptors; every workload may say another.
constexpr std::int64_t kEncoderTokens = 128, kDecoderTokens = 50;

/// Keys of one text encoder by their usual names, with a family's defaults.
struct EncoderDefaults {
  std::int64_t hidden_size, intermediate_size, num_hidden_layers, num_attention_heads;
  std::int64_t vocab_size, max_position_embeddings;
  Activation hidden_act;
};

ModelDescriptor encoder(const HfNode& node, const EncoderDefaults& defaults) {
  ModelDescriptor model;
  model.family = Family::kBert;
  model.hidden_size = node.count("hidden_size", defaults.hidden_size);
  model.intermediate_size = node.count("intermediate_size", defaults.intermediate_size);
  model.num_hidden_layers = node.count("num_hidden_layers", defaults.num_hidden_layers);
  model.num_attention_heads = node.count("num_attention_heads", defaults.num_attention_heads);
  model.vocab_size = node.count("vocab_size", defaults.vocab_size);
  model.max_position_embeddings =
      node.count("max_position_embeddings", defaults.max_position_embeddings);
  model.hidden_act = hf_activation(node, "hidden_act", defaults.hidden_act);
  finish_heads(node, model);
  model.tokens = std::min(kEncoderTokens, model.max_position_embeddings);
  return model;
}

ModelDescriptor decoder(const HfNode& node, const DecoderDefaults& defaults) {
  ModelDescriptor model;
  model.family = Family::kDecoder;
  model.hidden_size = node.count("hidden_size", defaults.hidden_size);
  model.intermediate_size = node.count("intermediate_size", defaults.intermediate_size);
  model.num_hidden_layers = node.count("num_hidden_layers", defaults.num_hidden_layers);
  model.num_attention_heads = node.count("num_attention_heads", defaults.num_attention_heads);
  model.num_key_value_heads = node.count("num_key_value_heads", 0);
  model.head_dim = node.count("head_dim", defaults.head_dim);
  model.vocab_size = node.count("vocab_size", defaults.vocab_size);
  model.max_position_embeddings =
      node.count("max_position_embeddings", defaults.max_position_embeddings);
  model.hidden_act = hf_activation(node, "hidden_act", defaults.hidden_act);
  model.tie_word_embeddings = node.flag("tie_word_embeddings", defaults.tie_word_embeddings);
  model.qkv_bias = defaults.qkv_bias || node.flag("attention_bias", false);
  model.out_bias = node.flag("attention_bias", false);
  model.mlp_bias = node.flag("mlp_bias", false);
  model.embed_scale = defaults.embed_scale;
  model.gated_mlp = model.rope = true;
  model.norm = Norm::kRmsNorm;
  model.mask = Mask::kCausal;
  model.lm_head = LmHead::kLastToken;
  finish_heads(node, model);
  model.tokens = std::min(kDecoderTokens, model.max_position_embeddings);
  return model;
}

}  // namespace

Activation hf_activation(const HfNode& node, const std::string& key, Activation fallback) {
  static const std::map<std::string, Activation> names{
      {"gelu", Activation::kGelu},          {"gelu_python", Activation::kGelu},
      {"gelu_new", Activation::kGeluTanh},  {"gelu_pytorch_tanh", Activation::kGeluTanh},
      {"gelu_fast", Activation::kGeluTanh}, {"quick_gelu", Activation::kQuickGelu},
      {"silu", Activation::kSilu},          {"swish", Activation::kSilu},
      {"relu", Activation::kRelu}};
  if (!node.has(key)) return fallback;
  const std::string name = node.text(key, "");
  const auto found = names.find(name);
  if (found != names.end()) return found->second;
  std::string known;
  for (const auto& entry : names) known += (known.empty() ? "" : ", ") + entry.first;
  node.fail(key, name + " is not allowed", known);
}

void finish_heads(const HfNode& node, ModelDescriptor& model) {
  if (model.num_key_value_heads == 0) model.num_key_value_heads = model.num_attention_heads;
  if (model.num_attention_heads % model.num_key_value_heads != 0) {
    node.fail("num_key_value_heads", std::to_string(model.num_key_value_heads) +
                                         " do not divide num_attention_heads " +
                                         std::to_string(model.num_attention_heads));
  }
  if (model.head_dim > 0) return;
  if (model.hidden_size % model.num_attention_heads != 0) {
    node.fail("hidden_size", std::to_string(model.hidden_size) +
                                 " is not a multiple of num_attention_heads " +
                                 std::to_string(model.num_attention_heads));
  }
  model.head_dim = model.hidden_size / model.num_attention_heads;
}

ModelDescriptor hf_siglip_text(const HfNode& node) {
  ModelDescriptor model = encoder(node, {768, 3072, 12, 12, 32000, 64, Activation::kGeluTanh});
  model.projection_dim = node.count("projection_size", model.hidden_size);
  model.projection_bias = true;
  return model;
}

ModelDescriptor hf_clip_text(const HfNode& node, std::int64_t projection_dim) {
  ModelDescriptor model = encoder(node, {512, 2048, 12, 8, 49408, 77, Activation::kQuickGelu});
  model.mask = Mask::kCausal;
  model.projection_dim = projection_dim;
  return model;
}

ModelDescriptor hf_bert(const HfNode& node) {
  ModelDescriptor model = encoder(node, {768, 3072, 12, 12, 30522, 512, Activation::kGelu});
  const std::string positions = node.text("position_embedding_type", "absolute");
  if (positions != "absolute") {
    node.fail("position_embedding_type", positions + " is not built", "absolute");
  }
  model.norm_position = NormPosition::kPost;
  model.type_vocab_size = node.count("type_vocab_size", 2);
  model.pooler = true;
  return model;
}

ModelDescriptor hf_distilbert(const HfNode& node) {
  ModelDescriptor model;
  model.family = Family::kBert;
  model.hidden_size = node.count("dim", 768);
  model.intermediate_size = node.count("hidden_dim", 3072);
  model.num_hidden_layers = node.count("n_layers", 6);
  model.num_attention_heads = node.count("n_heads", 12);
  model.vocab_size = node.count("vocab_size", 30522);
  model.max_position_embeddings = node.count("max_position_embeddings", 512);
  model.hidden_act = hf_activation(node, "activation", Activation::kGelu);
  model.norm_position = NormPosition::kPost;
  model.tokens = std::min(kEncoderTokens, model.max_position_embeddings);
  finish_heads(node, model);
  return model;
}

ModelDescriptor hf_t5_encoder(const HfNode& node) {
  ModelDescriptor model;
  model.family = Family::kBert;
  model.hidden_size = node.count("d_model", 512);
  model.intermediate_size = node.count("d_ff", 2048);
  model.num_hidden_layers = node.count("num_layers", 6);
  model.num_attention_heads = node.count("num_heads", 8);
  model.head_dim = node.count("d_kv", 64);  // heads need not fill d_model
  model.vocab_size = node.count("vocab_size", 32128);
  model.relative_attention_num_buckets = node.count("relative_attention_num_buckets", 32);
  model.norm = Norm::kRmsNorm;
  model.qkv_bias = model.out_bias = model.mlp_bias = false;
  model.tokens = kEncoderTokens;
  finish_heads(node, model);
  static const std::map<std::string, std::pair<bool, Activation>> projections{
      {"relu", {false, Activation::kRelu}},
      {"gelu", {false, Activation::kGelu}},
      {"gated-gelu", {true, Activation::kGeluTanh}},
      {"gated-silu", {true, Activation::kSilu}}};
  const std::string projection = node.text("feed_forward_proj", "relu");
  const auto found = projections.find(projection);
  if (found == projections.end()) {
    node.fail("feed_forward_proj", projection + " is not allowed",
              "relu, gelu, gated-gelu, gated-silu");
  }
  model.gated_mlp = found->second.first;
  model.hidden_act = found->second.second;
  return model;
}

ModelDescriptor hf_llama(const HfNode& node) {
  return decoder(node,
                 {4096, 11008, 32, 32, 0, 32000, 2048, Activation::kSilu, false, false, false});
}

ModelDescriptor hf_qwen2(const HfNode& node) {
  if (node.flag("use_sliding_window", false)) {
    node.fail("use_sliding_window", "a sliding window is not built", "false");
  }
  return decoder(node,
                 {4096, 22016, 32, 32, 0, 151936, 32768, Activation::kSilu, false, true, false});
}

ModelDescriptor hf_gemma(const HfNode& node) {
  ModelDescriptor model = decoder(
      node, {3072, 24576, 28, 16, 256, 256000, 8192, Activation::kGeluTanh, true, false, true});
  // hidden_act says "gelu" in old files and means the tanh form (transformers' own warning).
  model.hidden_act = hf_activation(node, "hidden_activation", Activation::kGeluTanh);
  return model;
}

}  // namespace tessera::workloads
