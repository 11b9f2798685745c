#include "sim/dram/dram_run.h"

#include <utility>

#include <fmt/format.h>

namespace tessera::sim {
namespace {

void check_between(const char* what, int value, int most) {
  if (value >= 1 && value <= most) return;
  throw DramRunError(fmt::format("{} {} is not allowed (1 .. {})", what, value, most));
}

void check_model(const hw::HardwareConfig& hardware) {
  if (hardware.dram.model == hw::DramModel::kTiming) return;
  throw DramRunError(
      fmt::format("the DRAM of {} has model `bandwidth`, without banks and rows: "
                  "--set hardware.dram.model=timing",
                  hardware.name));
}

DramTraffic required_traffic(const std::string& pattern, hw::Bytes burst) {
  try {
    return dram_traffic(pattern, burst);
  } catch (const std::invalid_argument& error) {
    throw DramRunError(
        fmt::format("pattern '{}': {}; patterns are\n{}", pattern, error.what(), traffic_forms()));
  }
}

TrafficRules rules_of(const DramRunRequest& request) {
  TrafficRules rules;
  rules.queue_depth = request.outstanding;
  rules.accepts_per_clock = request.offers_per_clock;
  rules.response_clocks = 0;
  rules.policy = request.machine.hardware.dram.policy;
  return rules;
}

}  // namespace

DramRun run_dram(DramRunRequest request) {
  const hw::DramConfig& dram = request.machine.hardware.dram;
  check_between("--outstanding", request.outstanding, kMostOutstanding);
  if (request.offers_per_clock == 0) request.offers_per_clock = 2 * dram.controllers();
  check_between("--offers", request.offers_per_clock, kMostOffers);
  const DramTraffic traffic = required_traffic(request.pattern, dram.burst);
  check_model(request.machine.hardware);
  const hw::DramAddressMap map(dram.order, dram.hash, dram.device, dram.controllers(),
                               dram.hash_channels);
  DramRun run;
  run.made = run_traffic(dram.device, dram.controllers(), map, rules_of(request), traffic.bursts);
  run.bursts = static_cast<std::int64_t>(traffic.bursts.size());
  run.bus_bytes = run.bursts * dram.burst;
  run.useful_bytes = traffic.useful_bytes;
  run.elapsed_s = static_cast<double>(run.made.clocks * dram.device.clock_fs) * 1e-15;
  run.request = std::move(request);
  return run;
}

}  // namespace tessera::sim
