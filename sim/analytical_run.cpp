#include "sim/analytical_run.h"

#include "sim/mapper/planned_traffic.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

hw::OperatorCounters planned_counters(const workloads::Graph& graph, std::size_t index,
                                      const OperatorPlan& plan, std::int64_t times,
                                      const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  const workloads::Operator& op = graph.operators[index];
  hw::OperatorCounters counters;
  counters.executions = times;
  counters.macs = times * workloads::mac_count(op);
  counters.dram = by_class(planned_traffic(graph, op, plan, hardware, kept), graph, op);
  for (hw::ReadWrite& traffic : counters.dram) {
    traffic.read *= times;
    traffic.write *= times;
  }
  counters.dram_bus_bytes = times * plan.cost.bus_bytes;
  // One cause stands for all: writers leave causes out.
  counters.attribution[0] = times * plan.cost.latency;
  counters.buffers.resize(hardware.buffers.size());
  counters.buffer_accesses.resize(hardware.buffers.size());
  return counters;
}

}  // namespace

Report analytical_report(const RunConfig& config, const workloads::Graph& graph, const Plan& plan) {
  hw::Counters counters;
  counters.operators.resize(graph.operators.size());
  const KeptTensors kept = kept_tensors(plan);
  for (const workloads::Phase& phase : graph.phases) {
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      const auto index = static_cast<std::size_t>(i);
      hw::OperatorCounters& op = counters.operators[index];
      op = planned_counters(graph, index, plan.operators[index], phase.repeat, config.hardware,
                            kept);
      counters.total += op.attribution[0];
    }
  }
  Report report = make_report(config, graph, plan, counters);
  report.simulated = false;
  report.units.clear();
  report.dram_has_rows = false;
  report.dram_energy.reset();
  report.model_notes.insert(report.model_notes.begin(),
                            "`analytical`: every operator alone and cold, one after the other");
  return report;
}

}  // namespace tessera::sim
