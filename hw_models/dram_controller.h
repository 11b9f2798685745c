// DRAM behind the interconnect. One interface, one model so far: `bandwidth`.
#pragma once

#include <memory>
#include <systemc>

#include "hw_models/counters.h"
#include "hw_models/hardware_config.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/mailbox.h"

namespace tessera::hw {

/// Whole bursts to or from consecutive addresses.
struct DramRequest {
  int requester = 0;
  std::int64_t sequence = 0;  // of the requester
  std::int64_t turn = 0;      // place that the arbitration gave it
  std::int64_t address = 0;
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

/// What every DRAM model offers: requests in, responses out, at the latest at the time of their
/// first data and in its order.
class DramController : public sc_core::sc_module {
 public:
  explicit DramController(sc_core::sc_module_name name)
      : sc_module(name), requests("requests"), responses("responses") {}
  Mailbox<DramRequest> requests;
  Mailbox<DramResponse> responses;
};

/// Time of `bytes` at `bytes_per_second`, rounded up to whole femtoseconds.
Femtoseconds transfer_time(Bytes bytes, std::int64_t bytes_per_second);

/// peak x efficiency and a constant latency: one data bus, or one of reads and one of writes,
/// booked request by request in the order of arrival. No rows, no refresh, no turnaround.
class BandwidthDram : public DramController {
 public:
  BandwidthDram(sc_core::sc_module_name name, const DramConfig& config, Counters& counters);

 private:
  void step();
  DramResponse book(const DramRequest& request);

  DramConfig config_;
  std::int64_t bytes_per_second_;
  std::int64_t write_bytes_per_second_;  // 0: writes share the bus
  Counters& counters_;
  Femtoseconds bus_free_ = 0, write_path_free_ = 0;
};

std::unique_ptr<DramController> make_dram(const DramConfig& config, Counters& counters);

}  // namespace tessera::hw
