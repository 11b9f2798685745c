// Where tensors lie in DRAM.
#pragma once

#include <vector>

#include "sim/config/run_config.h"
#include "sim/mapper/plan.h"

namespace tessera::sim {

/// Places every tensor that an operator touches and, into `operators`, the scratch of partial sums.
/// Weights and persistent state have a place of their own; activations reuse space first-fit, from
/// their first use (graph inputs: from the start) to their last (graph outputs: to the end).
/// Tensors that no operator touches, and those in `kept`, get address -1.
std::vector<TensorAllocation> allocate_tensors(const workloads::Graph& graph,
                                               const hw::HardwareConfig& hardware,
                                               const LayoutConfig& layout,
                                               std::vector<OperatorPlan>& operators,
                                               const KeptTensors& kept = {});

/// Bytes of scratch that `mapping` needs for partial sums that leave the chip; 0: none leave.
Bytes spill_bytes_needed(const workloads::Operator& op, const GemmMapping& mapping,
                         const hw::HardwareConfig& hardware);

/// First address behind every tensor and scratch of `plan`, aligned to a DRAM row.
std::int64_t end_of_memory(const Plan& plan, const hw::HardwareConfig& hardware);

}  // namespace tessera::sim
