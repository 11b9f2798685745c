// Fused attention on the machine: softmax beside the array, scores never in DRAM.
#include <catch2/catch.hpp>

#include "sim/mapper/attention_mapping.h"
#include "sim/mapper/placement.h"
#include "tests/sim/mapper/mapper_fixtures.h"
#include "tests/support/single_operator.h"
#include "tests/workloads/model_zoo.h"

using namespace tessera;

namespace {

/// 4 heads of 64, 256 tokens.
workloads::Graph small_vit(bool fused) {
  workloads::ModelDescriptor model =
      workloads::zoo::stack("vit", workloads::Family::kVit, 256, 1, 4, 512);
  model.image_size = 256;
  model.patch_size = 16;
  workloads::Fusion fusion;
  if (fused) fusion.attention = workloads::FusionSwitch::kOn;
  return workloads::fuse(workloads::zoo::graph_of(model), fusion);
}

std::size_t index_of(const workloads::Graph& graph, const std::string& name) {
  std::size_t i = 0;
  while (graph.operators[i].name != name) ++i;
  return i;
}

hw::Bytes moved(const hw::Counters& counters, int read_class) {
  const hw::ReadWrite& traffic = counters.operators[0].dram[static_cast<std::size_t>(read_class)];
  return traffic.read + traffic.write;
}

test::Outcome alone(const workloads::Graph& graph, const std::string& name) {
  return test::simulate_graph(test::isolated(graph, index_of(graph, name)), sim::fixtures::edge());
}

constexpr hw::Bytes kMatrix = 256 * 256;  // Q, K, V and O are each of this size

}  // namespace

TEST_CASE("fused attention is faster than its parts and moves no scores") {
  const test::Outcome fused = alone(small_vit(true), "Attention");
  hw::Cycles parts = 0;
  std::int64_t macs = 0;
  for (const char* name : {"Attn_Scores", "Softmax", "Attn_Context"}) {
    const test::Outcome part = alone(small_vit(false), name);
    parts += part.counters.total;
    macs += part.counters.operators[0].macs;
  }
  CHECK(fused.counters.operators[0].macs == macs);
  CHECK(fused.counters.total < parts);
  CHECK(moved(fused.counters, static_cast<int>(hw::TrafficClass::kActivations)) == 3 * kMatrix);
  CHECK(moved(fused.counters, static_cast<int>(hw::TrafficClass::kOutputs)) == kMatrix);
  CHECK(moved(fused.counters, static_cast<int>(hw::TrafficClass::kPartialSums)) == 0);
}

TEST_CASE(
    "softmax runs beside the array: the whole takes less than array and vector unit in turn") {
  const test::Outcome fused = alone(small_vit(true), "Attention");
  const hw::OperatorCounters& op = fused.counters.operators[0];
  const sim::MappingCost& cost = fused.plan.operators[0].cost;
  CHECK(op.vector_hidden > op.vector_busy / 2);
  CHECK(fused.counters.total >= std::max(cost.array_cycles, cost.vector_cycles));
  CHECK(fused.counters.total < cost.array_cycles + cost.vector_cycles);
}

TEST_CASE("one slot of scores puts array and softmax in turn") {
  const workloads::Graph graph = small_vit(true);
  const workloads::Graph one = test::isolated(graph, index_of(graph, "Attention"));
  const hw::HardwareConfig machine = sim::fixtures::edge();
  const auto problem = sim::attention_problem(one, one.operators[0], machine);
  hw::Cycles cycles[2];
  for (const int slots : {1, 2}) {
    sim::Plan plan = sim::map_graph(one, machine, {});
    sim::AttentionChoice choice = sim::choice_of(problem, plan.operators[0].attention);
    choice.scores = slots;
    plan.operators[0].attention = sim::attention_mapping(problem, choice, machine);
    sim::place_slots(plan.operators, machine);
    cycles[slots - 1] =
        sim::simulate_isolated(machine, [&] { return sim::lower(one, plan, machine); }, 1, {})
            .total;
  }
  CHECK(cycles[0] > cycles[1] + cycles[1] / 5);
}
