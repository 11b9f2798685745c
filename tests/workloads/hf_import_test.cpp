// Descriptors from config.json files as they are published: what they leave out, what misleads.
// The texts follow WORKLOADS.md, section 1.1; their sources are named there.
#include <catch2/catch.hpp>
#include <string>

#include "tests/workloads/model_zoo.h"
#include "workloads/families/connector.h"
#include "workloads/import/hf_config.h"

namespace tessera::workloads {
namespace {

ModelDescriptor imported(const std::string& text, HfOptions options = {}) {
  options.name = "imported";
  return import_hf(nlohmann::json::parse(text), options);
}

/// "key.path: reason (allowed)".
std::string refusal(const std::string& text, const HfOptions& options = {}) {
  try {
    imported(text, options);
  } catch (const HfError& error) {
    std::string path;
    for (const std::string& key : error.path()) path += (path.empty() ? "" : ".") + key;
    return path + ": " + error.what() +
           (error.allowed().empty() ? "" : " (" + error.allowed() + ")");
  }
  return "accepted";
}

HfOptions with_vlm(const std::string& text) {
  HfOptions options;
  options.vlm = nlohmann::json::parse(text);
  return options;
}

using Shape = std::vector<std::int64_t>;  // hidden, intermediate, layers, heads, KV heads, head_dim

Shape shape(const ModelDescriptor& m) {
  return {m.hidden_size,         m.intermediate_size,   m.num_hidden_layers,
          m.num_attention_heads, m.num_key_value_heads, m.head_dim};
}

const char* const kSmolVlm500m = R"({
  "architectures": ["SmolVLMForConditionalGeneration"], "model_type": "smolvlm",
  "image_token_id": 49190, "scale_factor": 4, "tie_word_embeddings": false,
  "text_config": {"architectures": ["VLlama3ForCausalLM"], "head_dim": 64, "hidden_size": 960,
    "intermediate_size": 2560, "is_llama_config": true, "max_position_embeddings": 8192,
    "model_type": "llama", "neftune_noise_alpha": 0.0, "num_attention_heads": 15,
    "num_key_value_heads": 5, "pad_token_id": 2,
    "perceiver_config": {"hidden_act": "mamba", "resampler_n_heads": 16},
    "pixel_shuffle_factor": 4, "qk_layer_norms": false, "rms_norm_eps": 1e-05,
    "rope_interleaved": false, "rope_theta": 100000, "transformers.js_config": {"dtype": {}},
    "use_resampler": false, "vocab_size": 49280},
  "vision_config": {"hidden_size": 768, "image_size": 512, "max_image_size": {"longest_edge": 512},
    "model_type": "smolvlm_vision", "num_attention_heads": 12, "patch_size": 16,
    "size": {"longest_edge": 2048}, "tie_word_embeddings": false, "use_base_siglip": false},
  "vocab_size": 49280})";

const char* const kSmolVlaBase = R"({
  "type": "smolvla", "n_obs_steps": 1,
  "input_features": {
    "observation.state": {"type": "STATE", "shape": [6]},
    "observation.image2": {"type": "VISUAL", "shape": [3, 256, 256]},
    "observation.image": {"type": "VISUAL", "shape": [3, 256, 256]},
    "observation.image3": {"type": "VISUAL", "shape": [3, 256, 256]}},
  "output_features": {"action": {"type": "ACTION", "shape": [6]}},
  "chunk_size": 50, "n_action_steps": 50, "max_state_dim": 32, "max_action_dim": 32,
  "resize_imgs_with_padding": [512, 512], "empty_cameras": 0, "tokenizer_max_length": 48,
  "num_steps": 10, "use_cache": true, "vlm_model_name": "HuggingFaceTB/SmolVLM2-500M-Video-Instruct",
  "load_vlm_weights": true, "add_image_special_tokens": false, "attention_mode": "cross_attn",
  "prefix_length": 0, "pad_language_to": "max_length", "num_expert_layers": 0,
  "num_vlm_layers": 16, "self_attn_every_n_layers": 2, "expert_width_multiplier": 0.75})";

}  // namespace

