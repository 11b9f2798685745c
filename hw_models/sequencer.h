// Fetches the program, dispatches commands to the queues in order.
#pragma once

#include <optional>
#include <systemc>
#include <vector>

#include "hw_models/counters.h"
#include "hw_models/hardware_config.h"
#include "hw_models/kernel/command_queue.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/scoreboard.h"
#include "hw_models/kernel/unit_timer.h"

namespace tessera::hw {

/// The queues of one core, by kind.
struct CommandQueues {
  std::vector<CommandQueue*> load, store;
  CommandQueue* gemm = nullptr;
  CommandQueue* vector = nullptr;
  CommandQueue& of(const Command& command) const;
};

/// One command at a time: waits for room in its queue, spends the dispatch (and launch) cycles,
/// pushes. A full queue blocks everything behind it.
class Sequencer : public sc_core::sc_module {
 public:
  Sequencer(sc_core::sc_module_name name, const HardwareConfig& config, CommandSource& program,
            const CommandQueues& queues, Scoreboard& scoreboard, Counters& counters);

  bool finished() const { return finished_; }
  UnitCounters finish(Cycles now) { return timer_.finish(now); }

 private:
  void step();
  bool fetch();
  void begin_dispatch(Cycles now);
  void end_dispatch(Cycles now);
  void note_footprint(const Command& command);
  void note_region(const Region& region);
  void close_footprint();

  const HardwareConfig& config_;
  CommandSource& program_;
  CommandQueues queues_;
  Scoreboard& scoreboard_;
  Counters& counters_;
  Clock clock_;
  Alarm alarm_;
  UnitTimer timer_;

  std::optional<Command> next_;  // fetched, not yet dispatched
  bool blocked_ = false;
  Cycles awaiting_since_ = -1;  // the next command has not arrived yet
  bool dispatching_ = false;
  bool finished_ = false;
  Cycles dispatch_begin_ = 0;
  Cycles dispatch_end_ = 0;
  CommandId blocked_by_ = kNoCommand;

  // Bytes of each buffer that the present operator uses: regions by offset.
  int footprint_op_ = -1;
  std::vector<std::map<Bytes, Bytes>> footprint_;
};

}  // namespace tessera::hw
