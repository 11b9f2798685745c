#include "sim/mapper/residency.h"

#include <catch2/catch.hpp>

#include "sim/mapper/placement.h"
#include "tests/sim/mapper/mapper_fixtures.h"
#include "workloads/model_descriptor.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {
namespace {

using workloads::Graph;
using workloads::MatrixView;
using workloads::Operator;
using workloads::OperatorKind;
using workloads::TensorId;

constexpr std::int64_t kRows = 64, kCols = 96;

/// x -> Gemm -> h -> norm -> g -> Gemm -> y; sizes kRows x kCols throughout.
class Chain {
 public:
  Chain() {
    const TensorId x = tensor(kRows), h = tensor(kRows), g = tensor(kRows), y = tensor(kRows);
    gemm("First", x, h);
    Operator norm;
    norm.name = "Norm";
    norm.phase = "p";
    norm.kind = OperatorKind::kLayerNorm;
    norm.operation = "layernorm";
    norm.m = kRows;
    norm.n = kCols;
    norm.inputs = {view(h, kRows)};
    norm.outputs = {view(g, kRows)};
    graph.operators.push_back(norm);
    gemm("Second", g, y);
    workloads::Phase phase;
    phase.name = "p";
    phase.last_operator = 3;
    graph.phases = {phase};
  }

  static constexpr TensorId kX = 0, kH = 1, kG = 2, kY = 3;
  Graph graph;

 private:
  TensorId tensor(std::int64_t rows) {
    workloads::Tensor made;
    made.name = "t" + std::to_string(graph.tensors.size());
    made.shape = {rows, kCols};
    graph.tensors.push_back(made);
    return static_cast<TensorId>(graph.tensors.size() - 1);
  }
  static MatrixView view(TensorId id, std::int64_t rows) {
    MatrixView made;
    made.tensor = id;
    made.rows = rows;
    made.row_stride = made.cols = kCols;
    return made;
  }
  void gemm(const char* name, TensorId from, TensorId to) {
    const TensorId weights = tensor(kCols);
    graph.tensors.back().cls = workloads::TensorClass::kWeights;
    Operator op;
    op.name = name;
    op.phase = "p";
    op.m = kRows;
    op.k = op.n = kCols;
    op.inputs = {view(from, kRows), view(weights, kCols)};
    op.outputs = {view(to, kRows)};
    op.epilogue = {{"", "requantise"}};
    graph.operators.push_back(op);
  }
};

MappingConfig automatic() {
  MappingConfig config;
  config.residency = ResidencyChoice::kAuto;
  return config;
}

Bytes moved(const Plan& plan) {
  Bytes bytes = 0;
  for (const OperatorPlan& op : plan.operators) bytes += op.cost.dram_bytes;
  return bytes;
}

Cycles time(const Plan& plan) {
  Cycles cycles = 0;
  for (const OperatorPlan& op : plan.operators) cycles += op.cost.latency;
  return cycles;
}

}  // namespace

TEST_CASE("what lies between two operators can stay, what enters or leaves the graph cannot") {
  const Chain chain;
  CHECK_FALSE(can_stay(chain.graph, Chain::kX));
  CHECK(can_stay(chain.graph, Chain::kH));
  CHECK(can_stay(chain.graph, Chain::kG));
  CHECK_FALSE(can_stay(chain.graph, Chain::kY));
}

TEST_CASE("readers that cannot take rows at one distance, and state, stay in DRAM") {
  const auto stays = [](auto change) {
    Chain chain;
    change(chain.graph);
    return can_stay(chain.graph, Chain::kG);
  };
  CHECK_FALSE(stays([](Graph& g) { g.tensors[Chain::kG].is_state = true; }));
  CHECK_FALSE(stays([](Graph& g) { g.tensors[Chain::kG].cls = workloads::TensorClass::kKvCache; }));
  CHECK_FALSE(stays([](Graph& g) { g.tensors[Chain::kG].format.group = 32; }));
  CHECK_FALSE(stays([](Graph& g) { g.operators[2].inputs[0].transposed = true; }));
  CHECK_FALSE(stays([](Graph& g) { g.operators[2].inputs[0].repeat_stride = kCols; }));
  CHECK_FALSE(stays([](Graph& g) { g.operators[2].parameters = {Chain::kG}; }));
  // Two groups of half the rows: evenly spaced if the second follows the first.
  const auto grouped = [&](std::int64_t stride) {
    return stays([&](Graph& g) {
      g.operators[2].inputs[0].rows = kRows / 2;
      g.operators[2].inputs[0].group = {2, stride};
    });
  };
  CHECK(grouped(kRows / 2 * kCols));
  CHECK_FALSE(grouped(kCols / 2));
  // The right operand lies in another buffer.
  CHECK_FALSE(
      stays([](Graph& g) { std::swap(g.operators[2].inputs[0], g.operators[2].inputs[1]); }));
}

