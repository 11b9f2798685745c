// A report in closed form: what the plan already says, without a simulation.
#pragma once

#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"
#include "sim/report/report.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// Bounds, DRAM traffic and an estimate of the cycles: each operator takes what the mapper expects
/// of it alone and cold, one after the other. That partitions the run; what operators overlap and
/// what they lose to each other is left out, and so are idle times before a phase's arrival.
/// Bytes and MACs are those of a simulation of the same plan; bounds hold for it.
Report analytical_report(const RunConfig& config, const workloads::Graph& graph, const Plan& plan);

}  // namespace tessera::sim
