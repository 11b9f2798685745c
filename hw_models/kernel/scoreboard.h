// Tokens and the history of commands that are still of interest.
#pragma once

#include <deque>
#include <systemc>
#include <vector>

#include "hw_models/command_record.h"
#include "hw_models/tile_program.h"

namespace tessera::hw {

/// Holds every dispatched command until the attribution no longer needs it. Completions become
/// visible between delta cycles, to all units at once.
class Scoreboard : public sc_core::sc_prim_channel, public CommandHistory {
 public:
  explicit Scoreboard(const char* name) : sc_core::sc_prim_channel(name) {}

  /// Sequencer only; ids are consecutive.
  CommandRecord& add(Command command);
  CommandRecord& at(CommandId id) { return records_[static_cast<std::size_t>(id - base_)]; }
  const CommandRecord* find(CommandId id) const override;
  bool completed(CommandId id) const;
  bool ready(const Command& command) const;
  /// Sets started and the binder of a command that its unit issues now; `ahead` is the command in
  /// front of it in its queue and `ahead_released` the cycle from which the unit could take it.
  void start(CommandId id, Cycles now, CommandId ahead, Cycles ahead_released);
  /// Fires the token of `id` at this instant, core cycle `now`.
  void complete(CommandId id, Cycles now);
  const sc_core::sc_event& changed() const { return changed_; }

  /// Completed commands that ended by `cycle` may be forgotten.
  void forget_before(Cycles cycle) { forget_before_ = cycle; }
  std::int64_t outstanding() const { return outstanding_; }
  Cycles last_completion() const { return last_completion_; }
  CommandId last_completed() const { return last_completed_; }
  CommandId oldest() const { return base_; }
  CommandId newest() const { return base_ + static_cast<CommandId>(records_.size()) - 1; }

 private:
  struct Completion {
    CommandId id;
    Cycles cycle;
  };
  void update() override;
  void forget();

  std::deque<CommandRecord> records_;
  CommandId base_ = 0;
  std::vector<Completion> pending_;
  std::int64_t outstanding_ = 0;
  Cycles forget_before_ = -1;
  Cycles last_completion_ = 0;
  CommandId last_completed_ = kNoCommand;
  sc_core::sc_event changed_;
};

}  // namespace tessera::hw
