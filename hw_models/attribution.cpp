#include "hw_models/attribution.h"

#include <algorithm>

namespace tessera::hw {
namespace {

Cause load_cause(TrafficClass traffic) {
  switch (traffic) {
    case TrafficClass::kWeights:
      return Cause::kWaitWeights;
    case TrafficClass::kPartialSums:
      return Cause::kWaitAccumulator;
    case TrafficClass::kActivations:
    case TrafficClass::kOutputs:
    case TrafficClass::kKvCache:
      break;
  }
  return Cause::kWaitActivations;
}

/// Walks from `end` back to `begin`, charging as it goes.
class Walk {
 public:
  Walk(const CommandHistory& history, Cycles begin, Cycles end, bool tail)
      : history_(history), begin_(begin), now_(end), tail_(tail) {}

  /// While `id` ran, up to the present point of the walk, then what it waited for.
  void follow_run(CommandId id, bool over_accumulators) {
    for (const CommandRecord* record = history_.find(id); record != nullptr && now_ > begin_;) {
      charge_run(*record, over_accumulators);
      record = follow_start(*record, over_accumulators);
    }
    close(id);
  }
  /// What bound the start of `id`.
  void follow_condition(CommandId id) {
    bool over_accumulators = false;
    const CommandRecord* record = history_.find(id);
    if (record != nullptr) record = follow_start(*record, over_accumulators);
    if (record == nullptr || now_ <= begin_) return close(id);
    follow_run(record->command.id, over_accumulators);
  }
  std::vector<Charge> take() { return std::move(charges_); }

 private:
  void charge(int op, Cause cause, Cycles from) {
    const Cycles to = std::max(from, begin_);
    if (now_ <= to) return;
    charges_.push_back({op, cause, now_ - to});
    now_ = to;
  }

  /// The part of the run of `record` that lies before now_.
  void charge_run(const CommandRecord& record, bool over_accumulators) {
    const int op = record.command.op;
    if (record.stalled > 0 && record.command.kind != CommandKind::kGemm) {
      charge(op, Cause::kWaitScratchpad, std::max(record.started, now_ - record.stalled));
    }
    if (record.command.kind == CommandKind::kGemm) return charge_gemm(record, over_accumulators);
    charge(op, run_cause(record, over_accumulators), record.started);
  }

  Cause run_cause(const CommandRecord& record, bool over_accumulators) const {
    switch (record.command.kind) {
      case CommandKind::kLoad:
        return load_cause(record.command.transfer.traffic);
      case CommandKind::kStore:
        return tail_ ? Cause::kTail : Cause::kWaitStore;
      case CommandKind::kVector:
        break;
      case CommandKind::kGemm:
        return Cause::kFillDrain;
    }
    return over_accumulators ? Cause::kWaitAccumulator : Cause::kWaitVector;
  }

  /// Behind its last operand row a Gemm drains, then its epilogue runs on the vector unit.
  void charge_gemm(const CommandRecord& record, bool over_accumulators) {
    const Cause epilogue = over_accumulators ? Cause::kWaitAccumulator : Cause::kWaitVector;
    if (record.drained >= 0) charge(record.command.op, epilogue, record.drained);
    charge(record.command.op, Cause::kFillDrain, record.started);
  }

  /// Moves on to the command that bound the start of `record`; nullptr at the end of the chain.
  const CommandRecord* follow_start(const CommandRecord& record, bool& over_accumulators) {
    over_accumulators = record.bound_by_accumulators;
    if (record.binder != Binder::kDispatch) return history_.find(record.bound_to);
    const CommandRecord* waiting = &record;
    while (waiting != nullptr && now_ > begin_) {
      charge(waiting->command.op, Cause::kWaitDispatch, waiting->dispatch_begin);
      if (now_ <= begin_) return nullptr;
      if (waiting->blocked_by != kNoCommand) {
        const CommandRecord* blocker = history_.find(waiting->blocked_by);
        if (blocker == nullptr) return nullptr;
        over_accumulators = blocker->bound_by_accumulators;
        if (blocker->binder != Binder::kDispatch) return history_.find(blocker->bound_to);
        waiting = blocker;
      } else {
        waiting = history_.find(waiting->command.id - 1);
      }
    }
    return nullptr;
  }

  /// What no command explains was spent by the sequencer.
  void close(CommandId id) {
    const CommandRecord* record = history_.find(id);
    charge(record != nullptr ? record->command.op : 0, Cause::kWaitDispatch, begin_);
  }

  const CommandHistory& history_;
  Cycles begin_;
  Cycles now_;
  bool tail_;
  std::vector<Charge> charges_;
};

}  // namespace

std::vector<Charge> attribute_gap(const CommandHistory& history, CommandId command, Cycles begin,
                                  Cycles end) {
  Walk walk(history, begin, end, false);
  walk.follow_condition(command);
  return walk.take();
}

std::vector<Charge> attribute_tail(const CommandHistory& history, CommandId command, Cycles begin,
                                   Cycles end) {
  Walk walk(history, begin, end, true);
  walk.follow_run(command, false);
  return walk.take();
}

}  // namespace tessera::hw
