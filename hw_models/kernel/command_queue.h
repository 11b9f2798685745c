// The queue between the sequencer and a unit.
#pragma once

#include <deque>
#include <systemc>

#include "hw_models/tile_program.h"

namespace tessera::hw {

/// Bounded, one producer, one consumer. Pushes and pops take effect between delta cycles, so
/// neither side's view depends on who runs first.
class CommandQueue : public sc_core::sc_prim_channel {
 public:
  CommandQueue(const char* name, int depth) : sc_core::sc_prim_channel(name), depth_(depth) {}

  // Producer.
  bool full() const { return static_cast<int>(items_.size() + pushed_.size()) >= depth_; }
  void push(CommandId id) {
    pushed_.push_back(id);
    request_update();
  }
  /// The command that left last: whose place a blocked producer gets.
  CommandId last_popped() const { return last_popped_; }
  const sc_core::sc_event& popped() const { return popped_event_; }

  // Consumer.
  bool empty() const { return taken_ >= items_.size(); }
  CommandId front() const { return items_[taken_]; }
  void pop() {
    ++taken_;
    request_update();
  }
  const sc_core::sc_event& pushed() const { return pushed_event_; }

 private:
  void update() override {
    if (taken_ > 0) {
      last_popped_ = items_[taken_ - 1];
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
      popped_event_.notify(sc_core::SC_ZERO_TIME);
    }
    if (!pushed_.empty()) {
      items_.insert(items_.end(), pushed_.begin(), pushed_.end());
      pushed_.clear();
      pushed_event_.notify(sc_core::SC_ZERO_TIME);
    }
  }

  int depth_;
  std::deque<CommandId> items_, pushed_;
  std::size_t taken_ = 0;
  CommandId last_popped_ = kNoCommand;
  sc_core::sc_event popped_event_, pushed_event_;
};

}  // namespace tessera::hw
