#include "sim/config/model_fields.h"

#include <fmt/format.h>

#include "sim/config/graph_fields.h"

namespace tessera::sim::config {

namespace {

using workloads::Activation;
using workloads::Family;
using workloads::LmHead;
using workloads::Mask;
using workloads::ModelDescriptor;
using workloads::Norm;
using workloads::NormPosition;

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

/// An optional count: absent (0) is left out of the resolved tree.
Field<ModelDescriptor> count(const std::string& key, std::int64_t ModelDescriptor::*member,
                             std::int64_t most, const std::string& help) {
  return field(key, member, optional_integer(1, most), help);
}

std::vector<Field<ModelDescriptor>> stack_fields() {
  using S = ModelDescriptor;
  return {
      field("name", &S::name, text("text"), "What plans and reports call it.")
          .fallback_is("the file's name"),
      field("title", &S::title, text("text"), "For the head of a report.").fallback_is("the name"),
      field("family", &S::family,
            choice<Family>(
                {{"vit", Family::kVit}, {"decoder", Family::kDecoder}, {"bert", Family::kBert}}),
            "Image encoder, causal text decoder (prefill) or text encoder.")
          .needed(),
      count("hidden_size", &S::hidden_size, kMaxWidth, "Width of the residual stream.").needed(),
      count("num_hidden_layers", &S::num_hidden_layers, kMaxCount, "Layers.").needed(),
      count("num_attention_heads", &S::num_attention_heads, kMaxCount, "Query heads.").needed(),
      count("num_key_value_heads", &S::num_key_value_heads, kMaxCount, "Key and value heads.")
          .fallback_is("num_attention_heads"),
      count("head_dim", &S::head_dim, kMaxWidth, "Width of one head.")
          .fallback_is("hidden_size / num_attention_heads"),
      count("intermediate_size", &S::intermediate_size, kMaxWidth, "Width inside the MLP.")
          .needed(),
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
  };
}

std::vector<Field<ModelDescriptor>> end_fields() {
  using S = ModelDescriptor;
  return {
      count("image_size", &S::image_size, kMaxPixels, "vit: pixels of a side.")
          .fallback_is("vit: required"),
      count("patch_size", &S::patch_size, kMaxPixels, "vit: pixels of a patch's side.")
          .fallback_is("vit: required"),
      field("num_channels", &S::num_channels, integer(1, 1024), "vit: colours."),
      field("cls_token", &S::cls_token, boolean(), "vit: one more row, in front."),
      count("num_labels", &S::num_labels, kMaxRows,
            "vit: classes of a classifier on the first row."),
      count("vocab_size", &S::vocab_size, kMaxVocabulary, "Text: rows of the embedding table.")
          .fallback_is("text: required"),
      count("max_position_embeddings", &S::max_position_embeddings, kMaxRows,
            "Text: longest sequence."),
      count("type_vocab_size", &S::type_vocab_size, kMaxRows, "bert: token types."),
      field("rope", &S::rope, boolean(), "decoder: rotary position embedding."),
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

Table<ModelDescriptor> make_model_table() {
  Table<ModelDescriptor> table{stack_fields(), {}};
  for (Field<ModelDescriptor>& each : end_fields()) table.fields.push_back(std::move(each));
  table.unbuilt = {{"experts", "a mixture of experts"}, {"rope_scaling", "scaled RoPE"}};
  return table;
}

void require_key(const Value& value, const std::string& path, const std::string& key,
                 const std::string& family) {
  if (value.find(key)) return;
  fail(value.position, join_path(path, key), fmt::format("the key is missing (family {})", family));
}

void refuse_key(const Value& value, const std::string& path, const std::string& key,
                const std::string& family) {
  const Value* found = value.find(key);
  if (!found) return;
  const bool off = found->is_scalar() && (found->text == "false" || found->text == "none");
  if (off) return;
  fail(found->position, join_path(path, key), fmt::format("does not go with family {}", family));
}

/// Keys that a family must have and cannot have.
void check_family(const ModelDescriptor& model, const Value& value, const std::string& path) {
  if (model.family == Family::kVit) {
    for (const char* key : {"image_size", "patch_size"}) require_key(value, path, key, "vit");
    for (const char* key : {"vocab_size", "max_position_embeddings", "type_vocab_size", "rope",
                            "lm_head", "pooler", "tokens"}) {
      refuse_key(value, path, key, "vit");
    }
    return;
  }
  const std::string family = model.family == Family::kBert ? "bert" : "decoder";
  require_key(value, path, "vocab_size", family);
  for (const char* key : {"image_size", "patch_size", "cls_token", "num_labels"}) {
    refuse_key(value, path, key, family);
  }
}

void check_divides(const Value& value, const std::string& path, const std::string& key,
                   std::int64_t whole, std::int64_t part, const std::string& what) {
  if (whole % part == 0) return;
  const Value* found = value.find(key);
  fail(found ? found->position : value.position, join_path(path, key),
       fmt::format("{} is not a multiple of {} {}", whole, what, part));
}

void finish(ModelDescriptor& model, const Value& value, const std::string& path) {
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
  if (model.name.empty()) model.name = "inline";
  if (model.title.empty()) model.title = model.name;
}

/// Rows of one image or prompt.
double rows_of(const ModelDescriptor& model, std::int64_t tokens) {
  if (model.family != Family::kVit) return static_cast<double>(tokens);
  const std::int64_t side = model.image_size / model.patch_size;
  return static_cast<double>(side * side + (model.cls_token ? 1 : 0));
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

}  // namespace

void check_sizes(const workloads::PhaseRequest& phase, const Position& position,
                 const std::string& path) {
  if (phase.model.family == Family::kGraph) return;  // its tensors were checked one by one
  const double rows = rows_of(phase.model, phase.tokens);
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

const Table<ModelDescriptor>& model_table() {
  static const Table<ModelDescriptor> table = make_model_table();
  return table;
}

ModelDescriptor read_model(const Value& value, const std::string& path) {
  if (is_graph_model(value)) return read_graph_model(value, path);
  ModelDescriptor model;
  model_table().read(value, path, model);
  check_family(model, value, path);
  finish(model, value, path);
  return model;
}

Json write_model(const ModelDescriptor& model) {
  if (model.family == Family::kGraph) return graph_model_table().write(model);
  Json tree = model_table().write(model);
  if (model.family != Family::kVit) tree.erase("num_channels");
  return tree;
}

}  // namespace tessera::sim::config
