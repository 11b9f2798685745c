// The keys of a machine's DRAM, and what its standard fills in.
#pragma once

#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/config/fields.h"

namespace tessera::sim::config {

Table<hw::DramConfig> dram_table();
/// Before anything is read.
hw::DramConfig unfinished_dram();
/// Fills in what was not given and checks the whole. `value` may be null: all defaults.
void finish_dram(hw::DramConfig& dram, const Value* value, const std::string& path);

/// Standards that need no file, and `custom`.
std::vector<std::string> known_standards();
bool is_known_standard(const std::string& name);

/// What the bandwidth model makes of a standard.
std::int64_t channel_bytes_per_second(const hw::DramDevice& device);
/// Sustained share of the peak: 1 - tRFCab / tREFI - 0.004, to 3 digits.
double streaming_efficiency(const hw::DramDevice& device);
/// Request to first data: tRP + tRCD + RL + burst (a row conflict), and 30 ns.
hw::Femtoseconds conflict_latency(const hw::DramDevice& device);

}  // namespace tessera::sim::config
