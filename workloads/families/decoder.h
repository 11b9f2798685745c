// Decoder-only text models in prefill and decode: SmolLM2, TinyLlama, Qwen2, Gemma.
#pragma once

#include <cstdint>

#include "workloads/families/blocks.h"
#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Token_Embed, Embed_Scale (Gemma), the layers (RoPE, or PosEmbed_Add without it; K and V through
/// the KV cache), RMSNorm_final and LM_Head. With kv_length above tokens the caches hold the
/// earlier keys and values (decode). The LM head has its own weights: an embedding table tied to it
/// is stored once more.
/// REQUIRES: a resolved, valid request.
void append_decoder(Graph& graph, const PhaseRequest& request);

/// The same from the residual stream on.
void append_decoder_layers(PhaseBuilder& phase, const Matrix& stream);

}  // namespace tessera::workloads
