// The stack of layers.
#pragma once

#include "workloads/families/attention.h"

namespace tessera::workloads {

/// All layers: pre- or post-norm attention and MLP with their residuals.
Matrix transformer_layers(PhaseBuilder& phase, Matrix stream, KvSource kv);

/// What follows the attention of a pre-norm layer: LayerScale, residual, norm, MLP, residual.
Matrix finish_pre_norm_layer(PhaseBuilder& phase, const Matrix& stream, const Matrix& attention);

}  // namespace tessera::workloads
