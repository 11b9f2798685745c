// Which buffer size would first change the plan.
#pragma once

#include <string>
#include <vector>

#include "hw_models/hardware_config.h"
#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// For each buffer the first doubling of its capacity (up to 16 times) under which the mapper
/// chooses differently, and what gains most: "1 MiB: MLP_FC2 would move 27 % less". Empty when none
/// does. Analytical, by mapping again.
std::vector<std::string> buffer_knees(const workloads::Graph& graph,
                                      const hw::HardwareConfig& hardware,
                                      const MappingConfig& config, const Plan& plan);

}  // namespace tessera::sim
