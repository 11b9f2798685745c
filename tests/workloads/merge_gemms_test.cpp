// Projections of one input, and gate and up, as one Gemm each.
#include <catch2/catch.hpp>

#include "tests/workloads/model_zoo.h"
#include "workloads/passes/passes.h"

using namespace tessera::workloads;

namespace {

Fusion with(FusionSwitch qkv, FusionSwitch gate_up) {
  Fusion fusion;
  fusion.qkv = qkv;
  fusion.gate_up = gate_up;
  return fusion;
}
const Fusion kQkv = with(FusionSwitch::kOn, FusionSwitch::kOff);
const Fusion kGateUp = with(FusionSwitch::kOff, FusionSwitch::kOn);

template <class Count>
std::int64_t sum(const Graph& graph, Count count) {
  std::int64_t total = 0;
  for (const Operator& op : graph.operators) total += count(op);
  return total;
}

std::vector<Operator> named(const Graph& graph, const std::string& name) {
  std::vector<Operator> found;
  for (const Operator& op : graph.operators) {
    if (op.name == name) found.push_back(op);
  }
  return found;
}

void check_same_work(const Graph& fused, const Graph& plain) {
  CHECK(sum(fused, mac_count) == sum(plain, mac_count));
  const auto weights = [](const Graph& graph) {
    return sum(graph, [&](const Operator& op) { return weight_elements(op, graph.tensors); });
  };
  CHECK(weights(fused) == weights(plain));
  REQUIRE(!fused.phases.empty());
  CHECK(fused.phases.back().last_operator == static_cast<int>(fused.operators.size()));
}

}  // namespace

TEST_CASE("Q, K and V of SigLIP are one Gemm that reads its input once") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  const Graph fused = fuse(plain, kQkv);
  check_same_work(fused, plain);
  const auto found = named(fused, "Attn_QKV");
  REQUIRE(found.size() == 12);
  CHECK(found[0].members == std::vector<std::string>{"Attn_Q", "Attn_K", "Attn_V"});
  CHECK((found[0].m == 1024 && found[0].k == 768 && found[0].n == 3 * 768));
  CHECK(input_elements(found[0], fused.tensors) == 1024 * 768);
  CHECK(output_elements(found[0]) == 3 * 1024 * 768);
  CHECK(named(fused, "Attn_Q").empty());
}

TEST_CASE("attention reads its columns of the fused projections") {
  const Graph fused = fuse(zoo::graph_of(zoo::siglip_b16(512)), kQkv);
  const Operator scores = named(fused, "Attn_Scores").at(0);
  const Operator context = named(fused, "Attn_Context").at(0);
  const TensorId tensor = named(fused, "Attn_QKV").at(0).outputs[0].tensor;
  std::int64_t first = 0;
  for (const MatrixView& view : {scores.inputs[0], scores.inputs[1], context.inputs[1]}) {
    CHECK(view.tensor == tensor);
    CHECK(view.offset == first);
    CHECK(view.row_stride == 3 * 768);
    CHECK(view.batch[1].stride == 64);
    first += 768;
  }
}

TEST_CASE("grouped queries: n is the query width and twice that of keys") {
  const Graph plain = zoo::graph_of(zoo::smollm2_360m());
  const Graph fused = fuse(plain, kQkv);
  check_same_work(fused, plain);
  const auto found = named(fused, "Attn_QKV");
  REQUIRE(found.size() == 32);
  CHECK(found[0].n == 960 + 2 * 320);
}

TEST_CASE("values that go straight into a cache stay apart") {
  const Graph plain = zoo::graph_of(zoo::smolvla());
  const Graph fused = fuse(plain, kQkv);
  check_same_work(fused, plain);
  REQUIRE(!named(fused, "Attn_QK").empty());
  CHECK(named(fused, "Attn_QK")[0].members == std::vector<std::string>{"Attn_Q", "Attn_K"});
}

TEST_CASE("projections with weights of another width stay apart") {
  Graph graph = zoo::graph_of(zoo::siglip_b16(512));
  const Operator v = named(graph, "Attn_V").at(0);
  graph.tensors[static_cast<std::size_t>(v.inputs[1].tensor)].format.bits = 4;
  const Graph fused = fuse(graph, kQkv);
  CHECK(named(fused, "Attn_QKV").size() == 11);
  CHECK(named(fused, "Attn_QK").size() == 1);
  CHECK(named(fused, "Attn_V").size() == 1);
}

TEST_CASE("gate and up are one Gemm that stores their product") {
  const Graph plain = zoo::graph_of(zoo::smollm2_360m());
  const Graph fused = fuse(plain, kGateUp);
  check_same_work(fused, plain);
  const auto found = named(fused, "MLP_GateUp");
  REQUIRE(found.size() == 32);
  CHECK(found[0].members == std::vector<std::string>{"MLP_Gate", "MLP_Up", "SiLU_Mul"});
  CHECK(found[0].n == 2 * 2560);
  CHECK(columns_per_result(found[0]) == 2);
  CHECK(output_elements(found[0]) == 50 * 2560);
  REQUIRE(found[0].epilogue.size() == 2);
  CHECK(found[0].epilogue[0].operation == "silu_mul");
  CHECK(found[0].epilogue[1].operation == "requantise");
  CHECK(named(fused, "SiLU_Mul").empty());
  CHECK(named(fused, "Attn_Q").size() == 32);
}

TEST_CASE("an MLP without a gate has nothing to join") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  CHECK(fuse(plain, kGateUp).operators.size() == fuse(plain, Fusion{}).operators.size());
}

TEST_CASE("Gemms are merged where it pays, and what was tried leaves no tensors") {
  const Graph plain = zoo::graph_of(zoo::smollm2_360m());
  const auto odd_layers = [](const Graph&, const auto&, const auto& fused) {
    return fused[0].layer % 2 == 1;
  };
  const Graph fused = fuse(plain, with(FusionSwitch::kAuto, FusionSwitch::kAuto), odd_layers);
  CHECK(named(fused, "Attn_QKV").size() == 16);
  CHECK(named(fused, "MLP_GateUp").size() == 16);
  CHECK(named(fused, "Attn_Q").size() == 16);
  // Weights and results of QKV, weights of gate and up.
  CHECK(fused.tensors.size() == plain.tensors.size() + 16 * 3);
}

TEST_CASE("whoever decides on QKV sees the readers as well") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  std::size_t asked = 0;
  const auto sees = [&](const Graph&, const auto& apart, const auto& fused) {
    CHECK(apart.size() == 5);  // three projections, scores and context
    CHECK(fused.size() == 3);
    ++asked;
    return true;
  };
  fuse(plain, with(FusionSwitch::kAuto, FusionSwitch::kOff), sees);
  CHECK(asked == 12);
}
