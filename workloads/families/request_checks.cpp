#include "workloads/families/request_checks.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "workloads/families/connector.h"
#include "workloads/families/smolvla.h"

namespace tessera::workloads {
namespace {

/// Collects nothing: the first requirement that fails throws, with the model's name in front.
class Requirements {
 public:
  explicit Requirements(const ModelDescriptor& model)
      : subject_(model.name.empty() ? model.title : model.name) {}

  void require(bool holds, const std::string& reason) const {
    if (!holds) {
      throw std::invalid_argument((subject_.empty() ? "model" : subject_) + ": " + reason);
    }
  }

  void positive(const char* field, std::int64_t value) const {
    require(value > 0, std::string(field) + " must be positive, not " + std::to_string(value));
  }

  void not_negative(const char* field, std::int64_t value) const {
    require(value >= 0, std::string(field) + " must not be negative: " + std::to_string(value));
  }

 private:
  std::string subject_;
};

void check_heads(const ModelDescriptor& model, const Requirements& that) {
  that.positive("num_attention_heads", model.num_attention_heads);
  that.positive("num_key_value_heads", model.num_key_value_heads);
  that.require(model.num_attention_heads % model.num_key_value_heads == 0,
               "num_attention_heads " + std::to_string(model.num_attention_heads) +
                   " is not divisible by num_key_value_heads " +
                   std::to_string(model.num_key_value_heads));
  // A head_dim of its own (Gemma, SmolVLA's expert) is never the rounded quotient.
  const std::int64_t quotient = model.hidden_size / model.num_attention_heads;
  that.require(model.head_dim != quotient || model.hidden_size % model.num_attention_heads == 0,
               "hidden_size " + std::to_string(model.hidden_size) +
                   " is not divisible by num_attention_heads " +
                   std::to_string(model.num_attention_heads));
  that.positive("head_dim", model.head_dim);
}

void check_layers(const ModelDescriptor& model, const Requirements& that) {
  that.positive("hidden_size", model.hidden_size);
  that.positive("num_hidden_layers", model.num_hidden_layers);
  that.positive("intermediate_size", model.intermediate_size);
  check_heads(model, that);
  const bool gate_exists = model.hidden_act == Activation::kSilu ||
                           model.hidden_act == Activation::kGelu ||
                           model.hidden_act == Activation::kGeluTanh;
  that.require(!model.gated_mlp || gate_exists,
               "gated_mlp needs hidden_act silu, gelu or gelu_tanh");
}

void check_tower(const ModelDescriptor& model, const Requirements& that) {
  that.positive("patch_size", model.patch_size);
  that.positive("num_channels", model.num_channels);
  that.require(model.image_size >= model.patch_size,
               "image_size " + std::to_string(model.image_size) + " is below patch_size " +
                   std::to_string(model.patch_size));
  that.not_negative("num_labels", model.num_labels);
  that.not_negative("projection_dim", model.projection_dim);
  that.not_negative("extra_tokens", model.extra_tokens);
  that.require(model.num_labels == 0 || model.cls_token,
               "num_labels needs cls_token: the classifier reads the CLS row");
  that.require(model.projection_dim == 0 || model.cls_token,
               "projection_dim needs cls_token: the projection reads the CLS row");
  that.require(!model.pooled_norm || model.cls_token,
               "pooled_norm needs cls_token: the norm reads the CLS row");
  that.require(model.extra_tokens == 0 || model.cls_token,
               "extra_tokens needs cls_token: they stand behind the CLS row");
  that.require(model.pooling == Pooling::kNone || !model.gated_mlp,
               "the pooling head has a plain MLP: gated_mlp does not go with it");
  that.require(model.pooling == Pooling::kNone ||
                   (model.num_attention_heads * model.head_dim == model.hidden_size &&
                    model.num_key_value_heads == model.num_attention_heads),
               "the pooling head has heads of hidden_size / num_attention_heads columns");
}

void check_vit(const PhaseRequest& request, const Requirements& that) {
  check_tower(request.model, that);
  that.require(request.tokens == 0, "an image has patches: tokens must not be given");
}

void check_graph(const PhaseRequest& request, const Requirements& that) {
  that.require(request.model.graph && !request.model.graph->operators.empty(), "it has no graph");
  that.require(request.batch == 1 && request.tokens == 0,
               "batch and tokens were bound when the model was imported");
}

/// `bounded`: positions are rows of a table; otherwise 0 means no limit.
void check_text(const PhaseRequest& request, bool bounded, const Requirements& that) {
  const ModelDescriptor& model = request.model;
  that.positive("vocab_size", model.vocab_size);
  that.positive("tokens", request.tokens);
  that.not_negative("type_vocab_size", model.type_vocab_size);
  if (bounded || model.max_position_embeddings != 0) {
    that.positive("max_position_embeddings", model.max_position_embeddings);
    that.require(request.tokens <= model.max_position_embeddings,
                 "tokens " + std::to_string(request.tokens) + " exceed max_position_embeddings " +
                     std::to_string(model.max_position_embeddings));
    that.require(request.kv_length <= model.max_position_embeddings,
                 "kv_length " + std::to_string(request.kv_length) +
                     " exceeds max_position_embeddings " +
                     std::to_string(model.max_position_embeddings));
  }
}

void check_decoder(const PhaseRequest& request, const Requirements& that) {
  check_text(request, !request.model.rope, that);
  that.require(request.kv_length >= request.tokens,
               "kv_length " + std::to_string(request.kv_length) + " is below tokens " +
                   std::to_string(request.tokens));
}

const ModelDescriptor& checked_part(const std::shared_ptr<const ModelDescriptor>& part,
                                    const std::string& name, Family family,
                                    const Requirements& that) {
  that.require(part != nullptr, "the part " + name + " is missing");
  that.require(part->family == family, "the part " + name + " is of another family");
  check_layers(*part, Requirements(*part));
  return *part;
}

/// A part as the text of a request.
void check_text_part(const PhaseRequest& request, const ModelDescriptor& text, std::int64_t tokens,
                     const Requirements& that) {
  PhaseRequest part = request;
  part.model = text;
  part.tokens = tokens;
  part.kv_length = tokens;
  if (text.family == Family::kDecoder) {
    check_decoder(part, that);
  } else {
    check_text(part, text.relative_attention_num_buckets == 0, that);
  }
}

void check_dual_encoder(const PhaseRequest& request, const Requirements& that) {
  const ModelDescriptor& model = request.model;
  check_tower(checked_part(model.vision, "vision", Family::kVit, that), that);
  check_text_part(request, checked_part(model.text, "text", Family::kBert, that), request.tokens,
                  that);
}

/// The tower and the connector behind it.
void check_images(const PhaseRequest& request, const Requirements& that) {
  const ModelDescriptor& model = request.model;
  const ModelDescriptor& vision = checked_part(model.vision, "vision", Family::kVit, that);
  check_tower(vision, that);
  that.positive("images", request.images);
  that.require(request.repeat == 1, "repeat does not go with a model of several phases");
  that.require(!vision.cls_token && vision.final_norm &&
                   vision.norm_position == NormPosition::kPre && vision.pooling == Pooling::kNone,
               "the connector reads the final norm's rows of patches: no cls_token, no pooling");
  const std::int64_t side = vision.image_size / vision.patch_size;
  that.positive("pixel_shuffle", model.connector.pixel_shuffle);
  that.require(side % model.connector.pixel_shuffle == 0,
               "pixel_shuffle " + std::to_string(model.connector.pixel_shuffle) +
                   " does not divide the " + std::to_string(side) + " patches of an image's side");
}

void check_vlm(const PhaseRequest& request, const Requirements& that) {
  check_images(request, that);
  const ModelDescriptor& text = checked_part(request.model.text, "text", Family::kDecoder, that);
  that.positive("tokens", request.tokens);
  const std::int64_t seen =
      request.images * visual_tokens(*request.model.vision, request.model.connector);
  check_text_part(request, text, seen + request.tokens, that);
}

void check_smolvla(const PhaseRequest& request, const Requirements& that) {
  const ModelDescriptor& model = request.model;
  check_images(request, that);
  const ModelDescriptor& text = checked_part(model.text, "text", Family::kDecoder, that);
  const ModelDescriptor& expert = checked_part(model.expert, "expert", Family::kDecoder, that);
  that.positive("tokens", request.tokens);
  that.positive("steps", request.steps);
  that.positive("chunk_size", model.chunk_size);
  that.positive("max_state_dim", model.max_state_dim);
  that.positive("max_action_dim", model.max_action_dim);
  that.not_negative("self_attn_every_n_layers", model.self_attn_every_n_layers);
  check_text_part(request, text, smolvla_prefix_tokens(request), that);
  that.require(text.norm_position == NormPosition::kPre && text.rope &&
                   expert.norm_position == NormPosition::kPre,
               "text and expert are pre-norm stacks with RoPE");
  that.require(text.num_hidden_layers % expert.num_hidden_layers == 0,
               "the expert's " + std::to_string(expert.num_hidden_layers) +
                   " layers do not divide the text's " + std::to_string(text.num_hidden_layers));
  that.require(
      text.num_key_value_heads == expert.num_key_value_heads && text.head_dim == expert.head_dim,
      "text and expert have different KV heads: the expert reads the text's cache");
}

std::shared_ptr<const ModelDescriptor> resolved(
    const std::shared_ptr<const ModelDescriptor>& part) {
  if (part == nullptr) return part;
  PhaseRequest request;
  request.model = *part;
  return std::make_shared<const ModelDescriptor>(resolve(request).model);
}

/// The requests of a composite: their defaults are the model's.
void resolve_composite(PhaseRequest& request) {
  ModelDescriptor& model = request.model;
  model.vision = resolved(model.vision);
  model.text = resolved(model.text);
  model.expert = resolved(model.expert);
  if (request.tokens == 0) request.tokens = model.tokens;
  if (request.tokens == 0 && model.text) request.tokens = model.text->tokens;
  if (request.images == 0) request.images = model.cameras;
  if (request.steps == 0) request.steps = model.num_steps;
}

}  // namespace

PhaseRequest resolve(PhaseRequest request) {
  ModelDescriptor& model = request.model;
  if (is_composite(model.family)) {
    resolve_composite(request);
    return request;
  }
  if (model.num_key_value_heads == 0) {
    model.num_key_value_heads = model.num_attention_heads;
  }
  if (model.head_dim == 0 && model.num_attention_heads > 0) {
    model.head_dim = model.hidden_size / model.num_attention_heads;
  }
  if (request.tokens == 0 && request.kv_length > 0) {
    request.tokens = 1;
  }
  if (request.tokens == 0 && model.family != Family::kVit && model.family != Family::kGraph) {
    request.tokens = model.tokens;
  }
  if (request.kv_length == 0) {
    request.kv_length = request.tokens;
  }
  return request;
}

void check(const PhaseRequest& request) {
  const Requirements that(request.model);
  const Family family = request.model.family;
  that.require(!request.phase.empty() || is_composite(family), "the phase has no name");
  that.positive("batch", request.batch);
  that.positive("repeat", request.repeat);
  that.require(request.not_before_s >= 0, "not_before must not be negative");
  if (family == Family::kGraph) return check_graph(request, that);
  if (!is_composite(family)) {
    check_layers(request.model, that);
    that.require(family == Family::kDecoder || request.kv_length == request.tokens,
                 "kv_length is of decoders");
  }
  switch (family) {
    case Family::kVit:
      return check_vit(request, that);
    case Family::kDecoder:
      return check_decoder(request, that);
    case Family::kBert:
      return check_text(request, request.model.relative_attention_num_buckets == 0, that);
    case Family::kDualEncoder:
      return check_dual_encoder(request, that);
    case Family::kVlm:
      return check_vlm(request, that);
    case Family::kSmolVla:
      return check_smolvla(request, that);
    case Family::kGraph:
      return;
  }
}

}  // namespace tessera::workloads
