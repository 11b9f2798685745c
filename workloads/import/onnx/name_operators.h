// Names as the descriptor families give them, by what an operator does in its layer.
#pragma once

#include "workloads/import/onnx/map_graph.h"

namespace tessera::workloads::onnx {

/// Finds attention (scores, softmax, context over heads), the projections, norms, residuals and MLP
/// around it: layers, printed names and masks. What is left keeps its kind as name; names are
/// unique in their layer. Tensors become "L0.Attn_Q.out".
void name_operators(MappedGraph& mapped);

}  // namespace tessera::workloads::onnx
