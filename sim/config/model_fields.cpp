#include "sim/config/model_fields.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/config/graph_fields.h"

namespace tessera::sim::config {

namespace {

using workloads::Activation;
using workloads::ConnectorDescriptor;
using workloads::Family;
using workloads::LmHead;
using workloads::Mask;
using workloads::ModelDescriptor;
using workloads::Norm;
using workloads::NormPosition;
using workloads::Pooling;

constexpr std::int64_t kMaxWidth = 131'072;   // hidden, intermediate, one head
constexpr std::int64_t kMaxCount = 1024;      // layers, heads
constexpr std::int64_t kMaxPixels = 16'384;   // of an image's side
constexpr std::int64_t kMaxRows = 1'000'000;  // tokens, classes, positions
constexpr std::int64_t kMaxVocabulary = 4'194'304;
constexpr double kMaxElements = 1e12;  // of one tensor
constexpr double kMaxMacs = 1e17;      // of one phase

Codec<Activation> activation() {
  return choice<Activation>({{"gelu", Activation::kGelu},
                             {"gelu_tanh", Activation::kGeluTanh},
                             {"quick_gelu", Activation::kQuickGelu},
                             {"silu", Activation::kSilu},
                             {"relu", Activation::kRelu}});
}

/// true and false; where absent, stacks with LayerNorm have biases.
Field<ModelDescriptor> bias(const std::string& key, bool ModelDescriptor::*member,
                            const std::string& help) {
  return field(key, member, boolean(), help).fallback_is("true with layer_norm");
}

/// An optional count: absent (0) is left out of the resolved tree.
Field<ModelDescriptor> count(const std::string& key, std::int64_t ModelDescriptor::*member,
                             std::int64_t most, const std::string& help) {
  return field(key, member, optional_integer(1, most), help);
}

Field<ModelDescriptor> required(const std::string& key, std::int64_t ModelDescriptor::*member,
                                std::int64_t most, const std::string& help) {
  return count(key, member, most, help).fallback_is("required of a stack");
}

std::vector<Field<ModelDescriptor>> stack_fields() {
  using S = ModelDescriptor;
  return {
      field("name", &S::name, text("text"), "What plans and reports call it.")
          .fallback_is("the file's name"),
      field("title", &S::title, text("text"), "For the head of a report.").fallback_is("the name"),
      field("family", &S::family,
            choice<Family>({{"vit", Family::kVit},
                            {"decoder", Family::kDecoder},
                            {"bert", Family::kBert},
                            {"dual_encoder", Family::kDualEncoder},
                            {"vlm", Family::kVlm},
                            {"smolvla", Family::kSmolVla}}),
            "Image encoder, text decoder, text encoder; or made of parts: an image and a text "
            "encoder, a decoder that reads images, SmolVLA.")
          .needed(),
      required("hidden_size", &S::hidden_size, kMaxWidth, "Width of the residual stream."),
      required("num_hidden_layers", &S::num_hidden_layers, kMaxCount, "Layers."),
      required("num_attention_heads", &S::num_attention_heads, kMaxCount, "Query heads."),
      count("num_key_value_heads", &S::num_key_value_heads, kMaxCount, "Key and value heads.")
          .fallback_is("num_attention_heads"),
      count("head_dim", &S::head_dim, kMaxWidth, "Width of one head.")
          .fallback_is("hidden_size / num_attention_heads"),
      required("intermediate_size", &S::intermediate_size, kMaxWidth, "Width inside the MLP."),
      field("hidden_act", &S::hidden_act, activation(), "Activation of the MLP."),
      field("gated_mlp", &S::gated_mlp, boolean(), "act(gate) * up in place of one FC1."),
      field("norm", &S::norm,
            choice<Norm>({{"layer_norm", Norm::kLayerNorm}, {"rms_norm", Norm::kRmsNorm}}),
            "Normalisation."),
      field("norm_position", &S::norm_position,
            choice<NormPosition>({{"pre", NormPosition::kPre}, {"post", NormPosition::kPost}}),
            "Before each block, or after its residual addition."),
      field("final_norm", &S::final_norm, boolean(),
            "Pre-norm stacks: a norm after the last layer."),
      bias("qkv_bias", &S::qkv_bias, "Attn_Q, Attn_K and Attn_V have biases."),
      bias("out_bias", &S::out_bias, "Attn_Out has a bias."),
      bias("mlp_bias", &S::mlp_bias, "The MLP has biases."),
      count("projection_dim", &S::projection_dim, kMaxWidth,
            "A Linear on one row: CLS of a vit, the last token of a bert."),
      field("projection_bias", &S::projection_bias, boolean(), "It has a bias."),
  };
}

std::vector<Field<ModelDescriptor>> vit_fields() {
  using S = ModelDescriptor;
  return {
      count("image_size", &S::image_size, kMaxPixels, "vit: pixels of a side.")
          .fallback_is("vit: required"),
      count("patch_size", &S::patch_size, kMaxPixels, "vit: pixels of a patch's side.")
          .fallback_is("vit: required"),
      field("num_channels", &S::num_channels, integer(1, 1024), "vit: colours."),
      field("cls_token", &S::cls_token, boolean(), "vit: one more row, in front."),
      count("extra_tokens", &S::extra_tokens, kMaxRows,
            "vit: rows behind CLS (distillation, registers)."),
      count("num_labels", &S::num_labels, kMaxRows,
            "vit: classes of a classifier on the first row."),
      field("patch_bias", &S::patch_bias, boolean(), "vit: PatchEmbed has a bias."),
      count("position_image_size", &S::position_image_size, kMaxPixels,
            "vit: the size that positions were learnt at; they are interpolated beforehand.")
          .fallback_is("image_size"),
      field("mask_token", &S::mask_token, boolean(), "vit: a parameter of the training."),
      field("embed_norm", &S::embed_norm, boolean(), "vit: a norm in front of the layers (CLIP)."),
      field("layer_scale", &S::layer_scale, boolean(),
            "vit: each branch times one factor a column (DINOv2)."),
      field("pooled_norm", &S::pooled_norm, boolean(),
            "vit: the final norm reads the first row alone (CLIP)."),
      field("pooling", &S::pooling,
            choice<Pooling>({{"none", Pooling::kNone}, {"map", Pooling::kMap}}),
            "vit: `map`: one learnt query attends to all rows, then an MLP (SigLIP)."),
  };
}

std::vector<Field<ModelDescriptor>> text_fields() {
  using S = ModelDescriptor;
  return {
      count("vocab_size", &S::vocab_size, kMaxVocabulary, "Text: rows of the embedding table.")
          .fallback_is("text: required"),
      count("max_position_embeddings", &S::max_position_embeddings, kMaxRows,
            "Text: longest sequence."),
      count("type_vocab_size", &S::type_vocab_size, kMaxRows, "bert: token types."),
      count("relative_attention_num_buckets", &S::relative_attention_num_buckets, kMaxRows,
            "bert: biases of scores in place of positions (T5)."),
      field("rope", &S::rope, boolean(), "decoder: rotary position embedding."),
      field("embed_scale", &S::embed_scale, boolean(),
            "decoder: embeddings times the root of their width (Gemma)."),
      field("tie_word_embeddings", &S::tie_word_embeddings, boolean(),
            "decoder: the LM head is the embedding table: counted once."),
      field("mask", &S::mask,
            choice<Mask>({{"none", Mask::kNone}, {"full", Mask::kFull}, {"causal", Mask::kCausal}}),
            "Which keys a query sees."),
      field("lm_head", &S::lm_head,
            choice<LmHead>({{"none", LmHead::kNone},
                            {"last_token", LmHead::kLastToken},
                            {"all_tokens", LmHead::kAllTokens}}),
            "decoder: projection to the vocabulary."),
      field("pooler", &S::pooler, boolean(), "bert: Linear and tanh on the first row."),
      count("tokens", &S::tokens, kMaxRows,
            "Text: the sequence length unless the workload says another."),
  };
}

using Part = std::shared_ptr<const ModelDescriptor>;

ModelDescriptor read_checked(const Value& value, const std::string& path, bool embeds_tokens);

Field<ModelDescriptor> part(const std::string& key, Part ModelDescriptor::*member,
                            const std::string& help) {
  Field<ModelDescriptor> made;
  made.key = key;
  made.allowed = "name, path or mapping";
  made.help = help;
  made.fallback = "none";
  made.read = [=](const Value& value, const std::string& path, ModelDescriptor& out) {
    // The expert reads actions, not tokens.
    out.*member =
        std::make_shared<const ModelDescriptor>(read_checked(value, path, key != "expert"));
  };
  made.write = [=](const ModelDescriptor& model) {
    return model.*member ? write_model(*(model.*member)) : Json();
  };
  made.schema = {
      {"anyOf", Json::array({Json{{"type", "string"}}, Json{{"$ref", "#/$defs/model"}}})}};
  return made;
}

Table<ConnectorDescriptor> connector_table() {
  using S = ConnectorDescriptor;
  return {{field("pixel_shuffle", &S::pixel_shuffle, integer(1, 1024),
                 "Patches of a block's side that become one token."),
           field("bias", &S::bias, boolean(), "The Linear has a bias."),
           field("embed_scale", &S::embed_scale, boolean(),
                 "The tokens times the root of their width.")},
          {}};
}

std::vector<Field<ModelDescriptor>> composite_fields() {
  using S = ModelDescriptor;
  return {
      part("vision", &S::vision, "dual_encoder, vlm, smolvla: the image encoder."),
      part("text", &S::text, "dual_encoder: the text encoder. vlm, smolvla: the decoder."),
      part("expert", &S::expert, "smolvla: the action expert's layers."),
      section("connector", &S::connector, connector_table(),
              "vlm, smolvla: from image rows to text tokens."),
      field("self_attn_every_n_layers", &S::self_attn_every_n_layers, integer(0, kMaxCount),
            "smolvla: every so many layers attend to prefix and actions, the others to "
            "projections of the prefix; 0: all others."),
      field("chunk_size", &S::chunk_size, integer(1, kMaxRows), "smolvla: action tokens."),
      field("num_steps", &S::num_steps, integer(1, 100'000), "smolvla: denoising steps."),
      field("max_state_dim", &S::max_state_dim, integer(1, kMaxWidth), "smolvla: state values."),
      field("max_action_dim", &S::max_action_dim, integer(1, kMaxWidth),
            "smolvla: values of an action."),
      field("cameras", &S::cameras, integer(1, 1024),
            "vlm, smolvla: images of a request unless the workload says another number."),
  };
}

Table<ModelDescriptor> make_model_table() {
  Table<ModelDescriptor> table{stack_fields(), {}};
  for (const auto& fields : {vit_fields(), text_fields(), composite_fields()}) {
    table.fields.insert(table.fields.end(), fields.begin(), fields.end());
  }
  table.unbuilt = {{"experts", "a mixture of experts"}, {"rope_scaling", "scaled RoPE"}};
  return table;
}

/// Which keys go with which families; a key that is not listed goes with all.
struct KeyFamilies {
  std::vector<Family> families;
  std::vector<std::string> keys;
};

const std::vector<KeyFamilies>& key_families() {
  static const std::vector<KeyFamilies> all{
      {{Family::kVit, Family::kDecoder, Family::kBert},
       {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
        "head_dim", "intermediate_size", "hidden_act", "gated_mlp", "norm", "norm_position",
        "final_norm", "qkv_bias", "out_bias", "mlp_bias", "mask"}},
      {{Family::kVit, Family::kBert}, {"projection_dim", "projection_bias"}},
      {{Family::kVit},
       {"image_size", "patch_size", "num_channels", "patch_bias", "cls_token", "extra_tokens",
        "position_image_size", "mask_token", "embed_norm", "layer_scale", "pooled_norm", "pooling",
        "num_labels"}},
      {{Family::kDecoder, Family::kBert}, {"vocab_size", "max_position_embeddings"}},
      {{Family::kBert}, {"type_vocab_size", "relative_attention_num_buckets", "pooler"}},
      {{Family::kDecoder}, {"rope", "embed_scale", "tie_word_embeddings", "lm_head"}},
      {{Family::kDecoder, Family::kBert, Family::kDualEncoder, Family::kVlm, Family::kSmolVla},
       {"tokens"}},
      {{Family::kDualEncoder, Family::kVlm, Family::kSmolVla}, {"vision", "text"}},
      {{Family::kVlm, Family::kSmolVla}, {"connector", "cameras"}},
      {{Family::kSmolVla},
       {"expert", "self_attn_every_n_layers", "chunk_size", "num_steps", "max_state_dim",
        "max_action_dim"}}};
  return all;
}

bool goes_with(const std::string& key, Family family) {
  for (const KeyFamilies& each : key_families()) {
    if (std::find(each.keys.begin(), each.keys.end(), key) == each.keys.end()) continue;
    return std::find(each.families.begin(), each.families.end(), family) != each.families.end();
  }
  return true;
}

std::string family_name(Family family) {
  ModelDescriptor model;
  model.family = family;
  return model_table().write(model).at("family").get<std::string>();
}

std::vector<std::string> required_keys(Family family) {
  switch (family) {
    case Family::kVit:
      return {"hidden_size",       "num_hidden_layers", "num_attention_heads",
              "intermediate_size", "image_size",        "patch_size"};
    case Family::kDecoder:
    case Family::kBert:
      return {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
              "vocab_size"};
    case Family::kDualEncoder:
    case Family::kVlm:
      return {"vision", "text"};
    case Family::kSmolVla:
      return {"vision", "text", "expert"};
    case Family::kGraph:  // has a table of its own
      break;
  }
  return {};
}

std::string allowed_of(const std::string& key) {
  for (const Field<ModelDescriptor>& field : model_table().fields) {
    if (field.key == key) return Table<ModelDescriptor>::plain(field.allowed);
  }
  return "";
}

void refuse_key(const MapEntry& entry, const std::string& path, Family family) {
  const Value& value = entry.value;
  const bool off = value.is_scalar() && (value.text == "false" || value.text == "none");
  if (off) return;
  fail(value.position, join_path(path, entry.key),
       fmt::format("does not go with family {}", family_name(family)));
}

/// Keys that a family must have and cannot have.
void check_family(const ModelDescriptor& model, const Value& value, const std::string& path,
                  bool embeds_tokens) {
  for (const std::string& key : required_keys(model.family)) {
    if (value.find(key) || (key == "vocab_size" && !embeds_tokens)) continue;
    fail(value.position, join_path(path, key),
         fmt::format("the key is missing (family {})", family_name(model.family)),
         {"allowed: " + allowed_of(key)});
  }
  for (const MapEntry& entry : value.entries) {
    if (!goes_with(entry.key, model.family)) refuse_key(entry, path, model.family);
  }
}

void check_divides(const Value& value, const std::string& path, const std::string& key,
                   std::int64_t whole, std::int64_t part, const std::string& what) {
  if (whole % part == 0) return;
  const Value* found = value.find(key);
  fail(found ? found->position : value.position, join_path(path, key),
       fmt::format("{} is not a multiple of {} {}", whole, what, part));
}

void finish_stack(ModelDescriptor& model, const Value& value, const std::string& path) {
  const bool biased = model.norm == Norm::kLayerNorm;
  if (!value.find("qkv_bias")) model.qkv_bias = biased;
  if (!value.find("out_bias")) model.out_bias = biased;
  if (!value.find("mlp_bias")) model.mlp_bias = biased;
  if (model.num_key_value_heads == 0) model.num_key_value_heads = model.num_attention_heads;
  check_divides(value, path, "num_attention_heads", model.num_attention_heads,
                model.num_key_value_heads, "num_key_value_heads");
  if (model.head_dim == 0) {
    check_divides(value, path, "hidden_size", model.hidden_size, model.num_attention_heads,
                  "num_attention_heads");
    model.head_dim = model.hidden_size / model.num_attention_heads;
  }
  if (model.family == Family::kVit && model.patch_size > model.image_size) {
    fail(value.find("patch_size")->position, join_path(path, "patch_size"),
         fmt::format("{} is larger than image_size {}", model.patch_size, model.image_size));
  }
}

void check_part(const ModelDescriptor& model, const Part& part, const std::string& key,
                const std::vector<Family>& families, const Value& value, const std::string& path) {
  if (!part || std::find(families.begin(), families.end(), part->family) != families.end()) return;
  const auto entry = std::find_if(value.entries.begin(), value.entries.end(),
                                  [&](const MapEntry& each) { return each.key == key; });
  fail(entry->key_position, join_path(path, key),
       fmt::format("is of family {}; the {} of a {} is of family {}", family_name(part->family),
                   key, family_name(model.family), family_name(families.front())));
}

void check_parts(const ModelDescriptor& model, const Value& value, const std::string& path) {
  const bool dual = model.family == Family::kDualEncoder;
  check_part(model, model.vision, "vision", {Family::kVit}, value, path);
  check_part(model, model.text, "text", {dual ? Family::kBert : Family::kDecoder}, value, path);
  check_part(model, model.expert, "expert", {Family::kDecoder}, value, path);
}

void finish(ModelDescriptor& model, const Value& value, const std::string& path) {
  if (workloads::is_composite(model.family)) {
    check_parts(model, value, path);
  } else {
    finish_stack(model, value, path);
  }
  if (model.name.empty()) model.name = "inline";
  if (model.title.empty()) model.title = model.name;
}

ModelDescriptor read_checked(const Value& value, const std::string& path, bool embeds_tokens) {
  ModelDescriptor model;
  model_table().read(value, path, model);
  check_family(model, value, path, embeds_tokens);
  finish(model, value, path);
  return model;
}

/// Rows of one image or prompt.
double rows_of(const ModelDescriptor& model, std::int64_t tokens) {
  if (model.family != Family::kVit) return static_cast<double>(tokens);
  const std::int64_t side = model.image_size / model.patch_size;
  return static_cast<double>(side * side + (model.cls_token ? 1 + model.extra_tokens : 0));
}

struct Size {
  std::string name;
  double elements = 0;
};

/// The tensors that grow with the keys; an upper bound of each.
std::vector<Size> sizes_of(const ModelDescriptor& model, double batch, double rows) {
  const double hidden = static_cast<double>(model.hidden_size);
  const double heads = static_cast<double>(model.num_attention_heads);
  const double heads_width = heads * static_cast<double>(model.head_dim);
  const double mlp = static_cast<double>(model.intermediate_size);
  const double patch = static_cast<double>(model.patch_size);
  const double patch_width = static_cast<double>(model.num_channels) * patch * patch;
  const double vocabulary = static_cast<double>(model.vocab_size);
  const double logits_rows = model.lm_head == LmHead::kAllTokens ? batch * rows : batch;
  return {{"attention scores", batch * heads * rows * rows},
          {"activations of the MLP", batch * rows * mlp},
          {"queries", batch * rows * heads_width},
          {"residual stream", batch * rows * hidden},
          {"pixels", batch * rows * patch_width},
          {"logits", model.lm_head == LmHead::kNone ? 0 : logits_rows * vocabulary},
          {"embedding table", vocabulary * hidden},
          {"patch embedding", patch_width * hidden},
          {"attention weights", heads_width * hidden}};
}

/// An upper bound of a phase's MACs.
double work_of(const workloads::PhaseRequest& phase, double rows) {
  const ModelDescriptor& model = phase.model;
  const double hidden = static_cast<double>(model.hidden_size);
  const double heads_width = static_cast<double>(model.num_attention_heads * model.head_dim);
  const double mlp = static_cast<double>(model.intermediate_size);
  const double layer = heads_width * (4 * hidden + 2 * rows) + 3 * hidden * mlp;
  const double vocabulary = static_cast<double>(model.vocab_size) * hidden;
  const double a_row = static_cast<double>(model.num_hidden_layers) * layer + vocabulary;
  return phase.repeat * static_cast<double>(phase.batch) * rows * a_row;
}

void check_stack_sizes(const workloads::PhaseRequest& phase, const Position& position,
                       const std::string& path) {
  const double rows = rows_of(phase.model, std::max(phase.tokens, phase.kv_length));
  for (const Size& size : sizes_of(phase.model, static_cast<double>(phase.batch), rows)) {
    if (size.elements <= kMaxElements) continue;
    fail(position, path,
         fmt::format("{} of {} would have {:.2e} elements ({:.0e} at most)", size.name,
                     phase.model.name, size.elements, kMaxElements));
  }
  const double macs = work_of(phase, rows);
  if (macs <= kMaxMacs) return;
  fail(position, path,
       fmt::format("{} would take up to {:.2e} MACs ({:.0e} at most)", phase.model.name, macs,
                   kMaxMacs));
}

}  // namespace

void check_sizes(const workloads::PhaseRequest& phase, const Position& position,
                 const std::string& path) {
  if (phase.model.family == Family::kGraph) return;  // its tensors were checked one by one
  if (!workloads::is_composite(phase.model.family)) {
    return check_stack_sizes(phase, position, path);
  }
  const std::int64_t images = std::max<std::int64_t>(1, phase.images);
  workloads::PhaseRequest part = phase;
  part.kv_length = 0;
  part.model = *phase.model.vision;
  part.batch = phase.batch * images;
  check_stack_sizes(part, position, path);
  const double patches = rows_of(part.model, 0);
  part.batch = phase.batch;
  part.model = *phase.model.text;
  // Above the rows of any connector; a prefix or prompt of images and text.
  part.tokens = phase.tokens + 1 + images * static_cast<std::int64_t>(patches);
  check_stack_sizes(part, position, path);
  if (!phase.model.expert) return;
  part.model = *phase.model.expert;
  part.tokens += phase.model.chunk_size;
  part.repeat = static_cast<int>(phase.steps);
  check_stack_sizes(part, position, path);
}

const Table<ModelDescriptor>& model_table() {
  static const Table<ModelDescriptor> table = make_model_table();
  return table;
}

ModelDescriptor read_model(const Value& value, const std::string& path) {
  if (is_graph_model(value)) return read_graph_model(value, path);
  return read_checked(value, path, true);
}

Json write_model(const ModelDescriptor& model) {
  if (model.family == Family::kGraph) return graph_model_table().write(model);
  const Json tree = model_table().write(model);
  Json kept = Json::object();
  for (const auto& [key, value] : tree.items()) {
    if (goes_with(key, model.family)) kept[key] = value;
  }
  return kept;
}

}  // namespace tessera::sim::config
