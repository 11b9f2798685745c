// Every two commands that touch the same byte, one of them writing, are ordered; nobody reads what
// is not there; nothing lies outside.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/check/accesses.h"
#include "sim/check/fault.h"
#include "sim/check/happens_before.h"
#include "sim/check/interval_map.h"
#include "sim/check/operator_execution.h"

namespace tessera::sim {

class HazardCheck {
 public:
  HazardCheck(const workloads::Graph& graph, const Plan& plan, const hw::HardwareConfig& hardware,
              const HappensBefore& order, FaultLog& faults);

  /// Checks the next command in program order. REQUIRES: `order` holds it; size_mistake() has none.
  /// False: something lies outside its buffer or its operator's tensors.
  bool add(const hw::Command& command, const OperatorExecution& execution,
           const OperatorExecutions& executions);
  /// Pairs of commands that shared bytes and were looked at.
  std::int64_t pairs() const { return pairs_; }

 private:
  /// What happened to some bytes. `readers`: the latest of each queue since the last write; a queue
  /// retires in order, so it stands for the others.
  struct Use {
    hw::CommandId writer = hw::kNoCommand;
    bool partial_sums = false;  // the array may go on adding to them in its own order
    workloads::TensorId tensor = workloads::kNoTensor;  // DRAM: what was written
    int execution = 0;                                  // DRAM: of the writer's operator
    std::vector<std::pair<int, hw::CommandId>> readers;
  };

  bool inside(const Access& access, hw::CommandId id);
  void touch(const Access& access, const hw::Command& command);
  void read(Use& use, const Access& access, std::int64_t at, hw::CommandId id);
  void look(hw::CommandId first, hw::CommandId second, const Access& access, std::int64_t at,
            const char* hazard);
  bool touch_dram(const Access& access, const hw::Command& command,
                  const OperatorExecution& execution, const OperatorExecutions& executions);
  void check_source(const Use& use, workloads::TensorId tensor, std::int64_t at,
                    const hw::Command& command, const OperatorExecution& execution,
                    const OperatorExecutions& executions);
  workloads::TensorId tensor_at(const std::vector<workloads::TensorId>& among,
                                const Access& access) const;
  std::vector<workloads::TensorId> tensors_of(int op, bool written) const;
  void fault(FaultKind kind, hw::CommandId id, const std::string& what);
  std::string place(int space, std::int64_t at) const;
  void find_constants();

  const workloads::Graph& graph_;
  const Plan& plan_;
  const hw::HardwareConfig& hardware_;
  const HappensBefore& order_;
  FaultLog& faults_;
  std::vector<IntervalMap<Use>> spaces_;  // DRAM, then the buffers
  std::vector<bool> produced_;            // by tensor: some operator writes it
  std::vector<bool> constant_;            // by tensor: nobody writes to its addresses
  std::vector<Access> accesses_;
  std::vector<std::pair<hw::CommandId, hw::CommandId>> told_;  // pairs that were reported
  std::int64_t pairs_ = 0;
};

}  // namespace tessera::sim