TEST_CASE("a SigLIP config that says no more than its image size is all defaults") {
  const ModelDescriptor model = imported(
      R"({"architectures": ["SiglipModel"], "initializer_factor": 1.0, "model_type": "siglip",
          "text_config": {"model_type": "siglip_text_model"},
          "vision_config": {"image_size": 512, "model_type": "siglip_vision_model"}})");
  CHECK(model.family == Family::kDualEncoder);
  CHECK(shape(*model.vision) == Shape{768, 3072, 12, 12, 12, 64});
  CHECK(model.vision->image_size == 512);
  CHECK(model.vision->patch_size == 16);
  CHECK(model.vision->hidden_act == Activation::kGeluTanh);
  CHECK(model.vision->pooling == Pooling::kMap);
  CHECK(shape(*model.text) == Shape{768, 3072, 12, 12, 12, 64});
  CHECK(model.text->vocab_size == 32000);
  CHECK(model.text->tokens == 64);
  CHECK(parameter_count(*model.vision) == 93'520'128);
  CHECK(parameter_count(*model.text) == 110'271'744);
}

TEST_CASE("SigLIP SO400M gives its sizes and SigLIP 2 checkpoints a larger vocabulary") {
  const ModelDescriptor model = imported(
      R"({"model_type": "siglip",
          "text_config": {"hidden_size": 1152, "intermediate_size": 4304, "model_type":
            "siglip_text_model", "num_attention_heads": 16, "num_hidden_layers": 27,
            "vocab_size": 256000},
          "vision_config": {"hidden_size": 1152, "image_size": 384, "intermediate_size": 4304,
            "model_type": "siglip_vision_model", "num_attention_heads": 16,
            "num_hidden_layers": 27, "patch_size": 14}})");
  CHECK(shape(*model.vision) == Shape{1152, 4304, 27, 16, 16, 72});
  CHECK(parameter_count(*model.vision) == 428'225'600);
  CHECK(model.text->vocab_size == 256000);
}

TEST_CASE("SmolVLM's class defaults fill its vision config and junk is ignored") {
  const ModelDescriptor model = imported(kSmolVlm500m);
  CHECK(model.family == Family::kVlm);
  CHECK(shape(*model.vision) == Shape{768, 3072, 12, 12, 12, 64});
  CHECK(model.vision->pooling == Pooling::kNone);
  CHECK(shape(*model.text) == Shape{960, 2560, 32, 15, 5, 64});  // 32 layers: Llama's default
  CHECK_FALSE(model.text->tie_word_embeddings);
  CHECK(model.connector.pixel_shuffle == 4);
  CHECK_FALSE(model.connector.bias);
  CHECK(parameter_count(model) == 507'482'304);
}

TEST_CASE("SmolVLM without vision and scale keys has an unusual tower") {
  const ModelDescriptor model =
      imported(R"({"model_type": "idefics3", "vision_config": {"image_size": 256}})");
  CHECK(shape(*model.vision) == Shape{1152, 3072, 12, 16, 16, 72});
  CHECK(model.vision->patch_size == 32);
  CHECK(model.connector.pixel_shuffle == 2);
  CHECK(refusal(R"({"model_type": "smolvlm"})") ==  // the class's own defaults: 224 / 32
        "scale_factor: 2 does not divide the 7 patches of an image's side");
}

TEST_CASE("SmolVLM-Base 2.2B leaves its text heads to Llama's defaults") {
  const ModelDescriptor model = imported(
      R"({"model_type": "smolvlm", "scale_factor": 3,
          "text_config": {"hidden_size": 2048, "intermediate_size": 8192, "model_type": "llama",
            "num_hidden_layers": 24, "vocab_size": 49280},
          "vision_config": {"hidden_size": 1152, "image_size": 384, "intermediate_size": 4304,
            "num_attention_heads": 16, "num_hidden_layers": 27, "patch_size": 14}})");
  CHECK(shape(*model.text) == Shape{2048, 8192, 24, 32, 32, 64});
  CHECK(visual_tokens(*model.vision, model.connector) == 81);
  CHECK(parameter_count(model) == 2'246'784'880);
}

