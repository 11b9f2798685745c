// Decoder-only text models in prefill: SmolLM2, TinyLlama.
#pragma once

#include <cstdint>

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Token_Embed, the layers (RoPE, or PosEmbed_Add without it; K and V through the KV cache),
/// RMSNorm_final and LM_Head. The LM head has its own weights: an embedding table tied to it is
/// stored once more.
/// REQUIRES: a resolved, valid request.
void append_decoder(Graph& graph, const PhaseRequest& request);

}  // namespace tessera::workloads
