#include "workloads/families/request_checks.h"

#include <stdexcept>
#include <string>

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

void check_vit(const PhaseRequest& request, const Requirements& that) {
  const ModelDescriptor& model = request.model;
  that.positive("patch_size", model.patch_size);
  that.positive("num_channels", model.num_channels);
  that.require(model.image_size >= model.patch_size,
               "image_size " + std::to_string(model.image_size) + " is below patch_size " +
                   std::to_string(model.patch_size));
  that.not_negative("num_labels", model.num_labels);
  that.require(model.num_labels == 0 || model.cls_token,
               "num_labels needs cls_token: the classifier reads the CLS row");
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
  }
}

}  // namespace

PhaseRequest resolve(PhaseRequest request) {
  ModelDescriptor& model = request.model;
  if (model.num_key_value_heads == 0) {
    model.num_key_value_heads = model.num_attention_heads;
  }
  if (model.head_dim == 0 && model.num_attention_heads > 0) {
    model.head_dim = model.hidden_size / model.num_attention_heads;
  }
  if (request.tokens == 0 && model.family != Family::kVit && model.family != Family::kGraph) {
    request.tokens = model.tokens;
  }
  return request;
}

void check(const PhaseRequest& request) {
  const Requirements that(request.model);
  that.require(!request.phase.empty(), "the phase has no name");
  that.positive("batch", request.batch);
  that.positive("repeat", request.repeat);
  that.require(request.not_before_s >= 0, "not_before must not be negative");
  if (request.model.family == Family::kGraph) return check_graph(request, that);
  check_layers(request.model, that);
  switch (request.model.family) {
    case Family::kVit:
      return check_vit(request, that);
    case Family::kDecoder:
      return check_text(request, !request.model.rope, that);
    case Family::kBert:
      return check_text(request, true, that);
    case Family::kGraph:
      return;
  }
}

}  // namespace tessera::workloads
