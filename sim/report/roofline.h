// Compulsory traffic and roofline verdicts: pure functions of graph and walls.
#pragma once

#include <string>

#include "sim/mapper/plan.h"
#include "sim/report/report.h"
#include "workloads/graph.h"

namespace tessera::sim {

/// Bytes that `op` must move when nothing of it is on chip: every view of its operands and results
/// once (a KV head that several query heads share counts once) and its parameters, as stored.
Bytes compulsory_bytes(const workloads::Operator& op, const workloads::Graph& graph);
/// What fusion keeps on chip, written and read once, and what it reads once instead of again.
Bytes fusion_saved_bytes(const workloads::Operator& op, const workloads::Graph& graph);
/// Inputs and outputs that stay on chip, each distinct element once.
Bytes residency_saved_bytes(const workloads::Operator& op, const workloads::Graph& graph,
                            const KeptTensors& kept);

/// Bytes that operators [first, last) must move together with unlimited on-chip memory: what they
/// read and none of them wrote, and what they wrote and somebody else, or nobody, reads.
Bytes compulsory_bytes(const workloads::Graph& graph, int first, int last);

/// The tallest wall and the next one behind it.
struct WallVerdict {
  std::string bound;  // compute | dram | scratchpad | vector
  std::string next_bound;
  double next_share = 0;  // next wall / tallest wall
  double tallest = 0;     // cycles
};
/// Equal walls keep the order compute, dram, scratchpad, vector.
WallVerdict judge(const Walls& walls);

/// Fills the verdicts and the achieved fraction from the walls. The fraction is 1 when all of the
/// work was hidden behind other operators.
void settle(Roofline& roofline, Cycles cycles);

Walls operator+(const Walls& a, const Walls& b);

/// a / b, or 0 when b is 0.
double ratio(double a, double b);

}  // namespace tessera::sim
