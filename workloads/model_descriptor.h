// What a model is, in the words of its config.json; the families turn it into a graph.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "workloads/graph.h"

namespace tessera::workloads {

enum class Family { kVit, kDecoder, kBert, kGraph };
enum class Activation { kGelu, kGeluTanh, kQuickGelu, kSilu, kRelu };
enum class Norm { kLayerNorm, kRmsNorm };
enum class NormPosition { kPre, kPost };
enum class LmHead { kNone, kLastToken, kAllTokens };

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
  // vit
  std::int64_t image_size = 0;
  std::int64_t patch_size = 0;
  std::int64_t num_channels = 3;
  bool cls_token = false;
  std::int64_t num_labels = 0;  // > 0: a Classifier on the first row
  // decoder, bert
  std::int64_t vocab_size = 0;
  std::int64_t max_position_embeddings = 0;
  std::int64_t type_vocab_size = 0;  // bert
  bool rope = false;                 // decoder
  Mask mask = Mask::kFull;
  LmHead lm_head = LmHead::kNone;
  bool pooler = false;      // bert: Linear + tanh on the first row
  std::int64_t tokens = 0;  // default sequence length of a text model
  // graph: operators and tensors without phase, e.g. from `tessera import onnx`
  std::shared_ptr<const Graph> graph;
};

/// One phase of a workload as configured.
struct PhaseRequest {
  std::string phase;
  ModelDescriptor model;
  std::int64_t batch = 1;
  std::int64_t tokens = 0;  // text models; 0 for images
  int repeat = 1;
  double not_before_s = 0.0;
};

/// Appends the phase's operators and tensors to `graph` and returns nothing; operator names and
/// shapes follow WORKLOADS (operators.csv). Throws std::invalid_argument with a one-line reason
/// when the descriptor is inconsistent (width not divisible by heads, tokens beyond positions).
void append_phase(Graph& graph, const PhaseRequest& request);
Graph build_graph(const std::vector<PhaseRequest>& requests);

}  // namespace tessera::workloads
