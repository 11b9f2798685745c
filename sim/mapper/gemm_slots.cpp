// Slots and tile sizes of a Gemm: what a choice takes of each buffer.
#include <algorithm>
#include <numeric>

#include "sim/mapper/gemm_search.h"

namespace tessera::sim {
namespace {

using hw::ceil_div;

Bytes tile_bytes(const OperandLayout& layout, std::int64_t rows, std::int64_t cols) {
  return layout.transposed ? cols * row_bytes(rows, layout) : rows * row_bytes(cols, layout);
}

/// Of a hardware loop: what one store command carries, `row` bytes of a row or a whole block.
Bytes staging_bytes(const hw::HardwareLoop& loop, const OperandLayout& out, const TileShape& tile) {
  const Bytes block = row_bytes(std::min(loop.n, tile.n), out.bits);
  return std::min(loop.m, tile.m) *
         std::min(std::max(loop.row, block), row_bytes(tile.n, out.bits));
}

}  // namespace

SlotPlan slot_plan(const GemmContext& context, hw::Dataflow dataflow, const TileShape& tile) {
  const GemmProblem& p = context.problem;
  const bool a_stays = dataflow == hw::Dataflow::kInputStationary;
  const RoleBuffers& roles = context.roles;
  SlotPlan plan;
  plan.bytes = {tile_bytes(p.a, tile.m, tile.k), tile_bytes(p.b, tile.k, tile.n),
                tile_bytes(p.partial, tile.m, tile.n), tile_bytes(p.out, tile.m, tile.n)};
  const hw::HardwareLoop& loop = context.hardware.sequencer.loop;
  if (loop.exists()) plan.bytes[3] = staging_bytes(loop, p.out, tile);
  plan.buffer = {a_stays ? roles.stationary : roles.activations,
                 a_stays ? roles.activations : roles.stationary, roles.accumulators, roles.outputs};
  if (p.a.on_chip) plan.bytes[0] = 0;
  if (p.out.on_chip) plan.bytes[3] = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto index = static_cast<std::size_t>(plan.buffer[i]);
    plan.bytes[i] = hw::round_up(plan.bytes[i], context.hardware.buffers[index].width);
  }
  return plan;
}

std::array<int, 4> slot_counts(const TileShape& counts, const GemmChoice& choice) {
  const std::int64_t tiles_a = choice.resident_a ? counts.m * counts.k : 1;
  const std::int64_t tiles_b = choice.resident_b ? counts.k * counts.n : 1;
  return {static_cast<int>(choice.a * tiles_a), static_cast<int>(choice.b * tiles_b),
          choice.accumulators, choice.outputs};
}

Bytes bytes_in(const SlotPlan& slots, const std::array<int, 4>& counts, int buffer) {
  Bytes bytes = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (slots.buffer[i] == buffer) bytes += slots.bytes[i] * counts[i];
  }
  return bytes;
}

bool slots_fit(const GemmContext& context, const SlotPlan& slots,
               const std::array<int, 4>& counts) {
  for (const int buffer : slots.buffer) {
    if (bytes_in(slots, counts, buffer) > context.capacity(buffer)) return false;
  }
  return true;
}

std::vector<std::int64_t> tile_sizes(std::int64_t size, const std::vector<std::int64_t>& steps,
                                     std::int64_t grain) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t count = 1; count <= size;) {
    const std::int64_t tile = ceil_div(size, count);
    sizes.push_back(std::min(size, hw::round_up(tile, grain)));
    for (const std::int64_t step : steps) {
      sizes.push_back(std::min(size, hw::round_up(tile, std::lcm(step, grain))));
    }
    if (tile == 1) break;
    count = ceil_div(size, tile - 1);  // the next count with a smaller tile
  }
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

std::array<std::int64_t, 3> tile_grains(const GemmProblem& p) {
  const auto grain_of = [](const OperandLayout& layout, bool along_cols) {
    return along_cols != layout.transposed ? row_grain(layout) : std::int64_t{1};
  };
  const std::int64_t m = grain_of(p.a, false);
  const std::int64_t k = std::lcm(grain_of(p.a, true), grain_of(p.b, false));
  const std::int64_t n = std::lcm(grain_of(p.b, true), grain_of(p.out, true));
  return {m, k, std::lcm(n, std::int64_t{p.columns_per_result})};
}

std::array<std::vector<std::int64_t>, 3> candidate_sizes(const GemmContext& context) {
  const GemmProblem& p = context.problem;
  const hw::ArrayConfig& array = context.hardware.array;
  std::array<std::vector<std::int64_t>, 3> steps;  // of m, k, n
  for (const hw::Dataflow dataflow : array.dataflows) {
    const bool output = dataflow == hw::Dataflow::kOutputStationary;
    const bool weight = dataflow == hw::Dataflow::kWeightStationary;
    const std::size_t rows_hold = output ? 0 : 1;
    const std::size_t cols_hold = weight || output ? 2 : 0;
    steps[rows_hold].push_back(array.rows);
    steps[cols_hold].push_back(hw::block_cols(array));
  }
  const std::array<std::int64_t, 3> grains = tile_grains(p);
  return {tile_sizes(p.m, steps[0], grains[0]), tile_sizes(p.k, steps[1], grains[1]),
          tile_sizes(p.n, steps[2], grains[2])};
}

}  // namespace tessera::sim
