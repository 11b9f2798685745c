// The order, the hazards and the flow of data of a program, in one pass over its commands.
#pragma once

#include "sim/check/data_flow.h"
#include "sim/check/fault.h"
#include "sim/check/happens_before.h"
#include "sim/check/hazard_check.h"
#include "sim/check/operator_execution.h"

namespace tessera::sim {

class ProgramCheck {
 public:
  ProgramCheck(const workloads::Graph& graph, const Plan& plan, const hw::HardwareConfig& hardware,
               FaultLog& faults);
  /// The next command in program order.
  void add(const hw::Command& command);
  /// Everything that was asked for has been done, as often as asked.
  void finish();
  /// Every command so far can be executed: its sizes agree and its regions lie inside.
  bool executable() const { return executable_; }
  std::int64_t pairs() const { return hazards_.pairs(); }
  std::int64_t macs() const { return flow_.macs(); }

 private:
  bool well_formed(const hw::Command& command);
  void fault(const hw::Command& command, const std::string& what);

  const workloads::Graph& graph_;
  const Plan& plan_;
  int buffers_;
  FaultLog& faults_;
  HappensBefore order_;
  OperatorExecutions executions_;
  HazardCheck hazards_;
  DataFlow flow_;
  bool executable_ = true;
};

}  // namespace tessera::sim
