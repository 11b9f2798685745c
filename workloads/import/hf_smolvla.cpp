// SmolVLA: LeRobot's policy JSON names a vision-language model and says how to cut it (LeRobot
// configuration_smolvla.py, smolvlm_with_expert.py; WORKLOADS.md, section 1.1).
#include <map>

#include "workloads/import/hf_stacks.h"

namespace tessera::workloads {
namespace {

constexpr std::int64_t kMostCameras = 1024;

/// Published config.json files, what their classes leave out included (WORKLOADS.md, section 1).
const std::map<std::string, const char*>& known_configs() {
  static const char* const k500m =
      R"({"model_type": "smolvlm", "scale_factor": 4,
          "vision_config": {"hidden_size": 768, "image_size": 512, "num_attention_heads": 12,
                            "patch_size": 16},
          "text_config": {"model_type": "llama", "hidden_size": 960, "intermediate_size": 2560,
                          "num_attention_heads": 15, "num_key_value_heads": 5,
                          "num_hidden_layers": 32, "vocab_size": 49280,
                          "max_position_embeddings": 8192}})";
  static const char* const k256m =
      R"({"model_type": "smolvlm", "scale_factor": 4,
          "vision_config": {"hidden_size": 768, "image_size": 512, "num_attention_heads": 12,
                            "patch_size": 16},
          "text_config": {"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536,
                          "num_attention_heads": 9, "num_key_value_heads": 3,
                          "num_hidden_layers": 30, "vocab_size": 49280,
                          "max_position_embeddings": 8192}})";
  static const char* const k2b =
      R"({"model_type": "smolvlm", "scale_factor": 3,
          "vision_config": {"hidden_size": 1152, "intermediate_size": 4304, "image_size": 384,
                            "num_attention_heads": 16, "num_hidden_layers": 27, "patch_size": 14},
          "text_config": {"model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192,
                          "num_hidden_layers": 24, "vocab_size": 49280,
                          "max_position_embeddings": 8192}})";
  static const std::map<std::string, const char*> configs{
      {"HuggingFaceTB/SmolVLM2-500M-Video-Instruct", k500m},
      {"HuggingFaceTB/SmolVLM-500M-Instruct", k500m},
      {"HuggingFaceTB/SmolVLM2-256M-Video-Instruct", k256m},
      {"HuggingFaceTB/SmolVLM-256M-Instruct", k256m},
      {"HuggingFaceTB/SmolVLM2-2.2B-Instruct", k2b}};
  return configs;
}

/// LeRobot's get_intermediate_size: two thirds of four times the width, up to a multiple of 256.
std::int64_t expert_mlp(std::int64_t hidden) {
  const std::int64_t wide = 4 * (2 * hidden / 3);
  return 256 * ((wide + 255) / 256);
}

ModelDescriptor cut_text(const HfNode& node, ModelDescriptor text) {
  const std::int64_t layers = node.integer("num_vlm_layers", 16);
  if (layers > text.num_hidden_layers) {
    node.fail("num_vlm_layers", std::to_string(layers) + " are more than the model's " +
                                    std::to_string(text.num_hidden_layers) + " layers");
  }
  if (layers > 0) text.num_hidden_layers = layers;
  text.mask = Mask::kFull;
  text.lm_head = LmHead::kNone;
  return text;
}

ModelDescriptor expert_of(const HfNode& node, const ModelDescriptor& text) {
  const double width = node.number("expert_width_multiplier", 0.75);
  if (!(width > 0 && width <= 16)) {
    node.fail("expert_width_multiplier", "the factor is not allowed", "above 0, at most 16");
  }
  ModelDescriptor expert = text;
  expert.name = "expert";
  expert.title = "expert";
  expert.hidden_size = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(static_cast<double>(text.hidden_size) * width));
  expert.intermediate_size = std::max<std::int64_t>(256, expert_mlp(expert.hidden_size));
  const std::int64_t layers = node.integer("num_expert_layers", -1);
  if (layers > 0) expert.num_hidden_layers = layers;
  if (text.num_hidden_layers % expert.num_hidden_layers != 0) {
    node.fail("num_expert_layers", std::to_string(layers) + " do not divide the text's " +
                                       std::to_string(text.num_hidden_layers) + " layers");
  }
  expert.vocab_size = expert.max_position_embeddings = expert.tokens = 0;
  return expert;
}

