#include "sim/config/dram_standards.h"

#include <cmath>

namespace tessera::sim::config {

namespace {

constexpr hw::Femtoseconds kPicosecond = 1'000;
constexpr hw::Femtoseconds kNanosecond = 1'000'000;
constexpr hw::Femtoseconds kController = 30 * kNanosecond;  // assumed: queue, PHY, clock crossings
constexpr double kMeasuredLoss = 0.004;  // streaming runs of Ramulator, DRAMsim3 and DRAMSys

}  // namespace

double DramStandard::efficiency() const {
  const double refresh = static_cast<double>(refresh_fs) / static_cast<double>(refresh_interval_fs);
  return std::round((1.0 - refresh - kMeasuredLoss) * 1000.0) / 1000.0;
}

hw::Femtoseconds DramStandard::latency() const { return read_clocks * clock_fs + kController; }

/// Timings: preset files of Ramulator 2.1 (DDR4-2400R, DDR4-3200AA, LPDDR5-6400 with JESD209-5B
/// tables, HBM2 2.0 Gb/s 4 Gb) and DRAMSys 5.1 (JEDEC_1Gbx16_LPDDR4-3200 and -4266).
/// Channels: DDR4 64 bit, LPDDR x16, HBM2 one 64-bit pseudo channel. Peak = transfers x width:
/// 2400, 3200 MT/s x 8 B; 3200, 4266, 6400 MT/s x 2 B; 2000 MT/s x 8 B.
const std::vector<DramStandard>& dram_standards() {
  static const std::vector<DramStandard> standards{
      {"LPDDR5-6400", 12'800'000'000, 32, 2048, 1250 * kPicosecond, 15 + 15 + 17 + 2,
       210 * kNanosecond, 3906 * kNanosecond},
      {"LPDDR4-3200", 6'400'000'000, 32, 2048, 625 * kPicosecond, 29 + 29 + 31 + 8,
       380 * kNanosecond, 3904 * kNanosecond},
      {"LPDDR4-4266", 8'532'000'000, 32, 2048, 469 * kPicosecond, 39 + 39 + 40 + 8,
       381 * kNanosecond, 3912 * kNanosecond},
      {"DDR4-2400", 19'200'000'000, 64, 8192, 833 * kPicosecond, 16 + 16 + 16 + 4,
       360 * kNanosecond, 7800 * kNanosecond},
      {"DDR4-3200", 25'600'000'000, 64, 8192, 625 * kPicosecond, 22 + 22 + 22 + 4,
       360 * kNanosecond, 7800 * kNanosecond},
      {"HBM2-2000", 16'000'000'000, 32, 1024, 1000 * kPicosecond, 14 + 14 + 14 + 2,
       260 * kNanosecond, 3900 * kNanosecond},
  };
  return standards;
}

const DramStandard* find_dram_standard(const std::string& name) {
  for (const DramStandard& standard : dram_standards()) {
    if (standard.name == name) return &standard;
  }
  return nullptr;
}

}  // namespace tessera::sim::config
