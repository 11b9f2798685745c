#include "workloads/import/hf_config.h"

#include <functional>
#include <map>
#include <utility>

#include "workloads/import/hf_stacks.h"

namespace tessera::workloads {
namespace {

using Json = nlohmann::json;

constexpr VisionDefaults kSiglip{768, 3072, 12, 12, 224, 16, Activation::kGeluTanh, true};
// SmolVLM and Idefics3 towers have no head, and no key for one.
constexpr VisionDefaults kSmolVlm{1152, 3072, 12, 16, 224, 32, Activation::kGeluTanh, false};
constexpr VisionDefaults kPaliGemma{768, 3072, 12, 12, 224, 16, Activation::kGeluTanh, false};

std::shared_ptr<const ModelDescriptor> as_part(ModelDescriptor model, const std::string& name) {
  model.name = model.title = name;
  return std::make_shared<const ModelDescriptor>(std::move(model));
}

ModelDescriptor composite(Family family, const ModelDescriptor& vision,
                          const ModelDescriptor& text) {
  ModelDescriptor model;
  model.family = family;
  model.vision = as_part(vision, "vision");
  model.text = as_part(text, "text");
  model.tokens = text.tokens;
  return model;
}

/// A nested config whose old twin (KEY_dict) overrides it.
class Overridden {
 public:
  Overridden(const HfNode& node, const std::string& key)
      : merged_(node.node(key).json()), key_(key) {
    merged_.update(node.node(key + "_dict").json());
  }
  HfNode node() const { return HfNode(merged_, {key_}); }

