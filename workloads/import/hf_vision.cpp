// Image encoders: defaults of transformers' configuration_{siglip,smolvlm,idefics3,clip,vit,deit,
// dinov2}.py (WORKLOADS.md, section 1.1).
#include "workloads/import/hf_stacks.h"

namespace tessera::workloads {
namespace {

constexpr double kMostRatio = 1024;

/// The keys that all image encoders share, with a family's defaults.
ModelDescriptor vision_stack(const HfNode& node, const VisionDefaults& defaults) {
  ModelDescriptor model;
  model.family = Family::kVit;
  model.hidden_size = node.count("hidden_size", defaults.hidden_size);
  model.intermediate_size = node.count("intermediate_size", defaults.intermediate_size);
  model.num_hidden_layers = node.count("num_hidden_layers", defaults.num_hidden_layers);
  model.num_attention_heads = node.count("num_attention_heads", defaults.num_attention_heads);
  model.num_channels = node.count("num_channels", 3);
  model.image_size = node.count("image_size", defaults.image_size);
  model.patch_size = node.count("patch_size", defaults.patch_size);
  model.hidden_act = hf_activation(node, "hidden_act", defaults.hidden_act);
  finish_heads(node, model);
  if (model.image_size > kMostPixels) {
    node.fail("image_size", std::to_string(model.image_size) + " is not allowed", "1 .. 16384");
  }
  if (model.patch_size > model.image_size) {
    node.fail("patch_size", std::to_string(model.patch_size) + " is larger than image_size " +
                                std::to_string(model.image_size));
  }
  return model;
}

std::int64_t label_count(const HfNode& node) {
  if (node.has("id2label")) return static_cast<std::int64_t>(node.node("id2label").json().size());
  return node.count("num_labels", 0);
}

}  // namespace

ModelDescriptor hf_siglip_vision(const HfNode& node, const VisionDefaults& defaults) {
  ModelDescriptor model = vision_stack(node, defaults);
  model.pooling = node.flag("vision_use_head", defaults.pooling) ? Pooling::kMap : Pooling::kNone;
  return model;
}

ModelDescriptor hf_clip_vision(const HfNode& node, std::int64_t projection_dim) {
  ModelDescriptor model =
      vision_stack(node, {768, 3072, 12, 12, 224, 32, Activation::kQuickGelu, false});
  model.cls_token = model.embed_norm = model.pooled_norm = true;
  model.patch_bias = false;
  model.projection_dim = projection_dim;
  return model;
}

ModelDescriptor hf_vit(const HfNode& node, std::int64_t extra_tokens) {
  ModelDescriptor model =
      vision_stack(node, {768, 3072, 12, 12, 224, 16, Activation::kGelu, false});
  model.cls_token = true;
  model.extra_tokens = extra_tokens;
  model.qkv_bias = node.flag("qkv_bias", true);
  model.num_labels = label_count(node);
  return model;
}

ModelDescriptor hf_dinov2(const HfNode& node) {
  ModelDescriptor model =
      vision_stack(node, {768, 3072, 12, 12, 224, 16, Activation::kGelu, false});
  const double ratio = node.number("mlp_ratio", 4);
  if (!(ratio > 0 && ratio <= kMostRatio)) {
    node.fail("mlp_ratio", "the ratio is not allowed", "above 0, at most 1024");
  }
  // There is no intermediate_size, or one that nobody reads.
  const double wide = static_cast<double>(model.hidden_size) * ratio;
  model.intermediate_size = std::max<std::int64_t>(1, static_cast<std::int64_t>(wide));
  if (node.flag("use_swiglu_ffn", false)) {
    model.gated_mlp = true;
    model.hidden_act = Activation::kSilu;
    model.intermediate_size = (model.intermediate_size * 2 / 3 + 7) / 8 * 8;
  }
  model.cls_token = model.layer_scale = true;
  model.extra_tokens = node.integer("num_register_tokens", 0);
  if (model.extra_tokens < 0) node.fail("num_register_tokens", "must not be negative");
  model.mask_token = node.flag("use_mask_token", true);
  model.qkv_bias = node.flag("qkv_bias", true);
  return model;
}

}  // namespace tessera::workloads
