// The core clock as SystemC time.
#pragma once

#include <systemc>

#include "hw_models/units.h"

namespace tessera::hw {

inline Femtoseconds now_fs() { return static_cast<Femtoseconds>(sc_core::sc_time_stamp().value()); }
/// REQUIRES: t is not in the past. Resolution is 1 fs.
inline sc_core::sc_time delay_until(Femtoseconds t) {
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(t - now_fs()));
}
/// The core cycle of this instant; events of core units lie on clock edges.
inline Cycles now_cycle(const Clock& clock) { return clock.edge_at_or_after(now_fs()); }

/// Wakes a method at a core cycle, if ever; of several pending requests the earliest counts.
class Alarm {
 public:
  explicit Alarm(const Clock& clock) : clock_(clock) {}
  void set(Cycles cycle) {
    if (cycle != kNever) event_.notify(delay_until(clock_.edge(cycle)));
  }
  const sc_core::sc_event& event() const { return event_; }

 private:
  Clock clock_;
  sc_core::sc_event event_;
};

}  // namespace tessera::hw
