// What a user fixes of a mapping.
#pragma once

#include <string>
#include <vector>

#include "sim/config/run_config.h"
#include "sim/mapper/gemm_search.h"
#include "workloads/passes/operator_pattern.h"

namespace tessera::sim {

using workloads::matches;

/// Indices of the pins that match `op`, in order.
std::vector<int> matching_pins(const std::vector<MappingPin>& pins, const workloads::Operator& op);

/// The pins at `indices` together; later ones win. A pinned tile larger than its dimension means
/// the whole dimension. Throws MappingError for a word that is none of a pin's.
GemmPins gemm_pins(const std::vector<MappingPin>& pins, const std::vector<int>& indices,
                   const GemmProblem& problem, const hw::HardwareConfig& hardware);

/// Throws MappingError for a pin that matches no Gemm of the graph.
void require_pins_match(const std::vector<MappingPin>& pins, const workloads::Graph& graph);

}  // namespace tessera::sim
