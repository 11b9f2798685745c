#include "hw_models/tile_program.h"

#include <algorithm>

namespace tessera::hw {

Bytes row_bytes(const TileOperand& operand) {
  const std::int64_t scales = operand.group > 0 ? ceil_div(operand.cols, operand.group) : 0;
  return ceil_div(operand.cols * operand.bits + scales * operand.scale_bits, 8);
}

std::int64_t bits_before(const TileOperand& operand, std::int64_t col) {
  const std::int64_t scales = operand.group > 0 ? col / operand.group : 0;
  return col * operand.bits + scales * operand.scale_bits;
}

Bytes useful_bytes(const StridedRange& range) {
  return range.row_bytes * range.count[0] * range.count[1];
}

std::int64_t Tiling::place(std::int64_t address) const {
  const std::int64_t row = (address - base) / pitch;
  const Bytes column = (address - base) % pitch;
  const std::int64_t top = row / block_rows * block_rows;
  const std::int64_t in_strip = std::min(block_rows, rows - top);
  return base + top * pitch + column / block_width * block_width * in_strip +
         (row - top) * block_width + column % block_width;
}

StridedRange coalesced(StridedRange range) {
  for (int joined = 0; joined < 2; ++joined) {
    const bool single = range.count[0] == 1;
    if (!single && range.stride[0] != range.row_bytes) break;
    range.row_bytes *= range.count[0];
    range.count[0] = range.count[1];
    range.stride[0] = range.stride[1];
    range.count[1] = 1;
    range.stride[1] = 0;
  }
  return range;
}

Bytes bus_bytes(const StridedRange& range, Bytes burst) {
  Bytes total = 0;
  // Alignment repeats when the stride is a multiple of the burst: then one row stands for all.
  const bool uniform = range.stride[0] % burst == 0 && range.stride[1] % burst == 0;
  const std::int64_t outer = uniform ? 1 : range.count[1];
  const std::int64_t inner = uniform ? 1 : range.count[0];
  for (std::int64_t j = 0; j < outer; ++j) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const std::int64_t first = range.address + j * range.stride[1] + i * range.stride[0];
      const std::int64_t last = first + range.row_bytes - 1;
      total += (last / burst - first / burst + 1) * burst;
    }
  }
  return uniform ? total * range.count[0] * range.count[1] : total;
}

const char* to_string(CommandKind kind) {
  switch (kind) {
    case CommandKind::kLoad:
      return "load";
    case CommandKind::kStore:
      return "store";
    case CommandKind::kGemm:
      return "gemm";
    case CommandKind::kVector:
      return "vector";
  }
  return "?";
}

const char* to_string(TrafficClass traffic) {
  switch (traffic) {
    case TrafficClass::kWeights:
      return "weights";
    case TrafficClass::kActivations:
      return "activations";
    case TrafficClass::kOutputs:
      return "outputs";
    case TrafficClass::kPartialSums:
      return "partial_sums";
    case TrafficClass::kKvCache:
      return "kv_cache";
  }
  return "?";
}

}  // namespace tessera::hw
