// From a graph to a plan: exact at the DRAM-buffer level. Pure, no SystemC, no YAML.
#pragma once

#include <stdexcept>
#include <string>

#include "hw_models/hardware_config.h"
#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {

/// Nothing fits, or a pin or plan is impossible: which buffer, by how many bytes, the nearest thing
/// that would fit.
class MappingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Maps every operator (equal shapes are mapped once), chooses what stays on chip, places slots in
/// buffers and tensors in DRAM. Throws MappingError.
Plan map_graph(const workloads::Graph& graph, const hw::HardwareConfig& hardware,
               const MappingConfig& config);

/// Decides on fusion: are the fused operators better under the objective than those apart, each
/// alone and cold? No where they do not fit. Equal shapes are mapped once over all its calls.
workloads::FusionPays fusion_judge(const hw::HardwareConfig& hardware,
                                   const ObjectiveConfig& objective);

/// Checks a plan read from a file against graph and machine (sizes, capacities, slots that overlap,
/// tensors that are alive together and overlap), prices it, and adds scratch for partial sums where
/// the plan has none. Throws MappingError.
void validate_plan(Plan& plan, const workloads::Graph& graph, const hw::HardwareConfig& hardware);

/// Analytical price of `mapping` for `op`, alone and cold but for what is kept.
MappingCost price(const workloads::Graph& graph, const workloads::Operator& op,
                  const OperatorPlan& mapping, const hw::HardwareConfig& hardware,
                  const KeptTensors& kept = {});

}  // namespace tessera::sim