TEST_CASE("a CLIP B 32 config with empty parts is all defaults") {
  const ModelDescriptor model = imported(
      R"({"model_type": "clip", "projection_dim": 512,
          "text_config": {"bos_token_id": 0, "dropout": 0.0, "model_type": "clip_text_model"},
          "vision_config": {"dropout": 0.0, "model_type": "clip_vision_model"}})");
  CHECK(shape(*model.vision) == Shape{768, 3072, 12, 12, 12, 64});
  CHECK(model.vision->patch_size == 32);
  CHECK(model.vision->hidden_act == Activation::kQuickGelu);
  CHECK(model.vision->cls_token);
  CHECK(shape(*model.text) == Shape{512, 2048, 12, 8, 8, 64});
  CHECK(model.text->mask == Mask::kCausal);
  CHECK(model.text->tokens == 77);
  CHECK(parameter_count(*model.vision) == 87'849'216);
  CHECK(parameter_count(*model.text) == 63'428'096);
}

TEST_CASE("CLIP's old twin configs override and its projection stands at the top") {
  const ModelDescriptor model = imported(
      R"({"model_type": "clip", "projection_dim": 768,
          "text_config": {"hidden_size": 999, "projection_dim": 512},
          "text_config_dict": {"hidden_size": 768, "intermediate_size": 3072,
            "num_attention_heads": 12, "projection_dim": 768},
          "vision_config": {"projection_dim": 512},
          "vision_config_dict": {"hidden_size": 1024, "intermediate_size": 4096,
            "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14,
            "hidden_act": "gelu"}})");
  CHECK(shape(*model.vision) == Shape{1024, 4096, 24, 16, 16, 64});
  CHECK(model.vision->hidden_act == Activation::kGelu);  // LAION checkpoints
  CHECK(model.vision->projection_dim == 768);
  CHECK(model.text->projection_dim == 768);
  CHECK(parameter_count(*model.vision) == 303'966'208);
  CHECK(parameter_count(*model.text) == 123'650'304);
}

TEST_CASE("CLIP B 16 differs from the defaults by its patches alone") {
  const ModelDescriptor model =
      imported(R"({"model_type": "clip", "vision_config": {"patch_size": 16}})");
  CHECK(parameter_count(*model.vision) == 86'192'640);
}

TEST_CASE("DINOv2 has an MLP ratio and ignores a decoy intermediate size") {
  const ModelDescriptor model = imported(
      R"({"model_type": "dinov2", "hidden_size": 384, "num_attention_heads": 6,
          "num_hidden_layers": 12, "mlp_ratio": 4, "intermediate_size": 999, "image_size": 518,
          "patch_size": 14, "layer_norm_eps": 1e-06, "qkv_bias": true, "use_swiglu_ffn": false})");
  CHECK(shape(model) == Shape{384, 1536, 12, 6, 6, 64});
  CHECK(model.layer_scale);
  CHECK(parameter_count(model) == 22'056'576);
}

TEST_CASE("DINOv2 at another size keeps its learnt positions") {
  HfOptions options;
  options.image_size = 224;
  const ModelDescriptor model =
      imported(R"({"model_type": "dinov2", "image_size": 518, "patch_size": 14})", options);
  CHECK(model.image_size == 224);
  CHECK(model.position_image_size == 518);
  CHECK(parameter_count(model) == 86'580'480);
  CHECK(zoo::graph_of(model).operators[2].m == 257);
}

TEST_CASE("DINOv2 giant has a gated MLP of two thirds rounded to eight") {
  const ModelDescriptor model = imported(
      R"({"model_type": "dinov2", "hidden_size": 1536, "num_attention_heads": 24,
          "num_hidden_layers": 40, "mlp_ratio": 4, "image_size": 518, "patch_size": 14,
          "use_swiglu_ffn": true})");
  CHECK(shape(model) == Shape{1536, 4096, 40, 24, 24, 64});
  CHECK(model.gated_mlp);
  CHECK(model.hidden_act == Activation::kSilu);
}

