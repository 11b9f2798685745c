// Results that stay on chip, seen by the check as stored and loaded again.
#pragma once

#include <vector>

#include "hw_models/tile_program.h"
#include "sim/mapper/plan.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// The plan with an address of its own behind all others for every tensor that is kept on chip, so
/// that its elements have names like those of others. The program never uses these addresses.
Plan with_kept_addresses(Plan plan, const hw::HardwareConfig& hardware);

/// The transfers that stand for what `command` writes into kept tensors: each row stored to its
/// tensor's address and loaded from there, under the id of `command`. `plan` has kept addresses.
std::vector<hw::Command> kept_results(const hw::Command& command, const workloads::Graph& graph,
                                      const Plan& plan);

}  // namespace tessera::sim
