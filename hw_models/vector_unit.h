// The vector unit: commands of its own queue, and the epilogues that stream behind the array.
#pragma once

#include <deque>
#include <systemc>
#include <vector>

#include "hw_models/counters.h"
#include "hw_models/hardware_config.h"
#include "hw_models/kernel/buffer_streams.h"
#include "hw_models/kernel/command_queue.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/paced_work.h"
#include "hw_models/kernel/scoreboard.h"
#include "hw_models/kernel/unit_timer.h"
#include "hw_models/mac_array.h"
#include "hw_models/sram_buffer.h"

namespace tessera::hw {

/// One job at a time: the epilogue or the command that could run first; of two at the same cycle
/// the epilogue.
class VectorUnit : public sc_core::sc_module {
 public:
  VectorUnit(sc_core::sc_module_name name, const HardwareConfig& config, CommandQueue& queue,
             const std::vector<SramBuffer*>& buffers, MacArray& array, Scoreboard& scoreboard,
             Counters& counters);

  Mailbox<StreamNotice> notices;       // from the buffers
  Mailbox<EpilogueRequest> epilogues;  // from the array
  UnitCounters finish(Cycles now) { return timer_.finish(now); }

 private:
  struct Waiting {
    CommandId id = kNoCommand;
    Cycles since = 0;
  };
  void step();
  void accept(Cycles now);
  void start_next(Cycles now);
  void start_command(Cycles now);
  void start_epilogue(Cycles now);
  void run(CommandId id, bool is_epilogue, Cycles cycles, Cycles now);
  void open_stream(const std::vector<TileOperand>& reads, const std::vector<TileOperand>& writes,
                   double read_passes, Cycles cycles);
  void end(Cycles now);

  const HardwareConfig& config_;
  CommandQueue& queue_;
  MacArray& array_;
  Scoreboard& scoreboard_;
  Counters& counters_;
  Clock clock_;
  Alarm alarm_;
  UnitTimer timer_;

  std::deque<Waiting> waiting_;  // epilogues
  Cycles head_ready_ = -1;       // since when the head of the queue could run
  CommandId head_ = kNoCommand;
  PacedWork work_;
  CommandId running_ = kNoCommand;
  bool running_epilogue_ = false;
  Cycles started_ = 0;
  Cycles streamed_at_start_ = 0;
  BufferStreams streams_;
  CommandId ahead_ = kNoCommand;  // last command of the unit, and when it let go
  Cycles ahead_released_ = 0;
};

}  // namespace tessera::hw
