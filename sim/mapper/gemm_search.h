// The exact search for one Gemm's mapping.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/config/run_config.h"
#include "sim/mapper/price.h"

namespace tessera::sim {

/// What pins leave free: empty or unset means free.
struct GemmPins {
  std::optional<hw::Dataflow> dataflow;
  TileShape tile;  // 0: free
  std::optional<std::array<LoopDim, 3>> order;
  std::optional<std::array<bool, 4>> double_buffered;  // a, b, accumulators, outputs
  std::optional<std::array<bool, 2>> resident;         // a, b
};

/// A mapping as found, with its price.
struct GemmResult {
  GemmChoice choice;
  MappingCost cost;
  Bytes least_dram_bytes = 0;  // over the same candidates, pins aside
};

/// Bytes and buffer of one slot of A, B, accumulators, outputs.
struct SlotPlan {
  std::array<Bytes, 4> bytes{};
  std::array<int, 4> buffer{};
};
SlotPlan slot_plan(const GemmContext& context, hw::Dataflow dataflow, const TileShape& tile);
/// Slots of A, B, accumulators, outputs that `choice` takes.
std::array<int, 4> slot_counts(const TileShape& counts, const GemmChoice& choice);

/// Bytes that all slots in `buffer` take together.
Bytes bytes_in(const SlotPlan& slots, const std::array<int, 4>& counts, int buffer);
bool slots_fit(const GemmContext& context, const SlotPlan& slots, const std::array<int, 4>& counts);

/// Tile sizes worth trying along a dimension of `size`: ceil(size/c) for every c, those rounded up
/// to each of `steps`, never above `size`; multiples of `grain` only, but for the whole dimension.
std::vector<std::int64_t> tile_sizes(std::int64_t size, const std::vector<std::int64_t>& steps,
                                     std::int64_t grain);

/// A tile of m, k, n must be a multiple of these, or the whole dimension, for every tile of every
/// operand to start on a whole byte.
std::array<std::int64_t, 3> tile_grains(const GemmProblem& problem);

/// Candidate sizes of m, k, n for `context`: rounded up to the sides of the array that a dataflow
/// lays the dimension along; a tile starts on a whole byte.
std::array<std::vector<std::int64_t>, 3> candidate_sizes(const GemmContext& context);

/// Least bytes of any mapping of the operator, pins aside; -1 when nothing fits.
Bytes least_dram_bytes(const GemmContext& context);

/// The best mapping under `objective`. With `prune` false every candidate is priced: the reference
/// for tests. Throws MappingError when nothing fits; `who` names the operator.
GemmResult search_gemm(const GemmContext& context, const ObjectiveConfig& objective,
                       const GemmPins& pins, const std::string& who, bool prune = true);

}  // namespace tessera::sim
