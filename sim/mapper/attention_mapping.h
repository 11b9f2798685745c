// Mapping and price of fused attention: query blocks stay, keys and values stream or stay.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "sim/config/run_config.h"
#include "sim/mapper/price.h"

namespace tessera::sim {

/// Both Gemms, groups folded into m, and the softmax between them.
struct AttentionProblem {
  std::string name;
  GemmProblem scores, context;
  std::string softmax;  // key of the vector unit's operation table
  workloads::Softmax kind = workloads::Softmax::kThreePass;
  std::int64_t values() const { return context.n; }
};

/// REQUIRES: op.kind == kAttention. Throws MappingError when the machine cannot run it.
AttentionProblem attention_problem(const workloads::Graph& graph, const workloads::Operator& op,
                                   const hw::HardwareConfig& hardware,
                                   const KeptTensors& kept = {});
/// Problems with equal keys have equal mappings.
std::string shape_key(const AttentionProblem& problem);

/// Slots without places. Counts: 1 single, 2 double; `keys_values` counts sets if resident.
struct AttentionChoice {
  hw::Dataflow dataflow = hw::Dataflow::kWeightStationary;
  std::int64_t rows = 1, keys = 1, softmax_rows = 1;
  bool resident = false;
  bool online = false;  // only with several blocks of keys
  int q = 1, keys_values = 1, scores = 1, score_sums = 1, sums = 1, outputs = 1;
};

/// Slots of q, k, v, scores, score sums, sums, outputs, statistics, in this order.
constexpr std::size_t kAttentionSlots = 8;
/// The vector operation that rescales the sums of the context in online softmax.
constexpr const char* kRescale = "scale";
using AttentionSlots = std::array<Slots, kAttentionSlots>;
AttentionSlots attention_slots(const AttentionProblem& problem, const AttentionChoice& choice,
                               const hw::HardwareConfig& hardware);

/// With T query blocks in all, S and C array cycles of a block's scores and context, V vector
/// cycles of a block, L the latency of a load:
///   latency = launch + 3 dispatch + body + store
///   body = max( L + t(first Q, K) + S + (T - 1) step + softmax beyond C + C + tail,
///               L + t(all bus bytes but the last store) + C,    DRAM-bound
///               commands * dispatch )                           issue-bound
///   step = max(S + C + bubbles, V) with two slots of scores: the softmax of a block runs beside
///   the scores of the next; S + softmax + C + bubbles with one. Bubbles of rings as in price.h.
/// Online: the same with blocks of rows x keys, of which all but the first of their rows are
/// rescaled: step = max(S + C + bubbles, V, C + drain + rescaling), or all of them in turn.
MappingCost attention_cost(const AttentionProblem& problem, const AttentionChoice& choice,
                           const hw::HardwareConfig& hardware);

/// What an objective minimises.
std::int64_t value_of(Objective objective, const MappingCost& cost);

struct AttentionResult {
  AttentionChoice choice;
  MappingCost cost;
  Bytes least_dram_bytes = 0;  // of all candidates
};
/// Every candidate that fits, priced. Throws MappingError when none does.
AttentionResult search_attention(const AttentionProblem& problem, const ObjectiveConfig& objective,
                                 const hw::HardwareConfig& hardware);

AttentionMapping attention_mapping(const AttentionProblem& problem, const AttentionChoice& choice,
                                   const hw::HardwareConfig& hardware);
AttentionChoice choice_of(const AttentionProblem& problem, const AttentionMapping& mapping);

/// Q, K, V and O once.
Bytes compulsory_bytes(const AttentionProblem& problem);

}  // namespace tessera::sim
