// Mapping and price of vector and copy operators: blocks of rows through input and output slots.
#pragma once

#include <string>
#include <vector>

#include "sim/mapper/gemm_problem.h"
#include "sim/mapper/machine_rates.h"
#include "sim/mapper/plan.h"

namespace tessera::sim {

/// m rows of n elements; every view has m rows and its own width.
struct VectorProblem {
  struct View {
    OperandLayout layout;
    std::int64_t cols = 0;
  };
  std::string name;
  std::int64_t m = 0, n = 0;
  std::int64_t width = 0;  // of the widest view
  std::vector<View> inputs, outputs;
  Bytes parameter_bytes = 0;
  std::int64_t parameter_loads = 0;
  std::string operation;    // empty: a copy
  std::int64_t passes = 1;  // reads of a row that is cut into columns (reductions)
};

/// REQUIRES: !is_gemm(op). Throws MappingError when the vector unit lacks the operation.
VectorProblem vector_problem(const workloads::Graph& graph, const workloads::Operator& op,
                             const hw::HardwareConfig& hardware, const KeptTensors& kept = {});

/// Slots without places.
struct VectorChoice {
  std::int64_t rows = 1, cols = 1;
  int inputs = 2, outputs = 2;  // slots per view
};

/// With one row block in time v on the vector unit, L the latency of a load:
///   latency = launch + 2 dispatch + body + store
///   body = max(L + t(parameters, first block) + vector + bubbles,
///              L + t(all bus bytes but the last block's store) + last block, issue)
/// Rings of slots make bubbles as in price.h. A copy has no vector time and stores from its input
/// slots.
MappingCost vector_cost(const VectorProblem& problem, const VectorChoice& choice,
                        const hw::HardwareConfig& hardware);

/// The fastest blocks that fit; whole rows if one fits. Throws MappingError.
VectorChoice search_vector(const VectorProblem& problem, const hw::HardwareConfig& hardware);

/// Bytes of one slot of a view, rounded up to the access width of `buffer`.
Bytes vector_slot_bytes(const VectorProblem& problem, const VectorProblem::View& view,
                        const VectorChoice& choice, const hw::HardwareConfig& hardware, int buffer);
/// The mapping with slots, offsets still 0.
VectorMapping vector_mapping(const VectorProblem& problem, const VectorChoice& choice,
                             const hw::HardwareConfig& hardware);

/// Bytes that any mapping moves.
Bytes compulsory_bytes(const VectorProblem& problem);

}  // namespace tessera::sim
