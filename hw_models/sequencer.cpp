#include "hw_models/sequencer.h"

#include <algorithm>

#include "hw_models/kernel/process.h"

namespace tessera::hw {

CommandQueue& CommandQueues::of(const Command& command) const {
  switch (command.kind) {
    case CommandKind::kLoad:
      return *load[static_cast<std::size_t>(command.queue)];
    case CommandKind::kStore:
      return *store[static_cast<std::size_t>(command.queue)];
    case CommandKind::kGemm:
      return *gemm;
    case CommandKind::kVector:
      break;
  }
  return *vector;
}

Sequencer::Sequencer(sc_core::sc_module_name name, const HardwareConfig& config,
                     CommandSource& program, const CommandQueues& queues, Scoreboard& scoreboard,
                     Counters& counters)
    : sc_module(name),
      config_(config),
      program_(program),
      queues_(queues),
      scoreboard_(scoreboard),
      counters_(counters),
      clock_(config.clocks.core_hz),
      alarm_(clock_),
      footprint_(config.buffers.size()) {
  std::vector<const sc_core::sc_event*> events{&alarm_.event(), &queues_.gemm->popped(),
                                               &queues_.vector->popped()};
  for (CommandQueue* queue : queues_.load) events.push_back(&queue->popped());
  for (CommandQueue* queue : queues_.store) events.push_back(&queue->popped());
  spawn_step([this] { step(); }, events);
}

void Sequencer::step() {
  const Cycles now = now_cycle(clock_);
  if (dispatching_) {
    if (now < dispatch_end_) return alarm_.set(dispatch_end_);
    end_dispatch(now);
  }
  if (!dispatching_ && fetch()) begin_dispatch(now);
  timer_.enter(dispatching_ ? UnitState::kBusy
               : blocked_   ? UnitState::kStalled
                            : UnitState::kIdle,
               now);
}

bool Sequencer::fetch() {
  if (!next_ && !finished_) {
    next_ = program_.next();
    if (!next_) {
      finished_ = true;
      close_footprint();
    }
  }
  return next_.has_value();
}

void Sequencer::begin_dispatch(Cycles now) {
  const Cycles arrival = clock_.edge_at_or_after(next_->not_before);
  if (now < arrival) {
    if (awaiting_since_ < 0) awaiting_since_ = now;
    return alarm_.set(arrival);
  }
  CommandQueue& queue = queues_.of(*next_);
  if (queue.full()) {
    blocked_ = true;
    return;
  }
  blocked_by_ = blocked_ ? queue.last_popped() : kNoCommand;
  blocked_ = false;
  dispatching_ = true;
  // Waiting for a request to arrive is the wait of its own first command.
  dispatch_begin_ = blocked_by_ == kNoCommand && awaiting_since_ >= 0 ? awaiting_since_ : now;
  awaiting_since_ = -1;
  dispatch_end_ =
      now + config_.sequencer.dispatch + (next_->launches ? config_.sequencer.operator_launch : 0);
  alarm_.set(dispatch_end_);
}

void Sequencer::end_dispatch(Cycles now) {
  note_footprint(*next_);
  OperatorCounters& op = counters_.operators[static_cast<std::size_t>(next_->op)];
  if (op.first_command < 0) op.first_command = now;
  op.executions += next_->launches ? 1 : 0;
  ++op.commands;
  CommandQueue& queue = queues_.of(*next_);
  CommandRecord& record = scoreboard_.add(std::move(*next_));
  record.dispatch_begin = dispatch_begin_;
  record.dispatched = now;
  record.blocked_by = blocked_by_;
  queue.push(record.command.id);
  next_.reset();
  dispatching_ = false;
}

void Sequencer::note_footprint(const Command& command) {
  if (command.op != footprint_op_) {
    close_footprint();
    footprint_op_ = command.op;
  }
  if (command.kind == CommandKind::kLoad || command.kind == CommandKind::kStore) {
    note_region(command.transfer.region);
  } else if (command.kind == CommandKind::kGemm) {
    for (const auto* operand : {&command.gemm.a, &command.gemm.b, &command.gemm.c}) {
      note_region(operand->region);
    }
    if (command.gemm.epilogue) note_region(command.gemm.epilogue->output.region);
  } else {
    for (const TileOperand& input : command.vector.inputs) note_region(input.region);
    for (const TileOperand& output : command.vector.outputs) note_region(output.region);
  }
}

void Sequencer::note_region(const Region& region) {
  Bytes& bytes = footprint_[static_cast<std::size_t>(region.buffer)][region.offset];
  bytes = std::max(bytes, region.bytes);
}

void Sequencer::close_footprint() {
  for (std::size_t i = 0; i < footprint_.size(); ++i) {
    Bytes used = 0;
    Bytes end = 0;  // regions may start inside one another (edge tiles, in-place results)
    for (const auto& [offset, bytes] : footprint_[i]) {
      used += std::max<Bytes>(0, offset + bytes - std::max(offset, end));
      end = std::max(end, offset + bytes);
    }
    counters_.buffers[i].peak = std::max(counters_.buffers[i].peak, used);
    footprint_[i].clear();
  }
}

}  // namespace tessera::hw
