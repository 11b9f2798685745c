// SmolVLA: a robot's images, state and instruction become a chunk of actions.
#pragma once

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Four phases: "vision" and "connector" for each camera; "prefix", the text layers over images,
/// `tokens` tokens of language and one state token; "denoise", `steps` steps of the action expert.
/// Layers of the expert attend to the prefix's keys and values and their own (every
/// self_attn_every_n_layers-th), or to projections of the prefix's (cross-attention), which depend
/// on the prefix alone: recomputed in every step as LeRobot does, or hoisted into "prefix".
/// REQUIRES: a resolved, valid request.
void append_smolvla(Graph& graph, const PhaseRequest& request);

/// Rows of the prefix of one request.
std::int64_t smolvla_prefix_tokens(const PhaseRequest& request);
/// Does the expert layer that reads text layer `layer` attend to its own keys too?
bool is_self_layer(const ModelDescriptor& model, std::int64_t layer);
/// Text layers from one that an expert layer reads to the next.
std::int64_t expert_stride(const ModelDescriptor& model);

}  // namespace tessera::workloads
