// The few figures of the machine that prices are made of, in core cycles.
#pragma once

#include <algorithm>

#include "hw_models/hardware_config.h"
#include "sim/mapper/plan.h"

namespace tessera::sim {

/// Bytes per core cycle as a fixed-point number, so that prices are integers everywhere.
class Rate {
 public:
  Rate() = default;
  explicit Rate(double bytes_per_cycle)
      : scaled_(bytes_per_cycle < 1.0 / kScale
                    ? 1
                    : static_cast<std::int64_t>(bytes_per_cycle * kScale + 0.5)) {}
  /// ceil(bytes / rate). REQUIRES: bytes < 2^46.
  Cycles cycles(Bytes bytes) const { return hw::ceil_div(bytes * kScale, scaled_); }
  std::int64_t scaled() const { return scaled_; }

 private:
  static constexpr std::int64_t kScale = 1 << 16;
  std::int64_t scaled_ = kScale;
};

/// Units in which DRAM and DMA take bytes.
struct Grains {
  Bytes burst = 64;     // of the DRAM
  Bytes request = 256;  // of the DMA, naturally aligned
};

/// What the queues of one kind move.
struct Moved {
  Bytes bus = 0;
  std::int64_t requests = 0;
};

struct MachineRates {
  Rate dram;                 // all transfers together: sustained DRAM, interconnect
  Cycles load_latency = 0;   // from issue to the first byte in place, and the last's way
  Cycles store_latency = 0;  // from issue to completion, besides the transfer itself
  Cycles slice = 0;          // the DRAM's time for one slice of a DMA command
  Cycles descriptor = 0;     // set-up of one DMA command
  Cycles dispatch = 0;       // sequencer, per command
  Cycles launch = 0;         // per operator
  Grains grains;
  Cycles round_trip = 0;  // of a request
  hw::DmaConfig dma;

  /// Cycles that a channel needs for requests of `bus` bytes: `outstanding` at a time, each for a
  /// round trip and the transfer of its slice.
  Cycles window(Bytes bus, std::int64_t requests) const;
  /// One transfer alone: its bytes on the DRAM bus, its requests in their channel's window.
  Cycles transfer(Bytes bus, std::int64_t requests) const {
    return std::max(dram.cycles(bus), window(bus, requests));
  }
  /// The busiest channel's windows.
  Cycles windows(const Moved& stationary, const Moved& streamed, const Moved& stores) const;
};

/// The buffer of each role.
struct RoleBuffers {
  int stationary = 0, activations = 0, accumulators = 0, outputs = 0;
};
RoleBuffers role_buffers(const hw::HardwareConfig& hardware);

/// What a ring of `slots` adds to a run: a slot that is occupied longer than `slots` runs holds up
/// the next tile.
constexpr Cycles ring_wait(Cycles occupied, int slots, Cycles run) {
  return std::max<Cycles>(0, hw::ceil_div(occupied, slots) - run);
}

MachineRates machine_rates(const hw::HardwareConfig& hardware);

}  // namespace tessera::sim
