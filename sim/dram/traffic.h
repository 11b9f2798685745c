// The closed-loop requester of the DRAM reference runs (TIMING.md section 6) in front of channels.
#pragma once

#include <string>
#include <vector>

#include "hw_models/dram_channel.h"

namespace tessera::sim {

/// The forms of patterns and what they are, one a line.
std::string traffic_forms();
constexpr hw::Bytes kMostTrafficBytes = hw::Bytes{256} << 20;  // of each number in a pattern
constexpr std::size_t kMostTrafficBursts = std::size_t{1} << 23;

struct TrafficBurst {
  std::int64_t address = 0;
  bool is_write = false;
};

struct DramTraffic {
  std::vector<TrafficBurst> bursts;  // in program order
  hw::Bytes useful_bytes = 0;        // asked for, whether or not they fill bursts
};

/// A pattern in bursts of `burst` bytes: `seq_rd_BYTES`, `seq_wr_BYTES`, `rand_BYTES`,
/// `mix_CHUNK_BYTES_aligned|stagger`, `tile_ROWS_COLUMNBYTES_PITCH_BYTES`. Throws
/// std::invalid_argument on other names, without bursts and with more than kMostTrafficBursts.
DramTraffic dram_traffic(const std::string& pattern, hw::Bytes burst);

struct TrafficRules {
  int queue_depth = 32;       // reads, and writes, outstanding per channel and pseudo channel
  int accepts_per_clock = 1;  // of all channels together
  int response_clocks = 1;    // from the last beat to the requester
  hw::DramPolicy policy;
};

struct TrafficResult {
  hw::DramClock clocks = 0;       // first offer to last completion
  double sustained_fraction = 0;  // of the peak of all channels
  double mean_read_ns = 0, p99_read_ns = 0;
  double row_hit_rate = 0;
  hw::DramCommandCounts counts;
};

/// Offers the bursts strictly in order: the first that finds no room stops all behind it.
/// REQUIRES: bursts, `device` and `map` of `channels` channels.
TrafficResult run_traffic(const hw::DramDevice& device, int channels, const hw::DramAddressMap& map,
                          const TrafficRules& rules, const std::vector<TrafficBurst>& bursts);

}  // namespace tessera::sim
