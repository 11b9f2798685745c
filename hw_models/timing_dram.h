// The DRAM with rows, banks, refresh and a scheduler: its channels behind one SystemC module.
#pragma once

#include <array>
#include <deque>
#include <systemc>
#include <vector>

#include "hw_models/dram_channel.h"
#include "hw_models/dram_controller.h"

namespace tessera::hw {

/// What has happened: reads whose last burst is on its way, writes that have entered their queue,
/// and writes whose last burst is on its way (by the name they have since they entered).
struct DramProgress {
  std::vector<DramCompletion> read, entered, written;
  void clear() {
    read.clear();
    entered.clear();
    written.clear();
  }
};

/// A channel and what waits in front of its queues: reads and writes in the order of their arrival,
/// each direction by itself. Pure.
class DramLane {
 public:
  DramLane(const DramDevice& device, const DramPolicy& policy) : channel_(device, policy) {}

  /// `posted`: the name of a write once it has entered its queue, when its own is told.
  /// REQUIRES: `arrival` not before that of an earlier access of the same direction.
  void add(const DramAccess& access, DramClock arrival, std::int64_t posted = 0);
  /// Accepts and issues what can be up to and including clock `until`.
  void run(DramClock until, DramProgress& progress);
  /// The clock of the next accept or command that anyone waits for; kNeverClock without one.
  DramClock next_event();
  /// Refreshes go on without accesses.
  void finish(DramClock until, DramProgress& progress);
  const DramCommandCounts& counts() const { return channel_.counts(); }

 private:
  struct Waiting {
    DramAccess access;
    DramClock arrival = 0;
    std::int64_t posted = 0;
  };
  std::size_t first_to_enter() const;
  DramClock next_accept() const;
  DramClock undisturbed(DramClock command, DramClock until) const;
  void accept(std::size_t direction, DramProgress& progress);
  void advance(DramClock until, DramProgress& progress);

  DramChannel channel_;
  std::array<std::deque<Waiting>, 2> waiting_;  // reads, writes
  std::vector<DramCompletion> done_;
  std::int64_t reads_waiting_ = 0;  // in front of the queues or in them
  DramClock now_ = 0;               // of the last accept or command
};

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
