// Gemms over one input become one: the input is read once, the array fills once.
#pragma once

#include <vector>

#include "workloads/passes/passes.h"

namespace tessera::workloads {

/// Q, K and V (as many of them as share their input) as one Gemm with n = the sum of theirs. Their
/// weights lie side by side in one matrix, their results side by side in one tensor, of which those
/// behind read their columns. Returns which operators have gone.
std::vector<bool> merge_projections(Graph& graph, FusionSwitch chosen, const FusionPays& pays);

/// Gate, up and the activation that joins them as one Gemm with n = the sum of theirs: its columns
/// are taken from gate and up in turn, and its epilogue joins each pair, so that only products are
/// stored. REQUIRES: every Gemm has its requantise step. Returns which operators have gone.
std::vector<bool> merge_gate_up(Graph& graph, FusionSwitch chosen, const FusionPays& pays);

}  // namespace tessera::workloads
