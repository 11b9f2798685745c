#include "sim/mapper/planned_traffic.h"

#include "sim/mapper/attention_mapping.h"
#include "sim/mapper/mapper.h"
#include "sim/mapper/price.h"
#include "sim/mapper/vector_mapping.h"

namespace tessera::sim {
namespace {

using workloads::Graph;
using workloads::Operator;
using workloads::Tensor;
using workloads::TensorClass;

PlannedTraffic of_gemm(const Graph& graph, const Operator& op, const OperatorPlan& mapping,
                       const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  const GemmProblem problem = gemm_problem(graph, op, hardware, kept);
  const GemmContext context(problem, hardware);
  GemmChoice choice;  // its slots move nothing
  choice.dataflow = mapping.gemm.dataflow;
  choice.tile = mapping.gemm.tile;
  choice.order = mapping.gemm.order;
  choice.resident_a = mapping.gemm.resident_a;
  choice.resident_b = mapping.gemm.resident_b;
  const GemmPasses passes = gemm_passes(context, choice.tile);
  const GemmTerms terms = gemm_terms(context, choice, tile_counts(problem, choice.tile), passes);
  const std::int64_t n = problem.instances;
  PlannedTraffic traffic;
  traffic.loads = {{n * passes.a.useful, terms.reuse.a}, {n * passes.b.useful, terms.reuse.b}};
  if (problem.residual) traffic.loads.push_back({n * passes.residual.useful, 1});
  traffic.stores = {n * passes.out.useful};
  traffic.partial = n * terms.reuse.partial * passes.partial.useful;
  return traffic;
}

PlannedTraffic of_attention(const Graph& graph, const Operator& op, const OperatorPlan& mapping,
                            const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  const AttentionProblem problem = attention_problem(graph, op, hardware, kept);
  const GemmContext scores(problem.scores, hardware), context(problem.context, hardware);
  const AttentionMapping& blocks = mapping.attention;
  const TileShape score_tile{blocks.rows, problem.scores.k, blocks.keys};
  const TileShape context_tile{blocks.rows, blocks.keys, problem.values()};
  const std::int64_t heads = problem.scores.instances;
  const std::int64_t again = blocks.resident ? 1 : hw::ceil_div(problem.scores.m, blocks.rows);
  PlannedTraffic traffic;
  traffic.loads = {{heads * pass_a(scores, score_tile).useful, 1},
                   {heads * pass_b(scores, score_tile).useful, again},
                   {heads * pass_b(context, context_tile).useful, again}};
  traffic.stores = {heads * gemm_passes(context, context_tile).out.useful};
  return traffic;
}

PlannedTraffic of_vector(const Graph& graph, const Operator& op, const OperatorPlan& mapping,
                         const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  const VectorProblem problem = vector_problem(graph, op, hardware, kept);
  const VectorMapping& blocks = mapping.vector;
  const bool in_columns = blocks.cols < problem.width;
  const Grains grains = machine_rates(hardware).grains;
  const auto pass = [&](const VectorProblem::View& view) {
    return matrix_pass(view.layout, problem.m, view.cols, blocks.rows,
                       std::min(blocks.cols, view.cols), grains)
        .useful;
  };
  PlannedTraffic traffic;
  for (const auto& view : problem.inputs) {
    traffic.loads.push_back({pass(view), in_columns ? problem.passes : 1});
  }
  for (const auto& view : problem.outputs) traffic.stores.push_back(pass(view));
  traffic.parameters = problem.parameter_bytes;
  return traffic;
}

const Tensor& tensor_of(const Graph& graph, const workloads::MatrixView& view) {
  return graph.tensors.at(static_cast<std::size_t>(view.tensor));
}

hw::TrafficClass class_of(const Tensor& tensor, hw::TrafficClass of_activations) {
  if (tensor.cls == TensorClass::kWeights) return hw::TrafficClass::kWeights;
  return tensor.cls == TensorClass::kKvCache ? hw::TrafficClass::kKvCache : of_activations;
}

}  // namespace

PlannedTraffic planned_traffic(const Graph& graph, const Operator& op, const OperatorPlan& mapping,
                               const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  if (mapping.is_attention) return of_attention(graph, op, mapping, hardware, kept);
  return mapping.is_gemm ? of_gemm(graph, op, mapping, hardware, kept)
                         : of_vector(graph, op, mapping, hardware, kept);
}

hw::TrafficByClass by_class(const PlannedTraffic& traffic, const Graph& graph, const Operator& op) {
  hw::TrafficByClass sum{};
  const auto at = [&](hw::TrafficClass c) -> hw::ReadWrite& {
    return sum[static_cast<std::size_t>(c)];
  };
  for (std::size_t i = 0; i < traffic.loads.size(); ++i) {
    const Tensor& tensor = tensor_of(graph, op.inputs.at(i));
    at(class_of(tensor, hw::TrafficClass::kActivations)).read += traffic.loads[i].total();
  }
  for (std::size_t i = 0; i < traffic.stores.size(); ++i) {
    const Tensor& tensor = tensor_of(graph, op.outputs.at(i));
    at(class_of(tensor, hw::TrafficClass::kOutputs)).write += traffic.stores[i];
  }
  at(hw::TrafficClass::kWeights).read += traffic.parameters;
  at(hw::TrafficClass::kPartialSums).read += traffic.partial;
  at(hw::TrafficClass::kPartialSums).write += traffic.partial;
  return sum;
}

}  // namespace tessera::sim
