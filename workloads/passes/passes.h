// Graph passes: from a graph to a graph.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "workloads/graph.h"

namespace tessera::workloads {

/// The two operands of a Gemm.
struct OperandTypes {
  ElementType weights, activations;
};
/// "w8a8", "w4a16" for integers; "bf16" for two alike, "w4bf16" for weights of 4 bits.
std::string pair_name(const OperandTypes& types);
/// The same back. Throws std::invalid_argument for what is no such name.
OperandTypes operand_types(const std::string& pair);

/// Weights in groups of `size` elements of a row that share one scale; 0: one scale a tensor, which
/// is not counted.
struct QuantisationGroups {
  int size = 0;
  int scale_bits = 16;
};

/// Weights and activations of the operators whose qualified name matches `pattern` (`*` any
/// characters; a pattern without a dot matches the bare operator name).
struct PrecisionRule {
  std::string pattern;
  OperandTypes types;
};

/// Element types by tensor class, and by operator.
struct Precision {
  ElementType weights = 8, activations = 8, kv_cache = 8;
  std::optional<ElementType> softmax = {};  // what softmax reads: the scores
  std::optional<ElementType> norm = {};     // what norms read: the residual stream
  QuantisationGroups groups = {};           // of weights
  std::vector<PrecisionRule> rules = {};    // the last that matches wins
};

/// "w8a8, KV cache int4, softmax fp16, groups of 128, denoise.* w4a8".
std::string describe(const Precision& precision);

/// Sets the element type of every tensor but those that the model itself fixes (`own_bits`).
/// Weights have the type that the operators reading them ask for. Activations have the type that
/// the Gemms reading them ask for, as whoever writes them requantises; those that no Gemm reads
/// have that of their writer's rule; what softmax and norms read has theirs. A copy whose two sides
/// differ (4-bit table rows into 8-bit activations) becomes a "requantise" of the vector unit.
/// Throws std::invalid_argument where two operators ask for different types of one tensor, naming
/// both, and where a width is not positive.
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
