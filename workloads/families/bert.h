// Text encoders: BERT, DistilBERT, MiniLM, the text towers of CLIP and SigLIP, T5's encoder.
#pragma once

#include <cstdint>

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Token_Embed, PosEmbed_Add (but for relative positions), TypeEmbed_Add (where there are types),
/// LayerNorm_embed (post-norm stacks), the layers, the final norm (pre-norm stacks), Pooler with
/// Tanh on the first row of each request, Text_projection on its last.
/// REQUIRES: a resolved, valid request.
void append_bert(Graph& graph, const PhaseRequest& request);

}  // namespace tessera::workloads
