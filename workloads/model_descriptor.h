// What a model is, in the words of its config.json; the families turn it into a graph.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "workloads/graph.h"

namespace tessera::workloads {

/// Image encoders, text decoders and text encoders are one stack of layers; the others are made of
/// such parts: an image and a text encoder, a decoder that reads images, SmolVLA. `kGraph`:
/// operators from outside.
enum class Family { kVit, kDecoder, kBert, kDualEncoder, kVlm, kSmolVla, kGraph };
enum class Activation { kGelu, kGeluTanh, kQuickGelu, kSilu, kRelu };
enum class Norm { kLayerNorm, kRmsNorm };
enum class NormPosition { kPre, kPost };
enum class LmHead { kNone, kLastToken, kAllTokens };
enum class Pooling { kNone, kMap };

/// From the rows of an image to tokens of the text model: `pixel_shuffle` x `pixel_shuffle` patches
/// become one row, then one Linear.
struct ConnectorDescriptor {
  std::int64_t pixel_shuffle = 1;
  bool bias = false;
  bool embed_scale = false;  // the tokens times the root of their width
};

/// Resolved: no optionals left. Field names follow Hugging Face config.json.
struct ModelDescriptor {
  std::string name;   // file stem, e.g. "siglip_b16_512"
  std::string title;  // for the report's head, e.g. "SigLIP-B/16-512"
  Family family = Family::kVit;
  std::int64_t hidden_size = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;
  std::int64_t num_key_value_heads = 0;  // 0 in YAML (absent) -> num_attention_heads
  std::int64_t head_dim = 0;             // 0 in YAML (absent) -> hidden_size / num_attention_heads
  std::int64_t intermediate_size = 0;
  Activation hidden_act = Activation::kGelu;
  bool gated_mlp = false;
  Norm norm = Norm::kLayerNorm;
  NormPosition norm_position = NormPosition::kPre;
  bool final_norm = true;  // pre-norm stacks: a norm after the last layer
  // biases count as parameters; their additions are part of a Gemm's requantisation
  bool qkv_bias = true;
  bool out_bias = true;
  bool mlp_bias = true;
  // vit, bert
  std::int64_t projection_dim = 0;  // > 0: a Linear on one row: CLS (vit), the last token (bert)
  bool projection_bias = false;
  // vit
  std::int64_t image_size = 0;
  std::int64_t patch_size = 0;
  std::int64_t num_channels = 3;
  bool patch_bias = true;
  bool cls_token = false;
  std::int64_t extra_tokens = 0;         // rows behind CLS: distillation, registers
  std::int64_t position_image_size = 0;  // positions were learnt at this size; 0: image_size
  bool mask_token = false;               // a parameter of the training
  bool embed_norm = false;               // a norm in front of the layers (CLIP)
  bool layer_scale = false;              // each branch times one factor a column (DINOv2)
  bool pooled_norm = false;              // the final norm reads the first row alone (CLIP)
  Pooling pooling = Pooling::kNone;      // MAP: one query attends to all rows, then an MLP (SigLIP)
  std::int64_t num_labels = 0;           // > 0: a Classifier on the first row
  // decoder, bert
  std::int64_t vocab_size = 0;
  std::int64_t max_position_embeddings = 0;
  std::int64_t type_vocab_size = 0;  // bert
  std::int64_t relative_attention_num_buckets =
      0;                             // bert: > 0: biases of scores, no positions (T5)
  bool rope = false;                 // decoder
  bool embed_scale = false;          // decoder: embeddings times root of width
  bool tie_word_embeddings = false;  // decoder: the LM head is the embedding table
  Mask mask = Mask::kFull;
  LmHead lm_head = LmHead::kNone;
  bool pooler = false;      // bert: Linear + tanh on the first row
  std::int64_t tokens = 0;  // default sequence length of a text model
  // dual_encoder, vlm, smolvla: their parts; null in other families
  std::shared_ptr<const ModelDescriptor> vision, text, expert;
  ConnectorDescriptor connector;  // vlm, smolvla
  // smolvla: the expert reads the text layers' keys and values
  std::int64_t self_attn_every_n_layers = 2;  // other layers: cross-attention; 0: all
  std::int64_t chunk_size = 50;               // action tokens
  std::int64_t num_steps = 10;                // denoising steps
  std::int64_t max_state_dim = 32, max_action_dim = 32;
  std::int64_t cameras = 1;
  // graph: operators and tensors without phase, e.g. from `tessera import onnx`
  std::shared_ptr<const Graph> graph;
};

/// What work of a model is done, where it can be saved.
enum class CrossKv { kRecomputed, kHoisted };
enum class Effort { kComputed, kSkipped };

/// One phase of a workload as configured; a model of several parts becomes several.
struct PhaseRequest {
  std::string phase;
  ModelDescriptor model;
  std::int64_t batch = 1;
  std::int64_t tokens = 0;     // text models; 0 for images
  std::int64_t kv_length = 0;  // decoder: keys that the last token sees; 0: tokens (prefill)
  int repeat = 1;
  double not_before_s = 0.0;
  Effort causal_half = Effort::kComputed;  // scores above the causal mask
  // vlm, smolvla
  std::int64_t images = 0;  // 0: the model's cameras
  // smolvla
  std::int64_t steps = 0;                   // 0: the model's num_steps
  CrossKv cross_kv = CrossKv::kRecomputed;  // the expert's keys and values of the prefix
  Effort dead_work = Effort::kComputed;  // of the prefix's last layer, behind its keys and values
};

/// Is `family` made of several stacks?
bool is_composite(Family family);

/// Appends the phase's (or phases') operators and tensors to `graph`; operator names and shapes
/// follow WORKLOADS (operators.csv). A composite's phases are called after their parts ("vision");
/// `request.phase`, where it is given, goes in front ("NAME_vision"). Throws std::invalid_argument
/// with a one-line reason when the descriptor is inconsistent (width not divisible by heads, tokens
/// beyond positions).
void append_phase(Graph& graph, const PhaseRequest& request);
/// Throws as append_phase does.
void check_phase(const PhaseRequest& request);
Graph build_graph(const std::vector<PhaseRequest>& requests);

/// Parameters of the checkpoint, biases and tables included; tied tables once.
std::int64_t parameter_count(const ModelDescriptor& model);

}  // namespace tessera::workloads
