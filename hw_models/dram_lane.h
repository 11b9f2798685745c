// A DRAM channel and what waits in front of it. Pure.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "hw_models/dram_channel.h"

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
/// each direction by itself.
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
  DramClock undisturbed(DramClock until, DramRoom& wanted) const;
  void accept(std::size_t direction, DramProgress& progress);
  void advance(DramClock until, const DramRoom& wanted, DramProgress& progress);

  DramChannel channel_;
  std::array<std::deque<Waiting>, 2> waiting_;  // reads, writes
  std::vector<DramCompletion> done_;
  std::int64_t reads_waiting_ = 0;  // in front of the queues or in them
  DramClock now_ = 0;               // of the last accept or command
};

}  // namespace tessera::hw
