#include "sim/check/program_check.h"

#include "sim/check/accesses.h"
#include "sim/check/kept_results.h"

namespace tessera::sim {

using hw::Command;

ProgramCheck::ProgramCheck(const workloads::Graph& graph, const Plan& plan,
                           const hw::HardwareConfig& hardware, FaultLog& faults)
    : graph_(graph),
      plan_(plan),
      buffers_(static_cast<int>(hardware.buffers.size())),
      faults_(faults),
      order_(hardware),
      executions_(graph, plan, hardware),
      hazards_(graph, plan, hardware, order_, faults),
      flow_(graph, plan, hardware, order_, faults) {}

void ProgramCheck::fault(const Command& command, const std::string& what) {
  const hw::CommandId id = order_.size() - 1;
  faults_.add({FaultKind::kProgram, command.id, hw::kNoCommand,
               faults_.shows() ? order_.text(id, graph_) + " " + what : std::string()});
}

bool ProgramCheck::well_formed(const Command& command) {
  const bool known = command.op >= 0 && command.op < static_cast<int>(graph_.operators.size());
  if (command.id != order_.size() - 1) {
    fault(command, "has the id " + std::to_string(command.id));
    return false;
  }
  if (!known || !order_.has_queue(command)) {
    fault(command, known ? "names a queue that the machine does not have" : "names no operator");
    return false;
  }
  for (const hw::Wait& wait : command.waits) {
    if (wait.command >= 0 && wait.command < command.id) continue;
    fault(command,
          "waits for command " + std::to_string(wait.command) + ", which is not before it");
    return false;
  }
  const std::string mistake = size_mistake(command, buffers_);
  if (mistake.empty()) return true;
  fault(command, "is malformed: " + mistake);
  return false;
}

void ProgramCheck::add(const Command& command) {
  order_.add(command);
  if (!well_formed(command)) {
    executable_ = false;
    return;
  }
  OperatorExecution& execution = executions_.of(command.op);
  if (!hazards_.add(command, execution, executions_)) {
    executable_ = false;
    return;
  }
  flow_.add(command, execution);
  for (const Command& kept : kept_results(command, graph_, plan_)) flow_.add(kept, execution);
  executions_.close_if_finished(command.op);
}

void ProgramCheck::finish() {
  for (const auto& [op, execution] : executions_.open()) {
    const std::string who =
        qualified_name(*execution.site) + ", execution " + std::to_string(execution.number) + ", ";
    if (execution.macs != 0) {
      faults_.add({FaultKind::kMacs, hw::kNoCommand, hw::kNoCommand,
                   who + (execution.macs > 0 ? "lacks " : "does too many MACs: ") +
                       std::to_string(std::abs(execution.macs)) +
                       (execution.macs > 0 ? " MACs" : "")});
    }
    if (!execution.owed.empty()) {
      faults_.add({FaultKind::kOutputs, hw::kNoCommand, hw::kNoCommand,
                   who + "has not stored " + std::to_string(execution.owed.covered()) +
                       " bytes of its outputs, the first at DRAM byte " +
                       std::to_string(execution.owed.first())});
    }
  }
  for (std::size_t op = 0; op < graph_.operators.size(); ++op) {
    const int started = executions_.started(static_cast<int>(op));
    const int asked = executions_.asked(static_cast<int>(op));
    if (started == asked) continue;
    faults_.add({FaultKind::kOutputs, hw::kNoCommand, hw::kNoCommand,
                 qualified_name(graph_.operators[op]) + " is executed " + std::to_string(started) +
                     " times, not " + std::to_string(asked)});
  }
}

}  // namespace tessera::sim
