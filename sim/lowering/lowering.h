// From a plan to the commands of the machine, lazily.
#pragma once

#include <memory>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// The program of `plan`: commands appear as they are asked for, one operator at a time in memory.
/// Every hazard (buffers and DRAM) is an explicit wait. The arguments must outlive the source.
std::unique_ptr<hw::CommandSource> lower(const workloads::Graph& graph, const Plan& plan,
                                         const hw::HardwareConfig& hardware);

}  // namespace tessera::sim
