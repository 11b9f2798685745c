#include "hw_models/vector_unit.h"

#include <algorithm>
#include <cmath>

#include "hw_models/kernel/process.h"
#include "hw_models/vector_cost.h"

namespace tessera::hw {

VectorUnit::VectorUnit(sc_core::sc_module_name name, const HardwareConfig& config,
                       CommandQueue& queue, const std::vector<SramBuffer*>& buffers,
                       MacArray& array, Scoreboard& scoreboard, Counters& counters)
    : sc_module(name),
      notices("notices"),
      epilogues("epilogues"),
      config_(config),
      queue_(queue),
      array_(array),
      scoreboard_(scoreboard),
      counters_(counters),
      clock_(config.clocks.core_hz),
      alarm_(clock_),
      streams_(kVectorUnit, config, buffers, counters) {
  spawn_step([this] { step(); }, {&alarm_.event(), &queue_.pushed(), &scoreboard_.changed(),
                                  &notices.arrived(), &epilogues.arrived()});
}

void VectorUnit::step() {
  const Cycles now = now_cycle(clock_);
  accept(now);
  if (running_ != kNoCommand && now >= work_.end()) end(now);
  if (running_ == kNoCommand) start_next(now);
  if (running_ != kNoCommand) alarm_.set(work_.end());
  const bool waits = !queue_.empty();
  timer_.enter(running_ != kNoCommand ? UnitState::kBusy
               : waits                ? UnitState::kStalled
                                      : UnitState::kIdle,
               now);
}

void VectorUnit::accept(Cycles now) {
  streams_.apply(notices.take(), work_, now);
  for (const EpilogueRequest& request : epilogues.take()) waiting_.push_back({request.id, now});
  if (queue_.empty()) return;
  const CommandId head = queue_.front();
  if (head != head_) {
    head_ = head;
    head_ready_ = -1;
  }
  if (head_ready_ < 0 && scoreboard_.ready(scoreboard_.at(head).command)) head_ready_ = now;
}

void VectorUnit::start_next(Cycles now) {
  const bool command = !queue_.empty() && queue_.front() == head_ && head_ready_ >= 0;
  const bool epilogue = !waiting_.empty();
  if (epilogue && (!command || waiting_.front().since <= head_ready_)) {
    start_epilogue(now);
  } else if (command) {
    start_command(now);
  }
}

void VectorUnit::start_command(Cycles now) {
  const CommandId id = queue_.front();
  queue_.pop();
  head_ = kNoCommand;
  head_ready_ = -1;
  scoreboard_.start(id, now, ahead_, ahead_released_);
  const VectorCommand& command = scoreboard_.at(id).command.vector;
  const Cycles cycles = command_cycles(config_.vector, command);
  const double passes = read_passes(config_.vector, command);
  Cycles first_read = 0;
  for (const TileOperand& input : command.inputs) {
    const auto buffer = static_cast<std::size_t>(input.region.buffer);
    first_read = std::max(first_read, config_.buffers[buffer].latency);
  }
  run(id, false, cycles + first_read, now);
  open_stream(command.inputs, command.outputs, passes, cycles + first_read);
}

void VectorUnit::start_epilogue(Cycles now) {
  const CommandId id = waiting_.front().id;
  waiting_.pop_front();
  const GemmCommand& gemm = scoreboard_.at(id).command.gemm;
  const Cycles cycles = epilogue_cycles(config_.vector, *gemm.epilogue);
  run(id, true, cycles, now);
  std::vector<TileOperand> reads{gemm.c};
  if (gemm.epilogue->adds_output) reads.push_back(gemm.epilogue->output);
  open_stream(reads, {gemm.epilogue->output}, 1.0, cycles);
}

void VectorUnit::run(CommandId id, bool is_epilogue, Cycles cycles, Cycles now) {
  running_ = id;
  running_epilogue_ = is_epilogue;
  started_ = now;
  streamed_at_start_ = array_.streamed_until(now);
  work_.start(now, std::max<Cycles>(1, cycles));
}

/// Every pass reads the inputs; the last one writes the outputs.
void VectorUnit::open_stream(const std::vector<TileOperand>& reads,
                             const std::vector<TileOperand>& writes, double read_passes,
                             Cycles cycles) {
  OperatorCounters& op =
      counters_.operators[static_cast<std::size_t>(scoreboard_.at(running_).command.op)];
  const auto add = [&](const TileOperand& operand, double passes) -> Bytes {
    const Bytes bytes = ceil_div(operand.rows * operand.cols * operand.bits, 8);
    const Bytes moved = static_cast<Bytes>(std::ceil(static_cast<double>(bytes) * passes));
    const auto buffer = static_cast<std::size_t>(operand.region.buffer);
    const std::int64_t accesses = ceil_div(moved, config_.buffers[buffer].width);
    streams_.add(operand.region, accesses, std::max<Cycles>(1, cycles), op);
    return moved;
  };
  const auto traffic = [&](const TileOperand& operand) -> ReadWrite& {
    return op.buffers[static_cast<std::size_t>(operand.region.buffer)]
                     [static_cast<std::size_t>(operand.traffic)];
  };
  for (const TileOperand& read : reads) traffic(read).read += add(read, read_passes);
  for (const TileOperand& write : writes) traffic(write).write += add(write, 1.0);
  streams_.open();
}

void VectorUnit::end(Cycles now) {
  CommandRecord& record = scoreboard_.at(running_);
  const Cycles stalled = work_.finish(now);
  if (!running_epilogue_) record.stalled += stalled;
  OperatorCounters& op = counters_.operators[static_cast<std::size_t>(record.command.op)];
  op.vector_busy += now - started_;
  op.vector_hidden += array_.streamed_until(now) - streamed_at_start_;
  op.vector_held_up += stalled;
  timer_.held_up(stalled);
  streams_.close();
  if (running_epilogue_) {
    array_.epilogues_done.post({running_});
  } else {
    scoreboard_.complete(running_, now);
    op.last_retired = std::max(op.last_retired, now);
  }
  ahead_ = running_;
  ahead_released_ = now;
  running_ = kNoCommand;
}

}  // namespace tessera::hw
