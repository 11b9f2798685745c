// Synthetic graphs, plans and counters for report tests: figures that a reader can recompute.
#pragma once

#include <string>

#include "sim/report/writers.h"

namespace tessera::sim::test {

/// Everything make_report() joins.
struct Sample {
  RunConfig config;
  workloads::Graph graph;
  Plan plan;
  hw::Counters counters;

  Report report() const { return make_report(config, graph, plan, counters); }
};

inline hw::BufferConfig buffer(const std::string& name, Bytes capacity, int banks, hw::Role role) {
  hw::BufferConfig config;
  config.name = name;
  config.capacity = capacity;
  config.banks = banks;
  config.roles = {role};
  return config;
}

/// 32 x 32 PEs at 1 GHz, 25.6 GB/s: ridge 2 * 1024 / 25.6 = 80 ops per byte.
inline Sample edge_sample() {
  Sample sample;
  auto& hardware = sample.config.hardware;
  hardware.name = "edge_32x32";
  hardware.buffers = {buffer("weights", 256 << 10, 4, hw::Role::kStationary),
                      buffer("accumulators", 128 << 10, 2, hw::Role::kAccumulators),
                      buffer("activations", 512 << 10, 16, hw::Role::kActivations)};
  sample.config.name = "sample_run";
  sample.config.resolved = {{"hardware", {{"name", "edge_32x32"}, {"vector", {{"lanes", 32}}}}}};
  sample.counters.buffers = {{240 << 10, 0, 0}, {128 << 10, 0, 0}, {392 << 10, 0, 0}};
  return sample;
}

inline workloads::TensorId add_tensor(Sample& sample, const std::string& name, std::int64_t rows,
                                      std::int64_t cols, workloads::TensorClass cls) {
  workloads::Tensor tensor;
  tensor.name = name;
  tensor.shape = {rows, cols};
  tensor.cls = cls;
  sample.graph.tensors.push_back(tensor);
  return static_cast<workloads::TensorId>(sample.graph.tensors.size()) - 1;
}

inline workloads::MatrixView whole(workloads::TensorId tensor, std::int64_t rows,
                                   std::int64_t cols) {
  workloads::MatrixView view;
  view.tensor = tensor;
  view.rows = rows;
  view.row_stride = cols;
  view.cols = cols;
  return view;
}

inline void add_phase(Sample& sample, const std::string& name, const std::string& title) {
  workloads::Phase phase;
  phase.name = name;
  phase.title = title;
  phase.unit = "image";
  phase.first_operator = phase.last_operator = static_cast<int>(sample.graph.operators.size());
  sample.graph.phases.push_back(phase);
}

inline void enter(Sample& sample, workloads::Operator op, OperatorPlan plan,
                  hw::OperatorCounters counters) {
  op.phase = sample.graph.phases.back().name;
  op.members = {op.name};
  plan.name = qualified_name(op);
  counters.first_command = sample.counters.total;
  for (const Cycles cycles : counters.attribution) sample.counters.total += cycles;
  counters.last_retired = sample.counters.total;
  counters.executions = 1;
  counters.buffers.resize(3);
  counters.buffer_accesses.resize(3);
  sample.graph.operators.push_back(op);
  sample.plan.operators.push_back(plan);
  sample.counters.operators.push_back(counters);
  sample.graph.phases.back().last_operator = static_cast<int>(sample.graph.operators.size());
}

/// A w8a8 Gemm that computes at peak, then waits `weights` cycles for weights. Its plan moves
/// `traffic` times its compulsory bytes, of which compulsory is the least.
inline void add_gemm(Sample& sample, const std::string& name, int layer, std::int64_t m,
                     std::int64_t k, std::int64_t n, Cycles weights, double traffic = 1.0) {
  workloads::Operator op;
  op.name = name;
  op.layer = layer;
  op.m = m;
  op.k = k;
  op.n = n;
  const std::string stem = name + ".L" + std::to_string(layer);
  op.inputs = {
      whole(add_tensor(sample, stem + ".in", m, k, workloads::TensorClass::kActivations), m, k),
      whole(add_tensor(sample, stem + ".w", k, n, workloads::TensorClass::kWeights), k, n)};
  op.outputs = {
      whole(add_tensor(sample, stem + ".out", m, n, workloads::TensorClass::kActivations), m, n)};
  const Bytes compulsory = m * k + k * n + m * n;
  OperatorPlan plan;
  plan.gemm.tile = {m, k, std::min<std::int64_t>(n, 64)};
  plan.gemm.b.count = 2;
  plan.least_dram_bytes = compulsory;
  plan.lower_bound_bytes = compulsory;
  plan.cost.dram_bytes = plan.cost.bus_bytes = static_cast<Bytes>(traffic * compulsory);
  plan.cost.array_cycles = m * k * n / 1024;
  hw::OperatorCounters counters;
  counters.macs = m * k * n;
  counters.attribution[0] = m * k * n / 1024;
  counters.attribution[static_cast<int>(hw::Cause::kWaitWeights)] = weights;
  counters.dram[0].read = k * n;
  counters.dram[1].read = m * k;
  counters.dram[2].write = m * n;
  counters.dram_bus_bytes = compulsory;
  enter(sample, op, plan, counters);
}

/// A softmax whose `busy` vector cycles are all exposed.
inline void add_softmax(Sample& sample, int layer, std::int64_t rows, std::int64_t cols,
                        Cycles busy) {
  workloads::Operator op;
  op.name = "Softmax";
  op.layer = layer;
  op.kind = workloads::OperatorKind::kSoftmax;
  op.operation = "softmax";
  op.m = rows;
  op.n = cols;
  const std::string stem = "Softmax.L" + std::to_string(layer);
  const auto cls = workloads::TensorClass::kActivations;
  op.inputs = {whole(add_tensor(sample, stem + ".in", rows, cols, cls), rows, cols)};
  op.outputs = {whole(add_tensor(sample, stem + ".out", rows, cols, cls), rows, cols)};
  OperatorPlan plan;
  plan.is_gemm = false;
  plan.vector.rows = 16;
  plan.vector.cols = cols;
  plan.least_dram_bytes = plan.lower_bound_bytes = 2 * rows * cols;
  plan.cost.dram_bytes = plan.cost.bus_bytes = 2 * rows * cols;
  plan.cost.vector_cycles = busy;
  hw::OperatorCounters counters;
  counters.attribution[static_cast<int>(hw::Cause::kWaitVector)] = busy;
  counters.vector_busy = busy;
  counters.dram[1].read = rows * cols;
  counters.dram[2].write = rows * cols;
  counters.dram_bus_bytes = 2 * rows * cols;
  enter(sample, op, plan, counters);
}

/// Two layers of a small encoder in one phase.
inline Sample encoder_sample() {
  Sample sample = edge_sample();
  add_phase(sample, "vision", "Test-ViT, 1 image");
  for (int layer = 0; layer < 2; ++layer) {
    add_gemm(sample, "Attn_Q", layer, 1024, 768, 768, 500);
    add_softmax(sample, layer, 12288, 1024, 1'372'000);
    add_gemm(sample, "MLP_FC1", layer, 1024, 768, 3072, 2000, 1.5);
  }
  return sample;
}

/// The text study's MLP_Gate: 93.3 ops per byte in INT8.
inline Sample gate_sample(double traffic = 1.0) {
  Sample sample = edge_sample();
  add_phase(sample, "text", "Test-LM, 1 prompt of 50 tokens");
  add_gemm(sample, "MLP_Gate", 0, 50, 960, 2560, 1000, traffic);
  return sample;
}

}  // namespace tessera::sim::test
