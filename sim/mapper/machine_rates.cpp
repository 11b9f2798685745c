#include "sim/mapper/machine_rates.h"

#include <algorithm>

namespace tessera::sim {
namespace {

Cycles core_cycles(const hw::HardwareConfig& hardware, hw::Femtoseconds time) {
  return hw::Clock(hardware.clocks.core_hz).edge_at_or_after(time);
}

std::int64_t interconnect_hz(const hw::HardwareConfig& hardware) {
  return hardware.clocks.interconnect_hz > 0 ? hardware.clocks.interconnect_hz
                                             : hardware.clocks.core_hz;
}

}  // namespace

RoleBuffers role_buffers(const hw::HardwareConfig& hardware) {
  return {hw::buffer_of(hardware, hw::Role::kStationary),
          hw::buffer_of(hardware, hw::Role::kActivations),
          hw::buffer_of(hardware, hw::Role::kAccumulators),
          hw::buffer_of(hardware, hw::Role::kOutputs)};
}

MachineRates machine_rates(const hw::HardwareConfig& hardware) {
  const std::int64_t bus_hz = interconnect_hz(hardware);
  const double bus = hw::interconnect_bytes_per_cycle(hardware);
  const Cycles hops =
      core_cycles(hardware, hw::Clock(bus_hz).edge(2 * hardware.interconnect.latency));
  const Cycles round_trip =
      std::max<Cycles>(1, hops + core_cycles(hardware, hardware.dram.latency_fs));
  const double in_flight = static_cast<double>(hardware.dma.outstanding * hardware.dma.burst) /
                           static_cast<double>(round_trip);
  const double sustained = std::min(hw::sustained_bytes_per_cycle(hardware), bus);

  MachineRates rates;
  rates.dram = Rate(std::min(sustained, in_flight * hardware.dma.channels));
  rates.stream = Rate(std::min(sustained, in_flight));
  rates.slice = rates.dram.cycles(hw::dma_slice_bytes(hardware.dma));
  rates.descriptor = hardware.dma.descriptor;
  rates.load_latency = round_trip + rates.descriptor;
  rates.store_latency = round_trip + rates.descriptor;
  rates.dispatch = hardware.sequencer.dispatch;
  rates.launch = hardware.sequencer.operator_launch;
  rates.burst = hardware.dram.burst;
  return rates;
}

}  // namespace tessera::sim
