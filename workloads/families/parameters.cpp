// How many parameters a checkpoint holds.
#include "workloads/families/connector.h"
#include "workloads/families/smolvla.h"
#include "workloads/families/vit.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {
namespace {

std::int64_t linear_parameters(std::int64_t in, std::int64_t out, bool bias) {
  return in * out + (bias ? out : 0);
}

std::int64_t norm_parameters(const ModelDescriptor& model) {
  return model.hidden_size * (model.norm == Norm::kLayerNorm ? 2 : 1);
}

std::int64_t attention_parameters(const ModelDescriptor& model) {
  const std::int64_t q = model.num_attention_heads * model.head_dim;
  const std::int64_t kv = model.num_key_value_heads * model.head_dim;
  return linear_parameters(model.hidden_size, q + 2 * kv, model.qkv_bias) +
         linear_parameters(q, model.hidden_size, model.out_bias);
}

std::int64_t mlp_parameters(const ModelDescriptor& model) {
  const std::int64_t up = (model.gated_mlp ? 2 : 1) * model.intermediate_size;
  return linear_parameters(model.hidden_size, up, model.mlp_bias) +
         linear_parameters(model.intermediate_size, model.hidden_size, model.mlp_bias);
}

std::int64_t stack_parameters(const ModelDescriptor& model) {
  const std::int64_t scales = model.layer_scale ? 2 * model.hidden_size : 0;
  const std::int64_t layer =
      attention_parameters(model) + mlp_parameters(model) + 2 * norm_parameters(model) + scales;
  const bool final_norm = model.final_norm && model.norm_position == NormPosition::kPre;
  return model.num_hidden_layers * layer + (final_norm ? norm_parameters(model) : 0);
}

std::int64_t map_head_parameters(const ModelDescriptor& model) {
  const std::int64_t hidden = model.hidden_size;
  return hidden + linear_parameters(hidden, 4 * hidden, true) + norm_parameters(model) +
         mlp_parameters(model);
}

std::int64_t vit_parameters(const ModelDescriptor& model) {
  const std::int64_t hidden = model.hidden_size;
  ModelDescriptor learnt = model;
  if (model.position_image_size > 0) learnt.image_size = model.position_image_size;
  const std::int64_t rows = vit_tokens(learnt);
  const std::int64_t in_front = rows - vit_patches(learnt);
  std::int64_t sum = stack_parameters(model) + (rows + in_front) * hidden;
  sum += linear_parameters(model.patch_size * model.patch_size * model.num_channels, hidden,
                           model.patch_bias);
  sum += model.mask_token ? hidden : 0;
  sum += model.embed_norm ? norm_parameters(model) : 0;
  sum += model.pooling == Pooling::kMap ? map_head_parameters(model) : 0;
  sum += linear_parameters(hidden, model.projection_dim, model.projection_bias);
  return sum + linear_parameters(hidden, model.num_labels, true);
}

std::int64_t decoder_parameters(const ModelDescriptor& model) {
  const std::int64_t table = model.vocab_size * model.hidden_size;
  const std::int64_t positions = model.rope ? 0 : model.max_position_embeddings * model.hidden_size;
  return stack_parameters(model) + positions + (model.tie_word_embeddings ? 1 : 2) * table;
}

std::int64_t text_encoder_parameters(const ModelDescriptor& model) {
  const std::int64_t hidden = model.hidden_size;
  const std::int64_t buckets = model.relative_attention_num_buckets;
  const std::int64_t positions =
      buckets > 0 ? buckets * model.num_attention_heads : model.max_position_embeddings * hidden;
  const bool embed_norm = model.norm_position == NormPosition::kPost;
  return stack_parameters(model) + positions + (model.vocab_size + model.type_vocab_size) * hidden +
         (embed_norm ? norm_parameters(model) : 0) +
         (model.pooler ? linear_parameters(hidden, hidden, true) : 0) +
         linear_parameters(hidden, model.projection_dim, model.projection_bias);
}

std::int64_t connector_parameters(const ModelDescriptor& model) {
  const std::int64_t block = model.connector.pixel_shuffle * model.connector.pixel_shuffle;
  return linear_parameters(block * model.vision->hidden_size, model.text->hidden_size,
                           model.connector.bias);
}

/// The stack, and the projections of state, actions and time around it.
std::int64_t expert_parameters(const ModelDescriptor& model) {
  const ModelDescriptor& expert = *model.expert;
  const std::int64_t hidden = expert.hidden_size;
  const std::int64_t kv = expert.num_key_value_heads * expert.head_dim;
  const std::int64_t read = model.text->num_key_value_heads * model.text->head_dim;
  std::int64_t sum = stack_parameters(expert);
  for (std::int64_t layer = 0; layer < expert.num_hidden_layers; ++layer) {
    // Cross-attention projects the text's keys and values instead of its own rows.
    if (!is_self_layer(model, layer * expert_stride(model))) sum += 2 * (read - hidden) * kv;
  }
  sum += linear_parameters(model.max_state_dim, model.text->hidden_size, true);
  sum += linear_parameters(model.max_action_dim, hidden, true);
  sum += linear_parameters(hidden, model.max_action_dim, true);
  return sum + linear_parameters(2 * hidden, hidden, true) +
         linear_parameters(hidden, hidden, true);
}

/// What lies in weight tensors.
std::int64_t graph_parameters(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.cls == TensorClass::kWeights) sum += element_count(tensor);
  }
  return sum;
}

}  // namespace

std::int64_t parameter_count(const ModelDescriptor& model) {
  switch (model.family) {
    case Family::kVit:
      return vit_parameters(model);
    case Family::kDecoder:
      return decoder_parameters(model);
    case Family::kBert:
      return text_encoder_parameters(model);
    case Family::kDualEncoder:
      return parameter_count(*model.vision) + parameter_count(*model.text);
    case Family::kGraph:
      return graph_parameters(*model.graph);
    case Family::kVlm:
    case Family::kSmolVla:
      break;
  }
  return parameter_count(*model.vision) + connector_parameters(model) +
         parameter_count(*model.text) + (model.expert ? expert_parameters(model) : 0);
}

}  // namespace tessera::workloads
