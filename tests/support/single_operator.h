// One operator alone and cold: as a graph of its own, mapped and simulated.
#pragma once

#include <cmath>
#include <string>

#include "sim/lowering/lowering.h"
#include "sim/mapper/mapper.h"
#include "sim/simulation/simulate.h"
#include "workloads/passes/passes.h"

namespace tessera::test {

/// C[m,n] = A[m,k] B[k,n], 8-bit activations and weights, requantised.
inline workloads::Graph gemm_graph(std::int64_t m, std::int64_t k, std::int64_t n) {
  using namespace workloads;
  Graph graph;
  const auto tensor = [&](const char* name, std::int64_t rows, std::int64_t cols, TensorClass cls) {
    Tensor t;
    t.name = name;
    t.shape = {rows, cols};
    t.cls = cls;
    graph.tensors.push_back(t);
    MatrixView view;
    view.tensor = static_cast<TensorId>(graph.tensors.size()) - 1;
    view.rows = rows;
    view.row_stride = cols;
    view.cols = cols;
    return view;
  };
  Operator op;
  op.name = "Gemm";
  op.phase = "test";
  op.m = m;
  op.k = k;
  op.n = n;
  op.inputs = {tensor("a", m, k, TensorClass::kActivations),
               tensor("b", k, n, TensorClass::kWeights)};
  op.outputs = {tensor("c", m, n, TensorClass::kActivations)};
  graph.operators = {op};
  graph.phases = {{"test", "one Gemm", "run", 1, 1, 0.0, 0, 1}};
  return fuse(graph, {});
}

/// Operator `index` of `graph` alone: its inputs lie in DRAM.
inline workloads::Graph isolated(const workloads::Graph& graph, std::size_t index) {
  workloads::Graph alone;
  alone.tensors = graph.tensors;
  alone.operators = {graph.operators[index]};
  alone.phases = {{alone.operators[0].phase, "alone", "run", 1, 1, 0.0, 0, 1}};
  return alone;
}

struct Outcome {
  sim::Plan plan;
  hw::Counters counters;
};

/// Maps and simulates in a child process.
inline Outcome simulate_graph(const workloads::Graph& graph, const hw::HardwareConfig& hardware,
                              const sim::MappingConfig& mapping = {},
                              const sim::SimulateOptions& options = {}) {
  Outcome outcome;
  outcome.plan = sim::map_graph(graph, hardware, mapping);
  outcome.counters = sim::simulate_isolated(
      hardware, [&] { return sim::lower(graph, outcome.plan, hardware); },
      static_cast<int>(graph.operators.size()), options);
  return outcome;
}

}  // namespace tessera::test
