// Graph passes: from a graph to a graph.
#pragma once

#include <functional>

#include "workloads/graph.h"

namespace tessera::workloads {

/// Bits of one operand pair, "w4a8" = 4-bit weights, 8-bit activations.
struct Precision {
  int weight_bits = 8;
  int activation_bits = 8;
  int kv_bits = 8;
};

/// Sets every tensor's bits by its class, but for tensors with bits of their own. A copy whose two
/// sides differ in width (4-bit table rows into 8-bit activations) becomes a "requantise" of the
/// vector unit.
Graph apply_precision(Graph graph, const Precision& precision);

/// `kAuto`: where it pays, as whoever knows the machine decides.
enum class FusionSwitch { kOff, kOn, kAuto };

/// Which fusions are on.
struct Fusion {
  bool epilogue = true;
  FusionSwitch qkv = FusionSwitch::kOff;
  FusionSwitch gate_up = FusionSwitch::kOff;
  FusionSwitch attention = FusionSwitch::kOff;
  FusionSwitch residual = FusionSwitch::kOff;
  Softmax softmax = Softmax::kThreePass;  // of fused attention
};

/// Does it pay to run `fused` in place of `apart`? Operators of the graph and of its tensors.
using FusionPays = std::function<bool(const Graph& graph, const std::vector<Operator>& apart,
                                      const std::vector<Operator>& fused)>;

/// Gemm + activation + requantise: an activation that is the only reader of a Gemm's output runs as
/// the Gemm's streaming epilogue; the intermediate tensor disappears from the operators (it stays
/// in `tensors`, unused). Every Gemm ends with a "requantise" step (bias is folded into it), fused
/// or not. The fused operator keeps the Gemm's name and lists its members.
/// Gate + up: both and the activation that joins them become one Gemm, see merge_gemms.h.
/// QKV: projections of one input become one Gemm, see merge_gemms.h.
/// Residual: an addition that is the only reader of a Gemm's output runs as the first step of its
/// epilogue; the other summand becomes the Gemm's third input. The sum is rounded once, not twice.
/// Attention: scores, softmax and context become one operator "Attention" where nobody else reads
/// scores or probabilities and both have the same width; its `parts` are what it replaces. `pays`
/// is asked with kAuto. REQUIRES: pays, with kAuto.
Graph fuse(Graph graph, const Fusion& fusion, const FusionPays& pays = {});

}  // namespace tessera::workloads
