// DRAM standards by name: what `dram: {standard: NAME}` fills in.
#pragma once

#include <string>
#include <vector>

#include "hw_models/units.h"

namespace tessera::sim::config {

struct DramStandard {
  std::string name;
  std::int64_t channel_bytes_per_second = 0;  // peak of one channel
  hw::Bytes burst = 0;
  hw::Bytes row = 0;                // page of one channel
  hw::Femtoseconds clock_fs = 0;    // tCK
  int read_clocks = 0;              // tRP + tRCD + RL (DQSCK included) + burst: a row conflict
  hw::Femtoseconds refresh_fs = 0;  // tRFCab
  hw::Femtoseconds refresh_interval_fs = 0;  // tREFI

  /// Sustained share of the peak: 1 - tRFCab / tREFI - 0.004, to 3 digits.
  double efficiency() const;
  /// Request to first data: a row conflict plus 30 ns of controller, PHY and clock crossings.
  hw::Femtoseconds latency() const;
};

const std::vector<DramStandard>& dram_standards();
/// nullptr for "custom" and unknown names.
const DramStandard* find_dram_standard(const std::string& name);

}  // namespace tessera::sim::config
