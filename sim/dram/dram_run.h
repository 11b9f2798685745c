// One reference pattern on the DRAM of a machine, without the machine: values in, values out.
#pragma once

#include <stdexcept>
#include <string>

#include "sim/config/run_config.h"
#include "sim/dram/traffic.h"

namespace tessera::sim {

/// The pattern cannot run as asked; says what would be allowed.
class DramRunError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

constexpr int kMostOutstanding = 4096, kMostOffers = 4096;

struct DramRunRequest {
  RunConfig machine;  // as load_machine_run() gives it
  std::string pattern;
  int outstanding = 32;      // reads, and writes, per channel
  int offers_per_clock = 0;  // bursts, over all channels; 0: two per command bus
};

struct DramRun {
  DramRunRequest request;  // with the offers that it had
  TrafficResult made;
  std::int64_t bursts = 0;
  hw::Bytes bus_bytes = 0, useful_bytes = 0;
  double elapsed_s = 0;  // first offer to last beat

  const hw::DramConfig& dram() const { return request.machine.hardware.dram; }
  bool has_reads() const { return made.counts.reads > 0; }
  double bus_bytes_per_second() const { return static_cast<double>(bus_bytes) / elapsed_s; }
  double useful_bytes_per_second() const { return static_cast<double>(useful_bytes) / elapsed_s; }
};

/// Latencies are the DRAM's, from the queue to the last beat: without `controller_latency`, which
/// holds up no request here. Throws DramRunError.
DramRun run_dram(DramRunRequest request);

}  // namespace tessera::sim
