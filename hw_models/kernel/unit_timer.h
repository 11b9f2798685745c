// Busy + stalled + idle = elapsed, by construction.
#pragma once

#include "hw_models/counters.h"

namespace tessera::hw {

enum class UnitState { kIdle, kBusy, kStalled };

class UnitTimer {
 public:
  /// From `now` on the unit is in `state`. REQUIRES: now does not run backwards.
  void enter(UnitState state, Cycles now) {
    account(now);
    state_ = state;
  }
  /// `cycles` counted as busy were lost to a bank.
  void held_up(Cycles cycles) {
    counters_.busy -= cycles;
    counters_.stalled += cycles;
  }
  UnitCounters finish(Cycles now) {
    account(now);
    return counters_;
  }

 private:
  void account(Cycles now) {
    const Cycles spent = now - since_;
    since_ = now;
    if (state_ == UnitState::kBusy) counters_.busy += spent;
    if (state_ == UnitState::kStalled) counters_.stalled += spent;
    if (state_ == UnitState::kIdle) counters_.idle += spent;
  }

  UnitState state_ = UnitState::kIdle;
  Cycles since_ = 0;
  UnitCounters counters_;
};

}  // namespace tessera::hw
