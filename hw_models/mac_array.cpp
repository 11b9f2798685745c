#include "hw_models/mac_array.h"

#include <algorithm>

#include "hw_models/attribution.h"
#include "hw_models/bank_sharing.h"
#include "hw_models/kernel/process.h"
#include "hw_models/vector_cost.h"

namespace tessera::hw {
namespace {

/// REQUIRES: weight or input stationary.
const TileOperand& stationary_of(const GemmCommand& gemm) {
  return gemm.dataflow == Dataflow::kInputStationary ? gemm.a : gemm.b;
}

}  // namespace

MacArray::MacArray(sc_core::sc_module_name name, const HardwareConfig& config, CommandQueue& queue,
                   const std::vector<SramBuffer*>& buffers, Scoreboard& scoreboard,
                   Counters& counters)
    : sc_module(name),
      notices("notices"),
      epilogues_done("epilogues_done"),
      config_(config),
      queue_(queue),
      scoreboard_(scoreboard),
      counters_(counters),
      clock_(config.clocks.core_hz),
      alarm_(clock_),
      chain_(config.array),
      streams_(kArrayUnit, config, buffers, counters) {
  spawn_step([this] { step(); }, {&alarm_.event(), &queue_.pushed(), &scoreboard_.changed(),
                                  &notices.arrived(), &epilogues_done.arrived()});
}

void MacArray::step() {
  const Cycles now = now_cycle(clock_);
  accept_notices(now);
  if (current_ && now >= work_.end()) end_stream(now);
  issue(now);
  if (!current_ && !issued_.empty() && now >= earliest_stream()) begin_stream(now);
  issue(now);
  request_epilogue(now);
  complete_drained(now);
  if (current_) {
    alarm_.set(work_.end());
  } else if (!issued_.empty()) {
    alarm_.set(earliest_stream());
  }
  const bool waiting = !issued_.empty() || !queue_.empty();
  timer_.enter(current_ ? UnitState::kBusy : waiting ? UnitState::kStalled : UnitState::kIdle, now);
}

void MacArray::accept_notices(Cycles now) {
  streams_.apply(notices.take(), work_, now);
  for (const EpilogueRequest& done : epilogues_done.take()) {
    if (current_ && current_->id == done.id) epilogue_done_ = true;
    for (Draining& draining : draining_) {
      if (draining.id == done.id) draining.epilogue_pending = false;
    }
  }
}

void MacArray::issue(Cycles now) {
  const auto room = static_cast<std::size_t>(config_.array.issue_ahead);
  while (issued_.size() < room && !queue_.empty() &&
         scoreboard_.ready(scoreboard_.at(queue_.front()).command)) {
    issue_front(now);
  }
}

void MacArray::issue_front(Cycles now) {
  const CommandId id = queue_.front();
  const GemmCommand& gemm = scoreboard_.at(id).command.gemm;
  queue_.pop();
  scoreboard_.start(id, now, kNoCommand, 0);
  Job job;
  job.id = id;
  job.ready = now + config_.array.startup + std::max(latency(gemm.a), latency(gemm.b));
  job.cost = array_cost(config_.array, gemm.dataflow, {gemm.m, gemm.k, gemm.n},
                        pair_rate(config_.array, gemm.precision).value(), gemm.accumulate,
                        gemm.keeps_stationary);
  job.cost.drain += latency(gemm.c);
  job.keeps_stationary = gemm.keeps_stationary;
  job.block_lost = block_cycles(gemm, job.cost) - job.cost.preload;
  job.cost.preload += job.block_lost;
  issued_.push_back(job);
}

/// Cycles in which the first stationary block enters: as many as its rows, or as the banks of its
/// operand need for its accesses.
Cycles MacArray::block_cycles(const GemmCommand& gemm, const ArrayCost& cost) const {
  if (gemm.keeps_stationary || gemm.dataflow == Dataflow::kOutputStationary) return cost.preload;
  const TileOperand& operand = stationary_of(gemm);
  const BufferConfig& buffer = config_.buffers[static_cast<std::size_t>(operand.region.buffer)];
  const auto banks = static_cast<std::int64_t>(bank_shares(buffer, operand.region).size());
  const std::int64_t ports = std::max<std::int64_t>(1, banks) * buffer.ports;
  return std::max(cost.preload, ceil_div(block_accesses(gemm, cost), ports));
}

std::int64_t MacArray::block_accesses(const GemmCommand& gemm, const ArrayCost& cost) const {
  const ArrayAccesses accesses = accesses_of(gemm);
  const bool a_stays = gemm.dataflow == Dataflow::kInputStationary;
  return ceil_div(a_stays ? accesses.a : accesses.b, cost.folds);
}

Cycles MacArray::latency(const TileOperand& operand) const {
  return config_.buffers[static_cast<std::size_t>(operand.region.buffer)].latency;
}

Cycles MacArray::earliest_stream() const {
  const Job& job = issued_.front();
  return chain_.earliest_stream(job.cost, job.ready, job.keeps_stationary);
}

void MacArray::begin_stream(Cycles now) {
  current_ = issued_.front();
  issued_.pop_front();
  current_->stream_start = now;
  charge_start(*current_, now);
  pair_with_next(now);
  work_.start(now, current_->length());
  epilogue_done_ = false;
  epilogue_asked_ = !scoreboard_.at(current_->id).command.gemm.epilogue.has_value();
  open_streams(*current_);
  count(*current_);
}

/// From the end of the last stream: the wait for the command's conditions, then what of start-up
/// and preload no other command hid.
void MacArray::charge_start(const Job& job, Cycles now) {
  const int op = scoreboard_.at(job.id).command.op;
  const Cycles started = std::max(last_end_, scoreboard_.at(job.id).started);
  for (const Charge& gap : attribute_gap(scoreboard_, job.id, last_end_, started)) {
    charge(gap.op, gap.cause, gap.cycles);
  }
  const Cycles preload = std::min(now - started, job.cost.preload);
  const Cycles lost = std::min(preload, job.block_lost);
  charge(op, Cause::kPreload, preload - lost);
  charge(op, Cause::kWaitScratchpad, lost);
  charge(op, Cause::kFillDrain, now - started - preload);
  operator_of(job.id).array_held_up += lost;
  scoreboard_.forget_before(last_end_);
}

/// Paired loading is decided when the rows start: the next block enters beside them, then both last
/// as long as the longer one and meet the same banks; or it comes later, alone.
void MacArray::pair_with_next(Cycles now) {
  if (config_.array.preload != Preload::kPaired || issued_.empty()) return;
  Job& next = issued_.front();
  if (next.keeps_stationary || next.ready > now) return;
  ArrayChain chain = chain_;
  const Cycles end = now + current_->length();
  chain.ended(current_->cost, end);
  const Cycles wait = chain.earliest_stream(next.cost, next.ready, false) - end;
  // Where more than the block is waited for, the chain's rule stands alone.
  if (wait != current_->cost.successor_wait) return;
  next.block_loaded = true;
  current_->padding = wait;
}

ArrayAccesses MacArray::accesses_of(const GemmCommand& gemm) const {
  const auto width = [&](const TileOperand& operand) {
    return config_.buffers[static_cast<std::size_t>(operand.region.buffer)].width;
  };
  const OperandWidths widths{width(gemm.a), width(gemm.b), width(gemm.c),
                             gemm.a.bits,   gemm.b.bits,   gemm.c.bits};
  return array_accesses(config_.array, gemm.dataflow, {gemm.m, gemm.k, gemm.n}, widths,
                        gemm.accumulate);
}

/// The first stationary block of a command enters within `cycles`.
void MacArray::load_block(const Job& job, Cycles cycles) {
  const GemmCommand& gemm = scoreboard_.at(job.id).command.gemm;
  streams_.add(stationary_of(gemm).region, block_accesses(gemm, job.cost), cycles,
               operator_of(job.id));
}

void MacArray::open_streams(const Job& job) {
  const GemmCommand& gemm = scoreboard_.at(job.id).command.gemm;
  ArrayAccesses accesses = accesses_of(gemm);
  Cycles a_cycles = job.length(), b_cycles = job.length();
  // The stationary operand enters fold by fold while the fold before streams.
  if (gemm.dataflow != Dataflow::kOutputStationary) {
    const bool a_stays = gemm.dataflow == Dataflow::kInputStationary;
    std::int64_t& stationary = a_stays ? accesses.a : accesses.b;
    (a_stays ? a_cycles : b_cycles) = job.cost.stream();
    const bool paired = config_.array.preload == Preload::kPaired;
    if (job.keeps_stationary || paired) stationary -= ceil_div(stationary, job.cost.folds);
    // A block that paired with no rows came in front of the stream, with the banks to itself.
    if (paired && !job.keeps_stationary && !job.block_loaded) load_block(job, 0);
  }
  OperatorCounters& op = operator_of(job.id);
  streams_.add(gemm.a.region, accesses.a, a_cycles, op);
  streams_.add(gemm.b.region, accesses.b, b_cycles, op);
  streams_.add(gemm.c.region, accesses.c, job.length(), op);
  if (!issued_.empty() && issued_.front().block_loaded) load_block(issued_.front(), job.length());
  streams_.open();
}

void MacArray::end_stream(Cycles now) {
  const Cycles stalled = work_.finish(now);
  const Job& job = *current_;
  CommandRecord& record = scoreboard_.at(job.id);
  const int op = record.command.op;
  charge(op, Cause::kCompute, job.cost.compute);
  const Cycles between = job.cost.fold_wait - job.cost.successor_wait;
  const bool results_bind = record.command.gemm.dataflow == Dataflow::kOutputStationary;
  const Cycles filling = results_bind ? between : job.cost.fill_wait;
  charge(op, Cause::kFillDrain, filling);
  charge(op, Cause::kPreload, between - filling + job.padding);
  // Rounding of fixed-point speeds shows as stall, so that the time line adds up.
  const Cycles lost = now - job.stream_start - job.cost.compute - between - job.padding;
  charge(op, Cause::kWaitScratchpad, lost);
  record.stalled = stalled;
  const Cycles last_row = now - job.padding;
  record.operands_in = last_row;
  record.drained = std::max(now, last_row + job.cost.drain);
  counters_.operators[static_cast<std::size_t>(op)].array_held_up += lost;
  timer_.held_up(lost);
  streams_.close();
  request_epilogue(now);
  const bool pending = record.command.gemm.epilogue.has_value() && !epilogue_done_;
  draining_.push_back({job.id, record.drained, pending});
  alarm_.set(record.drained);
  streamed_ += now - job.stream_start;
  last_end_ = now;
  chain_.ended(job.cost, last_row);
  current_.reset();
}

/// The epilogue's vector time is placed so that it ends with the last results when the vector unit
/// keeps up, and from the first final result on when it does not.
void MacArray::request_epilogue(Cycles now) {
  if (!current_ || epilogue_asked_) return;
  // A bank that grants nothing for now will tell when it does.
  if (work_.end() == kNever) return;
  const GemmCommand& gemm = scoreboard_.at(current_->id).command.gemm;
  const Cycles needed = epilogue_cycles(config_.vector, *gemm.epilogue);
  const Cycles last_result = work_.end() + current_->cost.drain;
  const Cycles from =
      std::max(current_->stream_start + current_->cost.first_result, last_result - needed);
  const Cycles ask = std::min(from, work_.end());
  if (now < ask) return alarm_.set(ask);
  epilogue_asked_ = true;
  epilogue_requests_->post({current_->id});
}

void MacArray::complete_drained(Cycles now) {
  while (!draining_.empty()) {
    const Draining& front = draining_.front();
    if (front.epilogue_pending) return;
    if (now < front.drained) return alarm_.set(front.drained);
    scoreboard_.complete(front.id, now);
    OperatorCounters& op = operator_of(front.id);
    op.last_retired = std::max(op.last_retired, now);
    draining_.pop_front();
  }
}

void MacArray::count(const Job& job) {
  const GemmCommand& gemm = scoreboard_.at(job.id).command.gemm;
  OperatorCounters& op = operator_of(job.id);
  const std::int64_t macs = gemm.m * gemm.k * gemm.n;
  op.macs += macs;
  op.array_busy += job.cost.stream();
  counters_.macs_by_precision[gemm.precision] += macs;
  counters_.register_hops += job.cost.a_reads * config_.array.cols;
  count_traffic(job);
}

void MacArray::count_traffic(const Job& job) {
  const GemmCommand& gemm = scoreboard_.at(job.id).command.gemm;
  OperatorCounters& op = operator_of(job.id);
  const auto traffic = [&](const TileOperand& operand) -> ReadWrite& {
    return op.buffers[static_cast<std::size_t>(operand.region.buffer)]
                     [static_cast<std::size_t>(operand.traffic)];
  };
  traffic(gemm.a).read += ceil_div(job.cost.a_reads * gemm.a.bits, 8);
  traffic(gemm.b).read += ceil_div(job.cost.b_reads * gemm.b.bits, 8);
  traffic(gemm.c).read += ceil_div(job.cost.result_reads * gemm.c.bits, 8);
  traffic(gemm.c).write += ceil_div(job.cost.result_writes * gemm.c.bits, 8);
}

void MacArray::charge(int op, Cause cause, Cycles cycles) {
  counters_.operators[static_cast<std::size_t>(op)].attribution[static_cast<std::size_t>(cause)] +=
      cycles;
}

Cycles MacArray::streamed_until(Cycles now) const {
  const Cycles open = current_ ? now - current_->stream_start : 0;
  return streamed_ + open;
}

OperatorCounters& MacArray::operator_of(CommandId id) {
  return counters_.operators[static_cast<std::size_t>(scoreboard_.at(id).command.op)];
}

}  // namespace tessera::hw