TEST_CASE("DINOv2's registers stand behind the CLS row") {
  const ModelDescriptor model = imported(
      R"({"model_type": "dinov2_with_registers", "image_size": 518, "patch_size": 14,
          "num_register_tokens": 4})");
  CHECK(model.extra_tokens == 4);
}

TEST_CASE("DeiT-S calls itself vit and its classes are counted") {
  std::string labels;
  for (int i = 0; i < 1000; ++i) {
    labels += (i > 0 ? ", \"" : "\"") + std::to_string(i) + "\": \"class\"";
  }
  const ModelDescriptor model = imported(
      R"({"model_type": "vit", "hidden_size": 384, "num_attention_heads": 6,
          "intermediate_size": 1536, "id2label": {)" +
      labels + "}}");
  CHECK(model.num_labels == 1000);
  CHECK(model.extra_tokens == 0);
  CHECK(parameter_count(model) == 22'050'664);
}

TEST_CASE("a distilled DeiT has one more row") {
  CHECK(imported(R"({"model_type": "deit"})").extra_tokens == 1);
}

TEST_CASE("old BERT files know neither their family nor their epsilon") {
  const ModelDescriptor model = imported(
      R"({"attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_size": 768,
          "intermediate_size": 3072, "max_position_embeddings": 512, "num_attention_heads": 12,
          "num_hidden_layers": 12, "type_vocab_size": 2, "vocab_size": 30522})");
  CHECK(model.family == Family::kBert);
  CHECK(parameter_count(model) == 109'482'240);
}

TEST_CASE("MiniLM is a BERT with heads of 32") {
  const ModelDescriptor model = imported(
      R"({"model_type": "bert", "hidden_size": 384, "intermediate_size": 1536,
          "num_hidden_layers": 6, "num_attention_heads": 12, "position_embedding_type": "absolute"})");
  CHECK(model.head_dim == 32);
  CHECK(parameter_count(model) == 22'713'216);
  CHECK(refusal(R"({"model_type": "bert", "position_embedding_type": "relative_key"})") ==
        "position_embedding_type: relative_key is not built (absolute)");
}

TEST_CASE("DistilBERT has names of its own for every key") {
  const ModelDescriptor model = imported(
      R"({"model_type": "distilbert", "activation": "gelu", "dim": 512, "hidden_dim": 1024,
          "n_heads": 8, "n_layers": 4, "sinusoidal_pos_embds": false, "vocab_size": 1000})");
  CHECK(shape(model) == Shape{512, 1024, 4, 8, 8, 64});
  CHECK(parameter_count(imported(R"({"model_type": "distilbert"})")) == 66'362'880);
}

TEST_CASE("an old T5 file has no model type and its heads need not fill d_model") {
  const ModelDescriptor model = imported(
      R"({"d_ff": 3072, "d_kv": 64, "d_model": 768, "num_heads": 12, "num_layers": 12,
          "n_positions": 512, "relative_attention_num_buckets": 32, "vocab_size": 32128})");
  CHECK(shape(model) == Shape{768, 3072, 12, 12, 12, 64});
  CHECK(model.hidden_act == Activation::kRelu);
  CHECK_FALSE(model.gated_mlp);
  CHECK(model.max_position_embeddings == 0);
  CHECK(parameter_count(model) == 109'628'544);
  const ModelDescriptor wide = imported(R"({"model_type": "t5", "d_model": 512, "num_heads": 6})");
  CHECK(wide.num_attention_heads * wide.head_dim == 384);
}

TEST_CASE("a gated T5 has two projections upwards") {
  const ModelDescriptor model =
      imported(R"({"model_type": "t5", "feed_forward_proj": "gated-gelu"})");
  CHECK(model.gated_mlp);
  CHECK(model.hidden_act == Activation::kGeluTanh);
  CHECK(refusal(R"({"model_type": "t5", "feed_forward_proj": "swiglu"})") ==
        "feed_forward_proj: swiglu is not allowed (relu, gelu, gated-gelu, gated-silu)");
}

