// From an ONNX graph as exported to operators that the mapper knows: quantisation becomes
// precision, decomposed operators become one, scales, masks and biases join their neighbours.
#pragma once

#include "workloads/import/onnx/network.h"

namespace tessera::workloads::onnx {

/// Cast, Identity, Dropout, QuantizeLinear and DequantizeLinear go; quantised values keep their
/// bits. Constants that are computed from constants need no operator.
void rewrite_precision(Network& network);
/// LayerNorm, RMSNorm ("RMSNormalization"), GELU, QuickGELU ("QuickGelu"), SiLU ("Silu") from their
/// parts; rotations ("Rope"); gated products ("SiluMul", "GeluMul").
void rewrite_decomposed(Network& network);
/// Scale and mask in front of a softmax (a causal mask becomes its attribute "causal"), biases
/// behind Gemms, products with one factor beside Gemms.
void rewrite_epilogues(Network& network);
/// All of them in order; then drops what nobody reads.
void rewrite(Network& network);

/// Views: only the order of elements or their grouping changes.
bool is_layout(const Node& node);
/// MatMul, Gemm, Conv and their quantised forms.
bool is_product(const Node& node);

}  // namespace tessera::workloads::onnx
