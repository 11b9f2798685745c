// The closed-loop requester of the DRAM reference runs (TIMING.md section 6) in front of channels.
#pragma once

#include <string>
#include <vector>

#include "hw_models/dram_channel.h"

namespace tessera::hw {

struct TrafficBurst {
  std::int64_t address = 0;
  bool is_write = false;
};

/// Bursts of `burst` bytes of a pattern in program order: `seq_rd_BYTES`, `seq_wr_BYTES`,
/// `rand_BYTES`, `mix_CHUNK_BYTES_aligned|stagger`, `tile_ROWS_COLUMNBYTES_PITCH_BYTES`.
/// Throws std::invalid_argument on other names. `seed` draws the addresses of `rand`.
std::vector<TrafficBurst> traffic_bursts(const std::string& pattern, Bytes burst,
                                         std::uint64_t seed = 1);

/// Bytes asked for, whether or not they fill bursts.
struct TrafficRules {
  int queue_depth = 32;       // reads, and writes, outstanding per channel and pseudo channel
  int accepts_per_clock = 1;  // of one channel's front end
  int response_clocks = 1;    // from the last beat to the requester
  DramPolicy policy;
};

struct TrafficResult {
  double sustained_fraction = 0;  // of the peak of all channels
  double mean_read_ns = 0, p99_read_ns = 0;
  double row_hit_rate = 0;
  DramCommandCounts counts;
};

/// Offers the bursts strictly in order, up to two a clock and channel: the first that finds no room
/// stops all behind it.
TrafficResult run_traffic(const DramDevice& device, int channels, const DramAddressMap& map,
                          const TrafficRules& rules, const std::vector<TrafficBurst>& bursts);

}  // namespace tessera::hw
