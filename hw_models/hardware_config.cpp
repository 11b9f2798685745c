#include "hw_models/hardware_config.h"

#include <algorithm>
#include <stdexcept>

namespace tessera::hw {
namespace {

constexpr int kMaxSliceRequests = 8;

}  // namespace

int buffer_of(const HardwareConfig& hardware, Role role) {
  for (std::size_t i = 0; i < hardware.buffers.size(); ++i) {
    const auto& roles = hardware.buffers[i].roles;
    if (std::find(roles.begin(), roles.end(), role) != roles.end()) return static_cast<int>(i);
  }
  throw std::logic_error(std::string("no buffer serves the role ") + to_string(role));
}

double peak_bytes_per_cycle(const HardwareConfig& hardware) {
  return hardware.dram.peak_bytes_per_second / static_cast<double>(hardware.clocks.core_hz);
}

double sustained_bytes_per_cycle(const HardwareConfig& hardware) {
  return peak_bytes_per_cycle(hardware) * hardware.dram.efficiency;
}

double interconnect_bytes_per_cycle(const HardwareConfig& hardware) {
  const ClockConfig& clocks = hardware.clocks;
  const std::int64_t hz = clocks.interconnect_hz > 0 ? clocks.interconnect_hz : clocks.core_hz;
  return static_cast<double>(hardware.interconnect.width) * static_cast<double>(hz) /
         static_cast<double>(clocks.core_hz);
}

DmaSlice dma_slice(const DmaConfig& dma) {
  if (dma.slice > 0) {
    const int requests = std::min(dma.slice, dma.outstanding);
    return {requests, requests * dma.burst};
  }
  const int requests = std::max(1, dma.outstanding / 4);
  return {requests, std::min(requests, kMaxSliceRequests) * dma.burst};
}

std::string precision_pair(int weight_bits, int activation_bits) {
  return "w" + std::to_string(weight_bits) + "a" + std::to_string(activation_bits);
}

double macs_per_cycle(const ArrayConfig& array, const std::string& pair) {
  const auto found = array.throughput.find(pair);
  if (found == array.throughput.end()) return 0;
  return found->second * array.rows * array.cols;
}

std::int64_t block_cols(const ArrayConfig& array) {
  const bool rings = array.delivery == OperandDelivery::kSemiSystolic;
  return std::int64_t{array.cols} * (rings ? array.stages : 1);
}

Bytes sram_bytes(const HardwareConfig& hardware) {
  Bytes total = 0;
  for (const BufferConfig& buffer : hardware.buffers) total += buffer.capacity;
  return total;
}

const std::map<std::string, VectorOperation>& default_vector_operations() {
  // Passes and cycles per element: three-pass softmax (max; exp and sum; scale) and LayerNorm
  // (mean; variance; scale) as in Gemmini's Normalizer; RMSNorm needs one reduction less. 16 serial
  // cycles a row for the reciprocal or the square root (Gemmini IntSqrt: 1 bit a cycle on 32 bits).
  // GELU and SiLU by table or integer polynomial, 1 cycle (Gemmini igelu, ITA i-GELU). RoPE: 4
  // multiplications and 2 additions a pair, 3 operations an element. SiLU(gate) * up: activation,
  // then product.
  static const std::map<std::string, VectorOperation> table{
      {"add", {1, 1, 0, 0}},        {"gelu", {1, 1, 0, 0}},       {"gelu_mul", {2, 1, 0, 0}},
      {"layernorm", {3, 1, 16, 0}}, {"quick_gelu", {1, 1, 0, 0}}, {"relu", {1, 1, 0, 0}},
      {"requantise", {1, 1, 0, 0}}, {"rmsnorm", {2, 1, 16, 0}},   {"rope", {3, 1, 0, 0}},
      {"silu", {1, 1, 0, 0}},       {"silu_mul", {2, 1, 0, 0}},   {"softmax", {3, 1, 16, 0}},
      {"tanh", {1, 1, 0, 0}}};
  return table;
}

const char* to_string(Dataflow dataflow) {
  switch (dataflow) {
    case Dataflow::kWeightStationary:
      return "weight_stationary";
    case Dataflow::kOutputStationary:
      return "output_stationary";
    case Dataflow::kInputStationary:
      return "input_stationary";
  }
  return "?";
}

const char* to_string(Role role) {
  switch (role) {
    case Role::kStationary:
      return "stationary";
    case Role::kActivations:
      return "activations";
    case Role::kAccumulators:
      return "accumulators";
    case Role::kOutputs:
      return "outputs";
  }
  return "?";
}

}  // namespace tessera::hw
