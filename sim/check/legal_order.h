// Orders in which a machine may carry out a program. Pure.
#pragma once

#include <random>
#include <vector>

#include "hw_models/tile_program.h"
#include "sim/check/happens_before.h"

namespace tessera::sim {

std::vector<hw::CommandId> program_order(const std::vector<hw::Command>& program);

/// A random order that keeps every queue's own order and every wait. Queues take turns unevenly:
/// for a while one runs as far ahead of the others as waits let it. Whole commands only: what may
/// happen while two overlap is the hazard check's concern.
/// REQUIRES: waits name earlier commands.
std::vector<hw::CommandId> random_legal_order(const std::vector<hw::Command>& program,
                                              const HappensBefore& order, std::mt19937_64& random);

}  // namespace tessera::sim
