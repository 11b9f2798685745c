#include "hw_models/dram_controller.h"

#include <algorithm>
#include <cmath>

#include "hw_models/kernel/process.h"
#include "hw_models/timing_dram.h"

namespace tessera::hw {

Femtoseconds transfer_time(Bytes bytes, std::int64_t bytes_per_second) {
  const __int128 scaled = static_cast<__int128>(bytes) * 1'000'000'000'000'000;
  return static_cast<Femtoseconds>((scaled + bytes_per_second - 1) / bytes_per_second);
}

BandwidthDram::BandwidthDram(sc_core::sc_module_name name, const DramConfig& config,
                             Counters& counters)
    : DramController(name),
      config_(config),
      bytes_per_second_(std::llround(config.peak_bytes_per_second * config.efficiency)),
      write_bytes_per_second_(std::llround(config.write_peak_bytes_per_second * config.efficiency)),
      counters_(counters) {
  spawn_step([this] { step(); }, {&requests.arrived()});
}

/// A booking never changes: the response goes out at once, ahead of its data.
void BandwidthDram::step() {
  for (const DramRequest& request : requests.take()) responses.post(book(request));
}

DramResponse BandwidthDram::book(const DramRequest& request) {
  const bool own_path = request.is_write && write_bytes_per_second_ > 0;
  const Femtoseconds time =
      transfer_time(request.bus_bytes, own_path ? write_bytes_per_second_ : bytes_per_second_);
  Femtoseconds& free = own_path ? write_path_free_ : bus_free_;
  DramResponse response{request, 0, 0};
  response.first_data = std::max(request.arrival + config_.latency_fs, free);
  response.last_data = free = response.first_data + time;
  if (!own_path) counters_.dram_busy += time;
  counters_.dram_bursts += request.bus_bytes / config_.burst;
  return response;
}

std::unique_ptr<DramController> make_dram(const HardwareConfig& config, Counters& counters) {
  if (config.dram.model == DramModel::kTiming) {
    return std::make_unique<TimingDram>("dram", config, counters);
  }
  return std::make_unique<BandwidthDram>("dram", config.dram, counters);
}

}  // namespace tessera::hw