TEST_CASE("Llama files of both generations are read") {
  for (
      const std::string rope :
      {R"("rope_theta": 100000, "rope_scaling": null, "torch_dtype": "bfloat16")",
       R"("rope_parameters": {"rope_theta": 100000, "rope_type": "default"}, "dtype": "bfloat16")"}) {
    const ModelDescriptor model = imported(
        R"({"model_type": "llama", "hidden_size": 960, "intermediate_size": 2560,
            "num_hidden_layers": 32, "num_attention_heads": 15, "num_key_value_heads": 5,
            "hidden_act": "silu", "rms_norm_eps": 1e-05, "tie_word_embeddings": true,
            "vocab_size": 49152, "max_position_embeddings": 8192, )" +
        rope + "}");
    CHECK(shape(model) == Shape{960, 2560, 32, 15, 5, 64});
    CHECK(parameter_count(model) == 361'821'120);
  }
}

TEST_CASE("Llama defaults: as many KV heads as heads and an untied LM head") {
  const ModelDescriptor model = imported(R"({"model_type": "llama"})");
  CHECK(shape(model) == Shape{4096, 11008, 32, 32, 32, 128});
  CHECK_FALSE(model.tie_word_embeddings);
  CHECK_FALSE(model.qkv_bias);
}

TEST_CASE("Qwen2 has biases on Q K and V that no key tells of") {
  const ModelDescriptor model = imported(
      R"({"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864,
          "num_hidden_layers": 24, "num_attention_heads": 14, "num_key_value_heads": 2,
          "tie_word_embeddings": true, "use_sliding_window": false, "sliding_window": 32768,
          "max_window_layers": 24, "vocab_size": 151936})");
  CHECK(model.qkv_bias);
  CHECK_FALSE(model.out_bias);
  CHECK(parameter_count(model) == 494'032'768);
  CHECK(refusal(R"({"model_type": "qwen2", "use_sliding_window": true})") ==
        "use_sliding_window: a sliding window is not built (false)");
}

TEST_CASE("Gemma has heads of 256 and tied scaled embeddings without saying so") {
  const ModelDescriptor model = imported(
      R"({"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384,
          "num_hidden_layers": 18, "num_attention_heads": 8, "num_key_value_heads": 1,
          "hidden_act": "gelu", "vocab_size": 256000})");
  CHECK(shape(model) == Shape{2048, 16384, 18, 8, 1, 256});
  CHECK(model.hidden_act == Activation::kGeluTanh);
  CHECK(model.embed_scale);
  CHECK(parameter_count(model) == 2'506'172'416);
}

TEST_CASE("PaliGemma leaves half of its text config to Gemma's defaults") {
  const ModelDescriptor model = imported(
      R"({"model_type": "paligemma", "hidden_size": 2048, "image_token_index": 257152,
          "projection_dim": 2048,
          "text_config": {"hidden_size": 2048, "intermediate_size": 16384, "model_type": "gemma",
            "num_attention_heads": 8, "num_hidden_layers": 18, "num_image_tokens": 256,
            "num_key_value_heads": 1, "vocab_size": 257216},
          "vision_config": {"hidden_size": 1152, "intermediate_size": 4304,
            "model_type": "siglip_vision_model", "num_attention_heads": 16,
            "num_hidden_layers": 27, "num_image_tokens": 256, "patch_size": 14,
            "projection_dim": 2048, "vision_use_head": false}})");
  CHECK(model.text->head_dim == 256);
  CHECK(model.text->mask == Mask::kFull);
  CHECK(model.vision->pooling == Pooling::kNone);
  CHECK(visual_tokens(*model.vision, model.connector) == 256);
  CHECK(parameter_count(model) == 2'923'466'480);
}

TEST_CASE("a SmolVLA policy takes its dimensions from the model that it names") {
  const ModelDescriptor model = imported(kSmolVlaBase);
  CHECK(model.family == Family::kSmolVla);
  CHECK(model.cameras == 3);
  CHECK(model.tokens == 48);
  CHECK(shape(*model.text) == Shape{960, 2560, 16, 15, 5, 64});
  CHECK(shape(*model.expert) == Shape{720, 2048, 16, 15, 5, 64});
  CHECK(model.self_attn_every_n_layers == 2);
  CHECK(parameter_count(model) == 450'046'176);
  std::int64_t macs = 0;
  const Graph graph = zoo::graph_of(model);
  for (const Phase& phase : graph.phases) {
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      macs += phase.repeat * mac_count(graph.operators[static_cast<std::size_t>(i)]);
    }
  }
  CHECK(static_cast<double>(macs) / 1e9 == Approx(419.80).margin(0.005));
}

