// The plan: one mapping per operator and a place in DRAM for every tensor.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"
#include "workloads/graph.h"
#include "workloads/passes/operator_pattern.h"

namespace tessera::sim {

using hw::Bytes;
using hw::Cycles;

/// Online softmax keeps of each row: its maximum, its sum, the factor of the last rescaling, and
/// how many keys it has seen, 32 bits each.
constexpr int kStatisticsKept = 4;
constexpr Bytes kStatisticsBytes = kStatisticsKept * 4;

enum class LoopDim { kM, kK, kN };

struct TileShape {
  std::int64_t m = 0, k = 0, n = 0;
};

/// `count` equal slots in one buffer, used in turn (1: single, 2: double buffered; a resident
/// operand has one slot per tile).
struct Slots {
  int buffer = -1;
  Bytes offset = 0;
  Bytes bytes = 0;   // of one slot
  int count = 0;     // 0: not used
  Bytes stride = 0;  // from slot to slot; 0: `bytes`, one behind the other
  Bytes step() const { return stride > 0 ? stride : bytes; }
  Bytes at(std::int64_t slot) const { return offset + slot * step(); }
  Bytes end() const { return count == 0 ? offset : at(count - 1) + bytes; }
};

/// By tensor: the region that holds it, row behind row, from its first use to its last, in place of
/// DRAM (one slot). Count 0, or no entry: it lies in DRAM.
using KeptTensors = std::vector<Slots>;
bool is_kept(const KeptTensors& kept, workloads::TensorId tensor);

/// What the analytical model says of a mapping, for the operator alone and cold, all instances.
struct MappingCost {
  Cycles latency = 0;       // estimate in core cycles
  Cycles array_cycles = 0;  // array busy, as mapped
  Cycles vector_cycles = 0;
  Cycles dram_cycles = 0;  // bus bytes at the sustained bandwidth
  Bytes dram_bytes = 0;    // useful bytes moved
  Bytes bus_bytes = 0;     // whole bursts
};

/// Mapping of one Gemm operator: executed instances/group times as (group*m, k, n).
/// Loops run over tiles, `order` from outer to inner. A tile moves only when its index differs from
/// the previous iteration's. `resident` operands are loaded once, each tile into its own slot. On a
/// machine with a hardware loop every tile loads both operands, and `outputs` are staging slots of
/// one store command.
struct GemmMapping {
  hw::Dataflow dataflow = hw::Dataflow::kWeightStationary;
  TileShape tile;
  std::array<LoopDim, 3> order{LoopDim::kM, LoopDim::kN, LoopDim::kK};
  bool resident_a = false;
  bool resident_b = false;
  Slots a, b, accumulators, outputs;  // count 2 = double buffered; outputs.count 0 = in place
  /// DRAM scratch of partial sums that leave the chip: [instance][m][n] at accumulator width, rows
  /// of `ceil(n * element_bits / 8)` bytes without gaps. -1: no partial sums leave.
  std::int64_t spill_address = -1;
  Bytes spill_bytes = 0;
};

/// Mapping of a vector or copy operator: blocks of rows x cols (cols < n only when a row does not
/// fit), loaded, computed, stored.
struct VectorMapping {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<Slots> inputs;   // one per input view
  std::vector<Slots> outputs;  // one per output view; empty for copies (store from the input slot)
  Slots parameters;            // all parameter tensors back to back; count 0 or 1
};

/// Mapping of fused attention: blocks of `rows` query rows (over the group), each against all keys
/// in blocks of `keys`. A block's scores lie whole on chip, block of keys after block of keys, each
/// row by row; softmax works on them in place, `softmax_rows` rows a command. The scores of the
/// next block are computed ahead of the context of the present one.
/// `online`: a slot of scores holds one block of keys; its softmax keeps `statistics` of each row,
/// by which the sums of the context are rescaled before the block adds to them.
struct AttentionMapping {
  hw::Dataflow dataflow = hw::Dataflow::kWeightStationary;  // of both Gemms
  std::int64_t rows = 0, keys = 0, softmax_rows = 0;
  bool online = false;
  bool resident = false;  // k and v: loaded once per head, one slot per block of keys
  Slots q, k, v;
  Slots scores;      // and probabilities
  Slots score_sums;  // accumulators of a block of rows x keys
  Slots sums;        // accumulators of the context
  Slots outputs;
  Slots statistics;  // online: one slot
};

struct OperatorPlan {
  std::string name;  // "vision.L3.Attn_Q": phase[.Llayer].name, unique
  bool is_gemm = true;
  bool is_attention = false;
  GemmMapping gemm;
  VectorMapping vector;
  AttentionMapping attention;
  MappingCost cost;
  Bytes least_dram_bytes = 0;   // of any mapping of this kind with these buffers
  Bytes lower_bound_bytes = 0;  // max(MK+KN+MN, 2MNK/sqrt(S) - 2S) in bytes, all instances
  bool pinned = false;
};

/// `kTiled`: in blocks of some rows by some bytes; see hw::Tiling.
enum class Layout { kRowMajor, kTiled };
enum class Lifetime { kWeight, kActivation, kPersistent };

struct TensorAllocation {
  std::string name;
  std::int64_t address = -1;  // -1: takes no DRAM (fused away, never referenced)
  Bytes bytes = 0;            // as stored, with pitch
  Bytes pitch = 0;            // bytes from row to row
  Layout layout = Layout::kRowMajor;
  std::int64_t block_rows = 0;  // tiled
  Bytes block_width = 0;        // tiled: a power of two that divides the pitch
  Bytes alignment = 0;
  Lifetime lifetime = Lifetime::kActivation;
  Slots kept;                       // stays on chip and has no address; count 0: does not
  int first_use = 0, last_use = 0;  // operator indices, inclusive
};

struct Plan {
  std::vector<OperatorPlan> operators;    // parallel to Graph::operators
  std::vector<TensorAllocation> tensors;  // parallel to Graph::tensors
};

KeptTensors kept_tensors(const Plan& plan);

/// The slot lists of fused attention that have two slots: of "q", "k" and "v" unless resident,
/// "scores", "score_sums", "sums", "outputs".
std::vector<std::string> doubled_slots(const AttentionMapping& mapping);
/// "mnk": the loops from outer to inner.
std::string loop_order_text(const std::array<LoopDim, 3>& order);

}  // namespace tessera::sim
