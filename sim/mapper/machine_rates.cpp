#include "sim/mapper/machine_rates.h"

#include <algorithm>
#include <array>

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

  MachineRates rates;
  rates.dram = Rate(std::min(hw::sustained_bytes_per_cycle(hardware), bus));
  rates.dma = hardware.dma;
  rates.round_trip = round_trip;
  rates.slice = rates.dram.cycles(hw::dma_slice(hardware.dma).bytes);
  rates.descriptor = hardware.dma.descriptor;
  rates.load_latency = round_trip + rates.descriptor;
  rates.store_latency = round_trip + rates.descriptor;
  rates.dispatch = hardware.sequencer.dispatch;
  rates.launch = hardware.sequencer.operator_launch;
  rates.grains = {hardware.dram.burst, std::max(hardware.dma.burst, hardware.dram.burst)};
  return rates;
}

Cycles MachineRates::window(Bytes bus, std::int64_t requests) const {
  if (requests == 0) return 0;
  const hw::DmaSlice cut = hw::dma_slice(dma);
  const Bytes together = std::min(cut.bytes, cut.requests * bus / requests);
  return hw::ceil_div(requests * (round_trip + dram.cycles(together)), dma.outstanding);
}

Cycles MachineRates::windows(const Moved& stationary, const Moved& streamed,
                             const Moved& stores) const {
  std::array<Moved, hw::kMaxDmaChannels> by_channel{};
  const auto add = [&](int queue, const Moved& moved, int queues) {
    Moved& channel = by_channel[static_cast<std::size_t>(queue % dma.channels)];
    channel.bus += moved.bus / queues;
    channel.requests += moved.requests / queues;
  };
  add(0, stationary, 1);
  const int streams = std::max(1, dma.load_queues - 1);
  const int first = dma.load_queues > 1 ? 1 : 0;
  for (int i = 0; i < streams; ++i) add(first + i, streamed, streams);
  for (int i = 0; i < dma.store_queues; ++i) add(dma.load_queues + i, stores, dma.store_queues);
  Cycles busiest = 0;
  for (int i = 0; i < dma.channels; ++i) {
    const Moved& channel = by_channel[static_cast<std::size_t>(i)];
    busiest = std::max(busiest, window(channel.bus, channel.requests));
  }
  return busiest;
}

}  // namespace tessera::sim
