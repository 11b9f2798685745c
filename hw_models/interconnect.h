// Between the DMA engines and the DRAM: width, latency, arbitration.
#pragma once

#include <deque>
#include <map>
#include <systemc>
#include <vector>

#include "hw_models/dram_controller.h"
#include "hw_models/hardware_config.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/mailbox.h"

namespace tessera::hw {

/// A read's data begins to arrive and takes `data_cycles`, or the last of a write's is in DRAM.
struct Delivery {
  DramRequest request;
  Cycles data_cycles = 0;  // reads
  bool operator<(const Delivery& o) const { return request < o.request; }
};

/// Separate read and write paths of the same width. Requests of one instant are ordered by the
/// arbitration: round robin behind the requester served last, or by requester number.
class Interconnect : public sc_core::sc_module {
 public:
  Interconnect(sc_core::sc_module_name name, const HardwareConfig& config, DramController& dram,
               int requesters);

  Mailbox<DramRequest> requests;
  Mailbox<Delivery> deliveries;  // on core clock edges
  /// Core cycles, at least 1, that `bytes` take to cross.
  Cycles crossing_cycles(Bytes bytes) const;

 private:
  struct Pending {
    Femtoseconds when;
    Delivery delivery;
  };
  void step();
  void forward(const std::vector<DramRequest>& arrived);
  void send(DramRequest request);
  void cross_writes();
  void accept(const DramResponse& response);
  void accept_read(const DramResponse& response);
  void accept_write(const DramResponse& response);
  void deliver(std::deque<Pending>& path);
  Femtoseconds data_time(Bytes bytes) const;

  InterconnectConfig config_;
  Clock clock_;
  Clock core_;
  Femtoseconds latency_fs_;
  DramController& dram_;
  int requesters_;
  int served_last_ = 0;
  std::int64_t turns_ = 0;
  Femtoseconds read_free_ = 0, write_free_ = 0;
  std::deque<DramRequest> crossing_;  // writes in front of the write path
  std::deque<Pending> reads_, writes_;
  sc_core::sc_event deliver_;
};

}  // namespace tessera::hw
