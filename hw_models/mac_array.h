// The MAC array: issues Gemm commands in order, chains them, waits for nothing else.
#pragma once

#include <deque>
#include <optional>
#include <systemc>
#include <vector>

#include "hw_models/array_timing.h"
#include "hw_models/counters.h"
#include "hw_models/hardware_config.h"
#include "hw_models/kernel/buffer_streams.h"
#include "hw_models/kernel/command_queue.h"
#include "hw_models/kernel/core_clock.h"
#include "hw_models/kernel/paced_work.h"
#include "hw_models/kernel/scoreboard.h"
#include "hw_models/kernel/unit_timer.h"
#include "hw_models/sram_buffer.h"

namespace tessera::hw {

/// Asks the vector unit to run the epilogue of Gemm `id`.
struct EpilogueRequest {
  CommandId id = kNoCommand;
  bool operator<(const EpilogueRequest& o) const { return id < o.id; }
};

/// One command streams, the next ones start up and the first of them may load its stationary block
/// meanwhile, earlier ones drain.
/// A Gemm has completed when its last result is in place: behind the drain, and behind the epilogue
/// where it has one. Owns the array's time line: every gap is attributed when it ends.
class MacArray : public sc_core::sc_module {
 public:
  MacArray(sc_core::sc_module_name name, const HardwareConfig& config, CommandQueue& queue,
           const std::vector<SramBuffer*>& buffers, Scoreboard& scoreboard, Counters& counters);

  Mailbox<StreamNotice> notices;            // from the buffers
  Mailbox<EpilogueRequest> epilogues_done;  // from the vector unit
  void bind_vector_unit(Mailbox<EpilogueRequest>& requests) { epilogue_requests_ = &requests; }

  /// Cycles until `now` in which the array streamed: for hidden vector time.
  Cycles streamed_until(Cycles now) const;
  Cycles last_stream_end() const { return last_end_; }
  UnitCounters finish(Cycles now) { return timer_.finish(now); }

 private:
  struct Job {
    CommandId id = kNoCommand;
    Cycles ready = 0;  // started up, first operands read
    ArrayCost cost;
    bool keeps_stationary = false;
    bool block_loaded = false;  // beside the stream ahead
    Cycles block_lost = 0;  // of the preload: because the banks are too narrow for a row a cycle
    Cycles stream_start = 0;
    Cycles padding = 0;  // of a pair: its rows go on while the next block loads
    /// Cycles of the stream when no bank holds it up.
    Cycles length() const { return cost.stream() - cost.successor_wait + padding; }
  };
  struct Draining {
    CommandId id = kNoCommand;
    Cycles drained = 0;
    bool epilogue_pending = false;
  };

  void step();
  void accept_notices(Cycles now);
  void issue(Cycles now);
  void issue_front(Cycles now);
  Cycles block_cycles(const GemmCommand& gemm, const ArrayCost& cost) const;
  std::int64_t block_accesses(const GemmCommand& gemm, const ArrayCost& cost) const;
  Cycles latency(const TileOperand& operand) const;
  Cycles earliest_stream() const;
  void begin_stream(Cycles now);
  void pair_with_next(Cycles now);
  void open_streams(const Job& job);
  ArrayAccesses accesses_of(const GemmCommand& gemm) const;
  void load_block(const Job& job, Cycles cycles);
  void end_stream(Cycles now);
  void request_epilogue(Cycles now);
  void complete_drained(Cycles now);
  void count(const Job& job);
  void count_traffic(const Job& job);
  void charge(int op, Cause cause, Cycles cycles);
  void charge_start(const Job& job, Cycles now);
  OperatorCounters& operator_of(CommandId id);

  const HardwareConfig& config_;
  CommandQueue& queue_;
  Scoreboard& scoreboard_;
  Counters& counters_;
  Clock clock_;
  Alarm alarm_;
  UnitTimer timer_;
  Mailbox<EpilogueRequest>* epilogue_requests_ = nullptr;

  std::deque<Job> issued_;      // starting up; the front one preloads
  std::optional<Job> current_;  // streaming
  ArrayChain chain_;
  PacedWork work_;
  bool epilogue_asked_ = false;
  bool epilogue_done_ = false;  // of current_: the vector unit may be ahead of a stalled stream
  BufferStreams streams_;
  std::deque<Draining> draining_;
  Cycles last_end_ = 0;  // end of the last stream
  Cycles streamed_ = 0;  // cycles of finished streams
};

}  // namespace tessera::hw
