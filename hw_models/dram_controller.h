// DRAM behind the interconnect: one interface, two models. Here: `bandwidth`.
#pragma once

#include <memory>
#include <systemc>

#include "hw_models/counters.h"
#include "hw_models/dma_requests.h"
#include "hw_models/hardware_config.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/mailbox.h"

namespace tessera::hw {

/// Requests of a DMA command that go out together: whole bursts.
struct DramRequest {
  int requester = 0;
  int op = 0;  // whose command
  TrafficClass traffic = TrafficClass::kWeights;
  std::int64_t sequence = 0;  // of the requester
  std::int64_t turn = 0;      // place that the arbitration gave it
  RequestPosition from;       // where they begin
  std::int64_t requests = 0;
  Bytes bus_bytes = 0;
  bool is_write = false;
  Femtoseconds arrival = 0;       // when it reaches the controller (not before now)
  Femtoseconds data_crossed = 0;  // writes: when the last of its data has arrived
  bool operator<(const DramRequest& o) const {
    if (turn != o.turn) return turn < o.turn;
    return requester != o.requester ? requester < o.requester : sequence < o.sequence;
  }
};

struct DramResponse {
  DramRequest request;
  Femtoseconds first_data = 0;
  Femtoseconds last_data = 0;
  bool operator<(const DramResponse& o) const { return request < o.request; }
};

/// What every DRAM model offers: requests in, responses out. A read is answered as soon as it is
/// known when its data comes, a write when it is in place.
class DramController : public sc_core::sc_module {
 public:
  explicit DramController(sc_core::sc_module_name name)
      : sc_module(name), requests("requests"), responses("responses") {}
  Mailbox<DramRequest> requests;
  Mailbox<DramResponse> responses;
  /// Brings the counters up to the end of the run.
  virtual void finish(Femtoseconds end) = 0;
};

/// Time of `bytes` at `bytes_per_second`, rounded up to whole femtoseconds.
Femtoseconds transfer_time(Bytes bytes, std::int64_t bytes_per_second);

/// peak x efficiency and a constant latency: one data bus, or one of reads and one of writes,
/// booked request by request in the order of arrival. No rows, no refresh, no turnaround.
class BandwidthDram : public DramController {
 public:
  BandwidthDram(sc_core::sc_module_name name, const DramConfig& config, Counters& counters);
  void finish(Femtoseconds) override {}

 private:
  void step();
  DramResponse book(const DramRequest& request);

  DramConfig config_;
  std::int64_t bytes_per_second_;
  std::int64_t write_bytes_per_second_;  // 0: writes share the bus
  Counters& counters_;
  Femtoseconds bus_free_ = 0, write_path_free_ = 0;
};

std::unique_ptr<DramController> make_dram(const HardwareConfig& config, Counters& counters);

}  // namespace tessera::hw