 private:
  Json merged_;
  std::string key_;
};

ModelDescriptor siglip(const HfNode& node) {
  return composite(Family::kDualEncoder, hf_siglip_vision(node.node("vision_config"), kSiglip),
                   hf_siglip_text(node.node("text_config")));
}

ModelDescriptor clip(const HfNode& node) {
  const std::int64_t projection = node.count("projection_dim", 512);
  const Overridden vision(node, "vision_config");
  const Overridden text(node, "text_config");
  return composite(Family::kDualEncoder, hf_clip_vision(vision.node(), projection),
                   hf_clip_text(text.node(), projection));
}

/// The decoder of a nested text_config; `usual` where it names no model_type.
ModelDescriptor nested_text(const HfNode& node, const std::string& usual) {
  const HfNode text = node.node("text_config");
  const std::string type = text.text("model_type", usual);
  if (type == "llama") return hf_llama(text);
  if (type == "qwen2") return hf_qwen2(text);
  if (type == "gemma") return hf_gemma(text);
  text.fail("model_type", type + " is not a known decoder", "llama, qwen2, gemma");
}

ModelDescriptor smolvlm(const HfNode& node) {
  ModelDescriptor text = nested_text(node, "llama");
  text.tie_word_embeddings = node.flag("tie_word_embeddings", text.tie_word_embeddings);
  ModelDescriptor model =
      composite(Family::kVlm, hf_siglip_vision(node.node("vision_config"), kSmolVlm), text);
  model.connector.pixel_shuffle = node.count("scale_factor", 2);
  const std::int64_t side = model.vision->image_size / model.vision->patch_size;
  if (side % model.connector.pixel_shuffle != 0) {
    node.fail("scale_factor", std::to_string(model.connector.pixel_shuffle) +
                                  " does not divide the " + std::to_string(side) +
                                  " patches of an image's side");
  }
  return model;
}

ModelDescriptor paligemma(const HfNode& node) {
  ModelDescriptor text = nested_text(node, "gemma");
  text.mask = Mask::kFull;  // image and prompt see each other
  ModelDescriptor model =
      composite(Family::kVlm, hf_siglip_vision(node.node("vision_config"), kPaliGemma), text);
  model.connector.bias = true;
  return model;
}

using Reader = std::function<ModelDescriptor(const HfNode&)>;

const std::map<std::string, Reader>& readers() {
  static const std::map<std::string, Reader> all{
      {"bert", hf_bert},
      {"clip", clip},
      {"clip_text_model",
       [](const HfNode& node) { return hf_clip_text(node, node.count("projection_dim", 512)); }},
      {"clip_vision_model",
       [](const HfNode& node) { return hf_clip_vision(node, node.count("projection_dim", 512)); }},
      {"deit", [](const HfNode& node) { return hf_vit(node, 1); }},
      {"dinov2", hf_dinov2},
      {"dinov2_with_registers", hf_dinov2},
      {"distilbert", hf_distilbert},
      {"gemma", hf_gemma},
      {"idefics3", smolvlm},
      {"llama", hf_llama},
      {"paligemma", paligemma},
      {"qwen2", hf_qwen2},
      {"siglip", siglip},
      {"siglip_text_model", hf_siglip_text},
      {"siglip_vision_model", [](const HfNode& node) { return hf_siglip_vision(node, kSiglip); }},
      {"smolvlm", smolvlm},
      {"t5", hf_t5_encoder},
      {"vit", [](const HfNode& node) { return hf_vit(node, 0); }}};
  return all;
}

/// LeRobot writes `type`; old files write neither and are known by their keys.
std::string model_type_of(const HfNode& node) {
  if (node.has("model_type")) return node.text("model_type", "");
  if (node.has("type")) return node.text("type", "");
  if (node.has("d_kv") && node.has("d_ff")) return "t5";
  if (node.has("n_heads") && node.has("dim")) return "distilbert";
  if (node.has("type_vocab_size") && node.has("hidden_size")) return "bert";
  return "";
}

std::string known_types() {
  std::string known;
  for (const std::string& type : hf_model_types()) known += (known.empty() ? "" : ", ") + type;
  return known;
}

ModelDescriptor read_known(const HfNode& node, const std::string& type) {
  const auto reader = readers().find(type);
  if (reader != readers().end()) return reader->second(node);
  const std::string key = node.has("type") && !node.has("model_type") ? "type" : "model_type";
  node.fail(key,
            type.empty() ? "the key is missing: which family is it?"
                         : "'" + type + "' is not a known family",
            known_types());
}

ModelDescriptor read_smolvla(const HfNode& node, const Json& given) {
  const std::string name = node.text("vlm_model_name", "");
  const Json vlm = given.is_null() ? known_vlm(name) : given;
  if (vlm.is_null()) {
    node.fail("vlm_model_name", "'" + name + "' is not known: name its config.json (--vlm FILE)",
              known_vlm_names());
  }
  const HfNode config(vlm);
  const ModelDescriptor model = read_known(config, model_type_of(config));
  if (model.family != Family::kVlm) {
    throw HfError({}, "the model of vlm_model_name is no decoder that reads images",
                  "smolvlm, idefics3");
  }
  return hf_smolvla(node, model);
}

ModelDescriptor chosen_part(const ModelDescriptor& model, const std::string& part) {
  const auto& chosen = part == "vision" ? model.vision : model.text;
  if (!chosen) throw HfError({}, "the model has no part '" + part + "'");
  return *chosen;
}

ModelDescriptor at_size(ModelDescriptor model, std::int64_t image_size) {
  if (model.vision) {
    model.vision = std::make_shared<const ModelDescriptor>(at_size(*model.vision, image_size));
    return model;
  }
  if (model.family != Family::kVit || model.patch_size > image_size) {
    throw HfError({}, "--image-size " + std::to_string(image_size) + " does not go with the model");
  }
  if (image_size != model.image_size) model.position_image_size = model.image_size;
  model.image_size = image_size;
  return model;
}

/// "google-bert/bert-base-uncased" of the JSON, else the descriptor's name.
std::string title_of(const HfNode& node, const std::string& name) {
  const auto path = node.json().find("_name_or_path");
  const bool given = path != node.json().end() && path->is_string();
  const std::string title = given ? path->get<std::string>() : "";
  const bool plain = !title.empty() && title.size() <= 100 &&
                     title.find_first_of(",\n\r\t") == std::string::npos && title[0] != '.' &&
                     title[0] != '/';
  return plain ? title : name;
}

}  // namespace

const std::vector<std::string>& hf_model_types() {
  static const std::vector<std::string> types = [] {
    std::vector<std::string> all;
    for (const auto& [type, reader] : readers()) all.push_back(type);
    all.push_back("smolvla");
    std::sort(all.begin(), all.end());
    return all;
  }();
  return types;
}

ModelDescriptor import_hf(const Json& config, const HfOptions& options) {
  const HfNode node(config);
  const std::string type = model_type_of(node);
  ModelDescriptor model =
      type == "smolvla" ? read_smolvla(node, options.vlm) : read_known(node, type);
  if (!options.part.empty()) model = chosen_part(model, options.part);
  if (options.image_size > 0) model = at_size(std::move(model), options.image_size);
  model.name = options.name;
  model.title = title_of(node, options.name);
  return model;
}

}  // namespace tessera::workloads
