#include "hw_models/kernel/scoreboard.h"

#include <algorithm>

namespace tessera::hw {

CommandRecord& Scoreboard::add(Command command) {
  records_.emplace_back();
  records_.back().command = std::move(command);
  ++outstanding_;
  return records_.back();
}

const CommandRecord* Scoreboard::find(CommandId id) const {
  if (id < base_ || id > newest()) return nullptr;
  return &records_[static_cast<std::size_t>(id - base_)];
}

bool Scoreboard::completed(CommandId id) const {
  if (id < base_) return true;
  const CommandRecord* record = find(id);
  return record != nullptr && record->completed >= 0;
}

bool Scoreboard::ready(const Command& command) const {
  return std::all_of(command.waits.begin(), command.waits.end(),
                     [this](const Wait& wait) { return completed(wait.command); });
}

void Scoreboard::start(CommandId id, Cycles now, CommandId ahead, Cycles ahead_released) {
  CommandRecord& record = at(id);
  record.started = now;
  Cycles last = record.dispatched;
  if (ahead != kNoCommand && ahead_released >= last) {
    last = ahead_released;
    record.binder = Binder::kQueueAhead;
    record.bound_to = ahead;
  }
  for (const Wait& wait : record.command.waits) {
    const CommandRecord* other = find(wait.command);
    // On a tie a token wins, and of two tokens the later command: a fixed order.
    if (other == nullptr || other->completed < last) continue;
    const bool tie = other->completed == last && record.binder == Binder::kToken;
    if (tie && wait.command <= record.bound_to) continue;
    last = other->completed;
    record.binder = Binder::kToken;
    record.bound_to = wait.command;
    record.bound_by_accumulators = wait.accumulators && wait.hazard != Hazard::kReadAfterWrite;
  }
}

void Scoreboard::complete(CommandId id, Cycles now) {
  pending_.push_back({id, now});
  request_update();
}

void Scoreboard::update() {
  for (const Completion& completion : pending_) {
    at(completion.id).completed = completion.cycle;
    const bool later = completion.cycle > last_completion_ ||
                       (completion.cycle == last_completion_ && completion.id > last_completed_);
    if (later) {
      last_completion_ = completion.cycle;
      last_completed_ = completion.id;
    }
  }
  outstanding_ -= static_cast<std::int64_t>(pending_.size());
  pending_.clear();
  forget();
  changed_.notify(sc_core::SC_ZERO_TIME);
}

void Scoreboard::forget() {
  while (!records_.empty() && records_.front().completed >= 0 &&
         records_.front().completed < forget_before_) {
    records_.pop_front();
    ++base_;
  }
}

}  // namespace tessera::hw