TEST_CASE("a chain that fits moves its ends and weights only") {
  const Chain chain;
  const hw::HardwareConfig hardware = fixtures::edge();
  const Plan cold = map_graph(chain.graph, hardware, {});
  const Plan plan = map_graph(chain.graph, hardware, automatic());
  constexpr Bytes kTensor = kRows * kCols;
  CHECK(moved(cold) == 6 * kTensor + 2 * kCols * kCols);
  CHECK(moved(plan) == 2 * kTensor + 2 * kCols * kCols);
  CHECK(time(plan) < time(cold));
  const Slots &h = plan.tensors[Chain::kH].kept, &g = plan.tensors[Chain::kG].kept;
  CHECK(h.bytes == kTensor);
  CHECK(h.end() == hardware.buffers[2].capacity);
  CHECK(g.end() == h.offset);
  CHECK(plan.tensors[Chain::kH].address == -1);
  CHECK(plan.operators[0].gemm.outputs.count == 0);
  CHECK(plan.operators[2].gemm.a.count == 0);
  for (const OperatorPlan& op : plan.operators) {
    for (const Slots* slots : slots_of(op)) {
      CHECK((slots->buffer != h.buffer || slots->end() <= g.offset));
    }
  }
  Plan checked = plan;
  validate_plan(checked, chain.graph, hardware);
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    CHECK(checked.operators[i].cost.latency == plan.operators[i].cost.latency);
    CHECK(checked.operators[i].cost.dram_bytes == plan.operators[i].cost.dram_bytes);
    CHECK(plan.operators[i].least_dram_bytes <= plan.operators[i].cost.dram_bytes);
    CHECK(plan.operators[i].lower_bound_bytes <= plan.operators[i].least_dram_bytes);
  }
}

TEST_CASE("nothing stays where it does not fit or the machine cannot") {
  const Chain chain;
  const auto kept = [&](const hw::HardwareConfig& hardware) {
    int count = 0;
    for (const auto& tensor : map_graph(chain.graph, hardware, automatic()).tensors) {
      count += tensor.kept.count;
    }
    return count;
  };
  hw::HardwareConfig small = fixtures::edge();
  CHECK(kept(small) == 2);
  small.buffers[2].capacity = kRows * kCols;  // no room for slots beside
  CHECK(kept(small) == 0);
  hw::HardwareConfig apart = fixtures::edge();
  apart.buffers[2].roles = {hw::Role::kActivations};
  apart.buffers.push_back(fixtures::buffer("outputs", 512 << 10, 64, {hw::Role::kOutputs}));
  CHECK(kept(apart) == 0);
}

TEST_CASE("plans that keep what cannot be kept are refused") {
  const Chain chain;
  const hw::HardwareConfig hardware = fixtures::edge();
  const auto refusal = [&](auto change) {
    Plan plan = map_graph(chain.graph, hardware, automatic());
    change(plan);
    try {
      validate_plan(plan, chain.graph, hardware);
    } catch (const MappingError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  using Catch::Contains;
  CHECK(refusal([](Plan&) {}) == "none");
  CHECK_THAT(refusal([](Plan& p) { p.tensors[Chain::kX].kept = p.tensors[Chain::kH].kept; }),
             Contains("t0: cannot be kept on chip"));
  CHECK_THAT(refusal([](Plan& p) { p.tensors[Chain::kH].kept.bytes /= 2; }),
             Contains("one region of 6144 bytes"));
  CHECK_THAT(refusal([](Plan& p) { p.tensors[Chain::kG].kept = p.tensors[Chain::kH].kept; }),
             Contains("overlaps t1 on chip"));
  CHECK_THAT(refusal([](Plan& p) { p.tensors[Chain::kH].kept.offset = 0; }),
             Contains("which is kept on chip"));
  CHECK_THAT(refusal([](Plan& p) { p.operators[2].gemm.a = p.operators[0].gemm.a; }),
             Contains("needs none"));
  CHECK_THAT(refusal([](Plan& p) {
               p.tensors[Chain::kG].kept = {};
               p.tensors[Chain::kG].address = 1 << 20;
             }),
             Contains("slots"));
}

}  // namespace tessera::sim
