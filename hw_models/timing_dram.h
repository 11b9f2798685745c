// The DRAM with rows, banks, refresh and a scheduler: its channels behind one SystemC module.
#pragma once

#include <systemc>
#include <vector>

#include "hw_models/dram_controller.h"
#include "hw_models/dram_lane.h"

namespace tessera::hw {

/// `timing`: a request's bursts go to the channels by the address map, pieces of a row together. A
/// read is answered when its last burst is on the data bus, a write once all of it is in a write
/// queue: later accesses see it from then on.
///
/// Requests are told of when they leave for the controller, the interconnect's latency ahead of
/// their arrival. Commands before then cannot change any more and are issued at once.
class TimingDram : public DramController {
 public:
  TimingDram(sc_core::sc_module_name name, const HardwareConfig& config, Counters& counters);
  void finish(Femtoseconds end) override;

 private:
  struct Flight {
    DramRequest request;
    std::int64_t left = 0;                    // bursts that are not on their way
    DramClock first = kNeverClock, last = 0;  // ends of the first and last burst on the bus
  };
  struct Stream {  // a class of traffic of one operator
    std::int64_t requests = 0;
    Femtoseconds since = 0, until = 0;
  };

  void step();
  void take(const DramRequest& request);
  std::int64_t new_flight(const DramRequest& request);
  void land(const DramCompletion& piece);
  void settle_progress();
  void answer(Flight& flight);
  void schedule();
  DramClock clock_at_or_after(Femtoseconds t) const { return ceil_div(t, clock_fs_); }
  static std::int64_t stream_index(const DramRequest& request);
  DramStream& counters_of(std::int64_t stream);

  DramConfig config_;
  DmaConfig dma_;
  DramAddressMap map_;
  Bytes piece_;  // of one row, and a part of a queue
  Femtoseconds clock_fs_, lookahead_;
  Counters& counters_;
  std::vector<DramLane> lanes_;
  std::vector<Flight> flights_;
  std::vector<std::size_t> free_flights_, used_flights_;
  std::vector<Stream> streams_;
  DramProgress progress_;
  sc_core::sc_event wake_;
};

}  // namespace tessera::hw
