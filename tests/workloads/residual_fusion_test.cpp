// Residual additions in the epilogue of the Gemm before them.
#include <catch2/catch.hpp>

#include "tests/workloads/model_zoo.h"
#include "workloads/passes/passes.h"

using namespace tessera::workloads;

namespace {

Fusion with_residual(FusionSwitch chosen = FusionSwitch::kOn) {
  Fusion fusion;
  fusion.residual = chosen;
  return fusion;
}

std::vector<Operator> adding(const Graph& graph) {
  std::vector<Operator> found;
  for (const Operator& op : graph.operators) {
    if (adds_residual(op)) found.push_back(op);
  }
  return found;
}

std::size_t additions(const Graph& graph) {
  std::size_t count = 0;
  for (const Operator& op : graph.operators) {
    count += op.name.find("Residual_Add") == 0 ? 1U : 0U;
  }
  return count;
}

}  // namespace

TEST_CASE("both residual additions of a layer join the Gemm before them") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  const Graph fused = fuse(plain, with_residual());
  const auto found = adding(fused);
  REQUIRE(found.size() == 24);
  CHECK(additions(plain) == 24);
  CHECK(additions(fused) == 0);
  const Operator& op = found[0];
  CHECK(op.name == "Attn_Out");
  CHECK(op.members == std::vector<std::string>{"Attn_Out", "Residual_Add_1"});
  REQUIRE(op.epilogue.size() == 2);
  CHECK(op.epilogue[0].operation == "add");
  CHECK(op.epilogue[1].operation == "requantise");
  CHECK(input_elements(op, fused.tensors) == 2 * 1024 * 768);
  CHECK(mac_count(op) == std::int64_t{1024} * 768 * 768);
  REQUIRE(op.kept.size() == 1);
  // The stream that the layer began with.
  for (const Operator& norm : fused.operators) {
    if (norm.name != "LayerNorm_1" || norm.layer != 0) continue;
    CHECK(op.inputs[2].tensor == norm.inputs[0].tensor);
  }
}

TEST_CASE("an addition stays apart behind a scale, and where its other summand comes later") {
  // DINOv2 scales what it adds.
  const Graph scaled = fuse(zoo::graph_of(zoo::tiny_dinov2()), with_residual());
  CHECK(adding(scaled).empty());
  CHECK(additions(scaled) > 0);
  Graph graph = zoo::graph_of(zoo::siglip_b16(512));
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    Operator& op = graph.operators[i];
    if (op.name != "Residual_Add_1" || op.layer != 0) continue;
    Operator late = graph.operators[i - 1];  // makes the other summand
    late.outputs[0].tensor = op.inputs[0].tensor;
    graph.operators.insert(graph.operators.begin() + static_cast<std::ptrdiff_t>(i), late);
    ++graph.phases.back().last_operator;
    break;
  }
  const Graph fused = fuse(graph, with_residual());
  CHECK(additions(fused) == 1);
}

TEST_CASE("additions are fused where it pays") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  const auto never = [](const Graph&, const auto& apart, const auto& fused) {
    CHECK(apart.size() == 2);
    CHECK(fused.size() == 1);
    return false;
  };
  CHECK(adding(fuse(plain, with_residual(FusionSwitch::kAuto), never)).empty());
  const auto always = [](const Graph&, const auto&, const auto&) { return true; };
  CHECK(adding(fuse(plain, with_residual(FusionSwitch::kAuto), always)).size() == 24);
}
