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

double limit_bytes_per_cycle(const HardwareConfig& hardware) {
  return hardware.dram.model == DramModel::kTiming ? peak_bytes_per_cycle(hardware)
                                                   : sustained_bytes_per_cycle(hardware);
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

namespace {

/// The pair of the left operand's type alone: what "w4a16" and "w4bf16" are dequantised to.
std::string dequantised(const std::string& pair) {
  const std::size_t split = pair.find_first_not_of("0123456789", 1);
  if (pair[0] != 'w' || split == std::string::npos) return pair;
  if (pair[split] != 'a') return pair.substr(split);
  const std::string bits = pair.substr(split + 1);
  if (std::stoi(pair.substr(1)) >= std::stoi(bits)) return pair;  // narrowing is no widening
  return "w" + bits + "a" + bits;
}

}  // namespace

std::optional<PairRate> pair_rate(const ArrayConfig& array, const std::string& pair) {
  const auto found = array.throughput.find(pair);
  if (found != array.throughput.end()) return PairRate{found->second};
  if (array.dequantise == 0) return std::nullopt;
  const auto wide = array.throughput.find(dequantised(pair));
  if (wide == array.throughput.end()) return std::nullopt;
  return PairRate{wide->second, array.dequantise};
}

double macs_per_cycle(const ArrayConfig& array, const std::string& pair) {
  const std::optional<PairRate> rate = pair_rate(array, pair);
  return rate ? rate->macs_per_pe * array.rows * array.cols : 0;
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

namespace {

struct DefaultOperation {
  const char* name;
  VectorOperation cost;  // passes, per_element, per_row, reductions, latency
  const char* source;
};

// Published units: ucb-bar/gemmini @8c3f992 (Normalizer, AccumulatorScale, IntSqrt; I-BERT, arXiv
// 2101.01321), pulp-platform/ITA @ba96519 (arXiv 2307.03493), nvdla/hw spec files,
// nxp-imx/ethos-u-vela (npu_performance.py), PSAL-POSTECH/ONNXim @a1e8629 (SystolicWS.cc).
const char* const kElementwise = "one operation an element and lane, as NVDLA SDP and Ethos-U";
const char* const kTable = "table or integer polynomial at full rate: Gemmini igelu, ITA i-GELU";
const DefaultOperation kOperations[] = {
    {"add", {1, 1, 0, 0, 0}, kElementwise},
    {"gelu", {1, 1, 0, 0, 0}, kTable},
    {"gelu_mul", {2, 1, 0, 0, 0}, "activation, then product: two operations an element"},
    {"layernorm",
     {3, 1, 16, 2, 0},
     "mean; variance; scale: Gemmini Normalizer; root of 32 bits in 16 cycles: its IntSqrt"},
    {"quick_gelu", {1, 1, 0, 0, 0}, kTable},
    {"relu", {1, 1, 0, 0, 0}, kElementwise},
    {"requantise", {1, 1, 0, 0, 0}, "scale and clip in one: Gemmini AccumulatorScale"},
    {"rmsnorm", {2, 1, 16, 1, 0}, "sum of squares; scale: `layernorm` without its mean"},
    {"rope",
     {3, 1, 0, 0, 0},
     "4 multiplications and 2 additions a pair: three operations an element"},
    {"scale", {1, 1, 0, 0, 0}, kElementwise},
    {"silu", {1, 1, 0, 0, 0}, kTable},
    {"silu_mul", {2, 1, 0, 0, 0}, "activation, then product: two operations an element"},
    {"sin_cos", {1, 1, 0, 0, 0}, "table at full rate: NVDLA SDP, Ethos-U"},
    {"softmax",
     {3, 1, 16, 2, 0},
     "maximum; exp and sum; scale: Gemmini Normalizer (I-BERT); reciprocal 8 to 32 cycles a row"},
    {"tanh", {1, 1, 0, 0, 0}, "table at full rate: NVDLA SDP, Ethos-U"}};

}  // namespace

const std::map<std::string, VectorOperation>& default_vector_operations() {
  static const auto table = [] {
    std::map<std::string, VectorOperation> all;
    for (const DefaultOperation& each : kOperations) all[each.name] = each.cost;
    return all;
  }();
  return table;
}

const std::map<std::string, std::string>& vector_operation_sources() {
  static const auto table = [] {
    std::map<std::string, std::string> all;
    for (const DefaultOperation& each : kOperations) all[each.name] = each.source;
    return all;
  }();
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
