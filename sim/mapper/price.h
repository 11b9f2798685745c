// The analytical price of a mapping: closed forms, O(1) per mapping, integers throughout.
//
// A Gemm operator, alone and cold, with L = latency of a load, t(x) = x bytes at the sustained
// rate:
//   latency = launch + 3 dispatch + body + tail + store
//   body = max( L + t(first A tile) + t(first B tile) + array + bubbles,     array-bound
//               L + t(all bus bytes but the last store) + last command,      DRAM-bound
//               L + t(first tiles) + epilogues of all results but the last,  vector-bound
//               commands * dispatch, loads of one queue * descriptor )       issue-bound
//   tail = from the last operand row to the last result behind the epilogue
//   store = latency of a store + t(last result tile)
// A residual tile is loaded into the slot of its results, ahead of the Gemm that finishes them.
// Bubbles: every slot is a ring. A ring of s slots whose tile is in use for `run` array cycles and
// occupied for `occupied` (load, start-up and preload before, drain behind) lets a tile start every
// max(run, ceil(occupied / s)) cycles; what exceeds `run` is a bubble. One operand or result
// changes with the loop around the innermost one (slow), the others with every iteration (fast);
// bubbles at one boundary overlap, so the longest counts.
#pragma once

#include "hw_models/array_timing.h"
#include "sim/mapper/gemm_problem.h"
#include "sim/mapper/machine_rates.h"
#include "sim/mapper/plan.h"

namespace tessera::sim {

/// What the search chooses; slots without places. Counts: 1 single, 2 double; outputs 0 in place.
struct GemmChoice {
  hw::Dataflow dataflow = hw::Dataflow::kWeightStationary;
  TileShape tile;
  std::array<LoopDim, 3> order{LoopDim::kM, LoopDim::kK, LoopDim::kN};
  bool resident_a = false, resident_b = false;
  int a = 1, b = 1, accumulators = 1, outputs = 1;
};

/// Everything a price depends on besides the choice. The references must outlive it.
struct GemmContext {
  GemmContext(const GemmProblem& gemm, const hw::HardwareConfig& config);
  const GemmProblem& problem;
  const hw::HardwareConfig& hardware;
  MachineRates rates;
  RoleBuffers roles;
  bool in_place = false;      // the epilogue works in the accumulators
  bool bank_limited = false;  // the array may ask a buffer for more than its banks give
  Bytes capacity(int buffer) const {
    return hardware.buffers[static_cast<std::size_t>(buffer)].capacity;
  }
};

/// A hardware loop walks tiles in one order, those of a result one after the other, and keeps no
/// operand on chip for the tiles behind.
constexpr std::array<LoopDim, 3> kLoopOrder{LoopDim::kM, LoopDim::kN, LoopDim::kK};
/// Why a hardware loop cannot carry out such a mapping; empty: it can, or there is none.
std::string loop_refusal(const hw::HardwareConfig& hardware, const std::array<LoopDim, 3>& order,
                         bool resident_a, bool resident_b);

/// Number of tiles per dimension.
TileShape tile_counts(const GemmProblem& problem, const TileShape& tile);
/// The innermost loop with more than one iteration (the innermost loop if there is none), and the
/// outermost one.
LoopDim innermost(const std::array<LoopDim, 3>& order, const TileShape& counts);
LoopDim outermost(const std::array<LoopDim, 3>& order, const TileShape& counts);

/// Cycles that the banks need to serve one Gemm command, were all of them used alike.
Cycles bank_cycles(const GemmContext& context, hw::Dataflow dataflow, const hw::GemmShape& shape,
                   bool accumulate);

/// Array cycles of one instance: full and edge tiles counted exactly (8 classes).
struct ArrayTotals {
  Cycles stream = 0;        // of all commands in a chain
  Cycles restart = 0;       // start-up and preload of a command that does not chain
  Cycles last = 0;          // the last command
  Cycles drain = 0;         // of the last command
  Cycles first_result = 0;  // of the last command
};
ArrayTotals array_totals(const GemmContext& context, hw::Dataflow dataflow, const TileShape& tile);

/// Vector cycles of the epilogues of one instance.
struct EpilogueTotals {
  Cycles all = 0, full = 0, last = 0;
};
EpilogueTotals epilogue_totals(const GemmContext& context, std::int64_t tile_m,
                               std::int64_t tile_n);

/// One pass over a matrix, tile by tile: every element once.
struct MatrixPass {
  Bytes useful = 0;
  Bytes bus = 0;
  std::int64_t transfers = 0;
  std::int64_t requests = 0;
};
struct GemmPasses {
  MatrixPass a, b, partial, out;
  MatrixPass residual;  // empty without one
};
MatrixPass pass_a(const GemmContext& context, const TileShape& tile);
MatrixPass pass_b(const GemmContext& context, const TileShape& tile);
GemmPasses gemm_passes(const GemmContext& context, const TileShape& tile);

/// How often each pass happens per instance. `partial` passes are both written and read.
struct Reuse {
  std::int64_t a = 1, b = 1, partial = 0;
};
Reuse reuse_of(const TileShape& counts, LoopDim inner, bool resident_a, bool resident_b);
/// A hardware loop loads both operands of every tile.
Reuse loop_reuse(const TileShape& counts);

/// Bytes and commands of all instances.
struct Traffic {
  Bytes useful = 0;
  Bytes bus = 0;
  std::int64_t loads_a = 0, loads_b = 0, commands = 0;
};
Traffic traffic_of(const GemmProblem& problem, const TileShape& counts, const GemmPasses& passes,
                   const Reuse& reuse);

/// What does not depend on slots: the terms that bound the latency from below.
struct GemmTerms {
  TileShape counts;
  LoopDim inner = LoopDim::kK;
  LoopDim outer = LoopDim::kM;
  Reuse reuse;
  Traffic traffic;
  Cycles windows = 0;  // windows_of: prices need them, traffic does not
};
GemmTerms gemm_terms(const GemmContext& context, const GemmChoice& choice, const TileShape& counts,
                     const GemmPasses& passes);

/// The busiest DMA channel, were its round trips all there is.
Cycles windows_of(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                  const GemmPasses& passes);

/// Never above the latency of any choice of slots.
Cycles latency_floor(const GemmContext& context, const GemmTerms& terms, const ArrayTotals& array,
                     const EpilogueTotals& epilogue, const GemmPasses& passes);

MappingCost gemm_cost(const GemmContext& context, const GemmChoice& choice, const GemmTerms& terms,
                      const ArrayTotals& array, const EpilogueTotals& epilogue,
                      const GemmPasses& passes);
/// All of the above in one call.
MappingCost gemm_cost(const GemmContext& context, const GemmChoice& choice);

/// Lower bound of the DRAM bytes of any mapping, all instances:
/// max(MK + KN + MN, 2MNK/sqrt(S) - 2S), S = on-chip bytes with PE registers / narrowest element.
Bytes lower_bound_bytes(const GemmContext& context);

/// One strided transfer seen by the DRAM bus. Rows start at multiples of `grain` within a burst,
/// evenly spread: a row takes round_up(row, grain) + burst - grain bytes on average. Requests are
/// counted in the same way.
Bytes bus_row_bytes(Bytes row, Bytes grain, Bytes burst);
MatrixPass matrix_pass(const OperandLayout& layout, std::int64_t rows, std::int64_t cols,
                       std::int64_t tile_rows, std::int64_t tile_cols, const Grains& grains);

}  // namespace tessera::sim
