// Scores, softmax and context as one operator.
#include <catch2/catch.hpp>

#include "tests/workloads/model_zoo.h"
#include "workloads/passes/passes.h"

using namespace tessera::workloads;

namespace {

Fusion with_attention(FusionSwitch attention = FusionSwitch::kOn) {
  Fusion fusion;
  fusion.attention = attention;
  return fusion;
}

std::int64_t macs(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Operator& op : graph.operators) sum += mac_count(op);
  return sum;
}

std::vector<Operator> attentions(const Graph& graph) {
  std::vector<Operator> found;
  for (const Operator& op : graph.operators) {
    if (op.kind == OperatorKind::kAttention) found.push_back(op);
  }
  return found;
}

}  // namespace

TEST_CASE("fused attention is one operator a layer with the MACs of both Gemms") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  const Graph fused = fuse(plain, with_attention());
  const auto found = attentions(fused);
  REQUIRE(found.size() == 12);
  CHECK(macs(fused) == macs(plain));
  const Operator& op = found[0];
  CHECK(op.name == "Attention");
  CHECK(op.members == std::vector<std::string>{"Attn_Scores", "Softmax", "Attn_Context"});
  CHECK(op.inputs.size() == 3);
  CHECK(op.instances == 12);
  CHECK(mac_count(op) == 2 * 12 * std::int64_t{1024} * 1024 * 64);
  CHECK(input_elements(op, fused.tensors) == 3 * 1024 * 768);  // Q, K and V
  CHECK(output_elements(op) == 1024 * 768);
}

TEST_CASE("query heads that share keys stay one group, masks stay") {
  const Graph fused = fuse(zoo::graph_of(zoo::llama("decoder", 64, 2, 8, 2, 40)), with_attention());
  const auto found = attentions(fused);
  REQUIRE(found.size() == 2);
  CHECK(found[0].group == 4);
  CHECK(found[0].mask == Mask::kCausal);
}

TEST_CASE("phases follow their operators when attention is fused") {
  const Graph fused = fuse(zoo::graph_of(zoo::bert_base()), with_attention());
  REQUIRE(fused.phases.size() == 1);
  CHECK(fused.phases[0].last_operator == static_cast<int>(fused.operators.size()));
}

TEST_CASE("attention stays apart when somebody else reads its probabilities") {
  Graph graph = zoo::graph_of(zoo::bert_base());
  Operator spy;
  for (const Operator& op : graph.operators) {
    if (op.kind == OperatorKind::kSoftmax && op.layer == 0) spy = op;
  }
  spy.name = "Spy";
  spy.kind = OperatorKind::kRelu;
  spy.operation = "relu";
  spy.inputs = spy.outputs;
  graph.tensors.push_back(graph.tensors[static_cast<std::size_t>(spy.outputs[0].tensor)]);
  graph.tensors.back().name = "spied";
  spy.outputs[0].tensor = static_cast<TensorId>(graph.tensors.size()) - 1;
  graph.operators.push_back(spy);
  ++graph.phases.back().last_operator;
  CHECK(attentions(fuse(graph, with_attention())).size() == 11);
}

TEST_CASE("attention is fused where it pays") {
  const Graph plain = zoo::graph_of(zoo::bert_base());
  const auto odd_layers = [](const Graph&, const auto&, const auto& fused) {
    return fused[0].layer % 2 == 1;
  };
  CHECK(attentions(fuse(plain, with_attention(FusionSwitch::kAuto), odd_layers)).size() == 6);
  CHECK(attentions(fuse(plain, Fusion{})).empty());
}
