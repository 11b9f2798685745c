// What an operator moves across the DRAM as mapped: known before any simulation.
#pragma once

#include <vector>

#include "hw_models/counters.h"
#include "hw_models/hardware_config.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// One input of an operator: useful bytes of one pass over it, and how many there are.
struct PlannedLoad {
  Bytes bytes = 0;
  std::int64_t times = 1;
  Bytes total() const { return bytes * times; }
};

/// Useful bytes of one execution, all instances.
struct PlannedTraffic {
  std::vector<PlannedLoad> loads;  // by input view
  std::vector<Bytes> stores;       // by output view
  Bytes parameters = 0;
  Bytes partial = 0;  // written, and read again
};

/// REQUIRES: `mapping` is one of `op` on `hardware`.
PlannedTraffic planned_traffic(const workloads::Graph& graph, const workloads::Operator& op,
                               const OperatorPlan& mapping, const hw::HardwareConfig& hardware,
                               const KeptTensors& kept = {});

/// The same bytes by class of tensor, as the machine counts them.
hw::TrafficByClass by_class(const PlannedTraffic& traffic, const workloads::Graph& graph,
                            const workloads::Operator& op);

}  // namespace tessera::sim
