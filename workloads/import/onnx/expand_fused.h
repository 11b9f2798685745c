// Fused operators of newer opsets and of runtimes, taken apart into those that the mapping knows.
#pragma once

#include "workloads/import/onnx/model.h"

namespace tessera::workloads::onnx {

/// Attention without KV cache (opset 23, com.microsoft Attention and MultiHeadAttention),
/// RotaryEmbedding, SkipLayerNormalization and its simplified form, BiasGelu; MatMulNBits becomes a
/// MatMul with a weight of its bits. Other nodes stay as they are.
Model expand_fused(Model model);

}  // namespace tessera::workloads::onnx
