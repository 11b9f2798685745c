// Which commands are complete before a command starts, whatever the timing.
#pragma once

#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// What the machine guarantees, and all that is used:
///   - a queue issues in order: a command starts after the one ahead of it in its queue has started
///     (DmaEngine::start_commands, MacArray::issue, VectorUnit::start_next);
///   - a queue retires in order: when a command has completed, so have all ahead of it in its queue
///     (DmaEngine::retire, MacArray::complete_drained, VectorUnit::end);
///   - a command starts after every command that it waits for has completed (Scoreboard::ready).
/// So commands of one queue may overlap: loads in flight, a Gemm behind the epilogue of the last.
/// What the present machine does beyond this is not relied upon: the vector unit runs one command
/// at a time, and dispatch follows program order within the depth of the queues. The one exception
/// is the array's own work on its partial sums (see accesses.h).
class HappensBefore {
 public:
  explicit HappensBefore(const hw::HardwareConfig& hardware);

  /// Commands in program order, ids from 0. Waits that name no earlier command count for nothing.
  void add(const hw::Command& command);
  /// `first` is complete before `second` starts.
  bool ordered(hw::CommandId first, hw::CommandId second) const {
    return complete(second, queue(first)) >= first;
  }
  /// The latest command of a queue that is complete before `command` starts.
  hw::CommandId complete(hw::CommandId command, int queue) const {
    return clocks_[static_cast<std::size_t>(command) * width_ + static_cast<std::size_t>(queue)];
  }
  int queue(hw::CommandId id) const { return known_[static_cast<std::size_t>(id)].queue; }
  int op(hw::CommandId id) const { return known_[static_cast<std::size_t>(id)].op; }
  hw::CommandKind kind(hw::CommandId id) const { return known_[static_cast<std::size_t>(id)].kind; }
  hw::CommandId size() const { return static_cast<hw::CommandId>(known_.size()); }
  int queues() const { return static_cast<int>(width_); }
  /// Number of a command's queue: loads, stores, array, vector unit.
  int queue_of(const hw::Command& command) const;
  bool has_queue(const hw::Command& command) const;
  /// "load queue 1", "array".
  std::string queue_name(int queue) const;
  /// "gemm 17 of vision.L3.Attn_Q (array)".
  std::string text(hw::CommandId id, const workloads::Graph& graph) const;

 private:
  struct Known {
    hw::CommandKind kind = hw::CommandKind::kLoad;
    int queue = 0, op = 0;
  };
  void merge(hw::CommandId* mine, hw::CommandId other) const;

  int loads_, stores_;
  std::size_t width_;
  std::vector<hw::CommandId> ahead_;   // by queue: its latest command
  std::vector<hw::CommandId> clocks_;  // by command and queue
  std::vector<Known> known_;
};

}  // namespace tessera::sim
