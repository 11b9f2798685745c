// Bidirectional text encoders: BERT, DistilBERT, MiniLM.
#pragma once

#include <cstdint>

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Token_Embed, PosEmbed_Add, TypeEmbed_Add (where there are types), LayerNorm_embed (post-norm
/// stacks), the layers, and Pooler with Tanh on the first row of each request.
/// REQUIRES: a resolved, valid request.
void append_bert(Graph& graph, const PhaseRequest& request);

}  // namespace tessera::workloads