/// Images among the inputs.
std::int64_t camera_count(const HfNode& node) {
  std::int64_t cameras = 0;
  const HfNode features = node.node("input_features");
  for (const auto& item : features.json().items()) {
    const HfNode feature = features.node(item.key());
    cameras += feature.text("type", "") == "VISUAL" ? 1 : 0;
  }
  const std::int64_t empty = node.integer("empty_cameras", 0);
  if (empty < 0 || empty > kMostCameras) {
    node.fail("empty_cameras", std::to_string(empty) + " is not allowed", "0 .. 1024");
  }
  return std::clamp<std::int64_t>(cameras + empty, 1, kMostCameras);
}

/// Side of the images that the policy hands to the tower.
std::int64_t image_side(const HfNode& node, std::int64_t fallback) {
  const auto found = node.json().find("resize_imgs_with_padding");
  if (found == node.json().end() || found->is_null()) return fallback;
  const bool square = found->is_array() && found->size() == 2 && (*found)[0].is_number_integer() &&
                      (*found)[0] == (*found)[1] && (*found)[0] > 0 && (*found)[0] <= kMostPixels;
  if (!square) node.fail("resize_imgs_with_padding", "is not allowed", "[side, side]");
  return (*found)[0].get<std::int64_t>();
}

std::int64_t self_layers(const HfNode& node) {
  const std::string mode = node.text("attention_mode", "cross_attn");
  if (mode == "self_attn") return 1;
  if (mode != "cross_attn") {
    node.fail("attention_mode", mode + " is not allowed", "cross_attn, self_attn");
  }
  return std::max<std::int64_t>(0, node.integer("self_attn_every_n_layers", 2));
}

/// LeRobot pads shorter prefixes up to prefix_length.
void refuse_padding(const HfNode& node, const ModelDescriptor& model) {
  const std::int64_t side = model.vision->image_size / model.vision->patch_size;
  const std::int64_t across = side / model.connector.pixel_shuffle;
  const std::int64_t prefix = model.cameras * across * across + model.tokens + 1;
  if (node.integer("prefix_length", -1) <= prefix) return;
  node.fail("prefix_length",
            "padding of a prefix beyond its " + std::to_string(prefix) + " tokens is not built");
}

}  // namespace

nlohmann::json known_vlm(const std::string& name) {
  const auto found = known_configs().find(name);
  return found == known_configs().end() ? nlohmann::json() : nlohmann::json::parse(found->second);
}

std::string known_vlm_names() {
  std::string names;
  for (const auto& entry : known_configs()) names += (names.empty() ? "" : ", ") + entry.first;
  return names;
}

ModelDescriptor hf_smolvla(const HfNode& node, const ModelDescriptor& vlm) {
  ModelDescriptor model;
  model.family = Family::kSmolVla;
  ModelDescriptor vision = *vlm.vision;
  vision.image_size = image_side(node, vision.image_size);
  const ModelDescriptor text = cut_text(node, *vlm.text);
  model.expert = std::make_shared<const ModelDescriptor>(expert_of(node, text));
  model.vision = std::make_shared<const ModelDescriptor>(vision);
  model.text = std::make_shared<const ModelDescriptor>(text);
  model.connector = vlm.connector;
  model.connector.embed_scale = true;
  model.self_attn_every_n_layers = self_layers(node);
  model.chunk_size = node.count("chunk_size", 50);
  model.num_steps = node.count("num_steps", 10);
  model.max_state_dim = node.count("max_state_dim", 32);
  model.max_action_dim = node.count("max_action_dim", 32);
  model.tokens = node.count("tokenizer_max_length", 48);
  model.cameras = camera_count(node);
  refuse_padding(node, model);
  return model;
}

}  // namespace tessera::workloads