TEST_CASE("a SmolVLA policy reads the vlm config that it is given") {
  const std::string policy = R"({"type": "smolvla", "vlm_model_name": "somebody/else",
                                 "num_vlm_layers": 8, "num_expert_layers": 4})";
  CHECK(refusal(policy).rfind("vlm_model_name: 'somebody/else' is not known: name its config.json "
                              "(--vlm FILE) (HuggingFaceTB/SmolVLM-256M-Instruct, ",
                              0) == 0);
  const ModelDescriptor model = imported(policy, with_vlm(kSmolVlm500m));
  CHECK(model.text->num_hidden_layers == 8);
  CHECK(model.expert->num_hidden_layers == 4);
  CHECK(model.cameras == 1);
}

TEST_CASE("fine-tuned SmolVLA policies differ from the base") {
  std::string policy = kSmolVlaBase;
  policy.replace(policy.find("\"num_vlm_layers\": 16"), 20, "\"num_vlm_layers\": 32");
  CHECK(imported(policy).text->num_hidden_layers == 32);
  policy.replace(policy.find("\"prefix_length\": 0"), 18, "\"prefix_length\": 300");
  CHECK(refusal(policy) == "prefix_length: padding of a prefix beyond its 241 tokens is not built");
  CHECK(refusal(R"({"type": "smolvla", "vlm_model_name":
                    "HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "attention_mode": "none"})") ==
        "attention_mode: none is not allowed (cross_attn, self_attn)");
}

TEST_CASE("an unknown family is an error that lists the known ones") {
  CHECK(refusal(R"({"model_type": "mamba"})") ==
        "model_type: 'mamba' is not a known family (bert, clip, clip_text_model, "
        "clip_vision_model, deit, dinov2, dinov2_with_registers, distilbert, gemma, idefics3, "
        "llama, paligemma, qwen2, siglip, siglip_text_model, siglip_vision_model, smolvla, "
        "smolvlm, t5, vit)");
  CHECK(refusal("{}").rfind("model_type: the key is missing: which family is it? (bert, ", 0) == 0);
  CHECK(refusal(R"({"model_type": "paligemma", "text_config": {"model_type": "gemma2"}})") ==
        "text_config.model_type: gemma2 is not a known decoder (llama, qwen2, gemma)");
}

TEST_CASE("a value of the wrong type is an error at its key") {
  CHECK(refusal("[]") == ": a mapping is expected ({\"key\": value})");
  CHECK(refusal(R"({"model_type": "vit", "hidden_size": "768"})") ==
        "hidden_size: \"768\" is not allowed (an integer from 1)");
  CHECK(refusal(R"({"model_type": "vit", "hidden_size": 0})") ==
        "hidden_size: 0 is not allowed (an integer from 1)");
  CHECK(refusal(R"({"model_type": "vit", "hidden_size": 770})") ==
        "hidden_size: 770 is not a multiple of num_attention_heads 12");
  CHECK(refusal(R"({"model_type": "llama", "num_key_value_heads": 5})") ==
        "num_key_value_heads: 5 do not divide num_attention_heads 32");
  CHECK(refusal(R"({"model_type": "siglip", "vision_config": 3})") ==
        "vision_config: a mapping is expected ({\"key\": value})");
  CHECK(refusal(R"({"model_type": "siglip", "text_config": {"hidden_act": "mish"}})")
            .rfind("text_config.hidden_act: mish is not allowed (gelu, ", 0) == 0);
}

TEST_CASE("one part of a model of several stands alone") {
  HfOptions options;
  options.part = "text";
  CHECK(imported(kSmolVlm500m, options).family == Family::kDecoder);
  CHECK(refusal(R"({"model_type": "vit"})", options) == ": the model has no part 'text'");
}

}  // namespace tessera::workloads
