// Passes change storage and schedule, never the arithmetic.
#include <algorithm>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/workloads/model_zoo.h"
#include "workloads/passes/passes.h"

namespace tessera::workloads {
namespace {

std::int64_t macs(const Graph& graph) {
  std::int64_t total = 0;
  for (const Operator& op : graph.operators) {
    total += mac_count(op);
  }
  return total;
}

std::int64_t weights(const Graph& graph) {
  std::int64_t total = 0;
  for (const Operator& op : graph.operators) {
    total += weight_elements(op, graph.tensors);
  }
  return total;
}

std::int64_t activation_traffic(const Graph& graph) {
  std::int64_t total = 0;
  for (const Operator& op : graph.operators) {
    total += input_elements(op, graph.tensors) + output_elements(op);
  }
  return total;
}

std::size_t count(const Graph& graph, const std::string& name) {
  return static_cast<std::size_t>(
      std::count_if(graph.operators.begin(), graph.operators.end(),
                    [&](const Operator& op) { return op.name == name; }));
}

const Operator& first(const Graph& graph, const std::string& name) {
  return *std::find_if(graph.operators.begin(), graph.operators.end(),
                       [&](const Operator& op) { return op.name == name; });
}

std::vector<std::string> operations(const Operator& op) {
  std::vector<std::string> names;
  for (const EpilogueStep& step : op.epilogue) {
    names.push_back(step.member + ":" + step.operation);
  }
  return names;
}

using Names = std::vector<std::string>;

Fusion without_epilogue() {
  Fusion fusion;
  fusion.epilogue = false;
  return fusion;
}

}  // namespace

TEST_CASE("precision sets bits by tensor class") {
  const Graph graph = apply_precision(zoo::graph_of(zoo::smollm2_360m(), 1, 50), {4, 8, 16});
  for (const Tensor& tensor : graph.tensors) {
    const int expected = tensor.cls == TensorClass::kWeights   ? 4
                         : tensor.cls == TensorClass::kKvCache ? 16
                                                               : 8;
    CHECK(tensor.format.bits == expected);
  }
}

TEST_CASE("four bit weights take half the bytes of eight bit weights") {
  const Graph graph = zoo::graph_of(zoo::smollm2_360m(), 1, 50);
  const Graph narrow = apply_precision(graph, {4, 8, 8});
  const TensorId weight = first(graph, "Attn_Q").inputs[1].tensor;
  const auto at = static_cast<std::size_t>(weight);
  CHECK(2 * stored_bytes(narrow.tensors[at]) == stored_bytes(graph.tensors[at]));
}

TEST_CASE("precision leaves arithmetic and elements as they are") {
  const Graph graph = zoo::graph_of(zoo::bert_base());
  const Graph narrow = apply_precision(graph, {4, 4, 4});
  CHECK(macs(narrow) == macs(graph));
  CHECK(weights(narrow) == weights(graph));
  CHECK(activation_traffic(narrow) == activation_traffic(graph));
}

TEST_CASE("a copy between widths becomes a requantisation of the vector unit") {
  const Graph graph = zoo::graph_of(zoo::smollm2_360m(), 1, 50);
  const Graph same = apply_precision(graph, {8, 8, 8});
  CHECK(first(same, "Token_Embed").operation.empty());
  CHECK(first(same, "KV_Write").operation.empty());
  const Graph weights = apply_precision(graph, {4, 8, 8});
  CHECK(first(weights, "Token_Embed").operation == "requantise");
  CHECK(first(weights, "KV_Write").operation.empty());
  const Graph cache = apply_precision(graph, {8, 8, 4});
  CHECK(first(cache, "Token_Embed").operation.empty());
  CHECK(first(cache, "KV_Write").operation == "requantise");
}

namespace {

ElementType type_of(const Graph& graph, const MatrixView& view) {
  return graph.tensors[static_cast<std::size_t>(view.tensor)].format.type();
}

constexpr ElementType kFp16{16, NumberKind::kFloat};

}  // namespace

TEST_CASE("pairs of element types have names") {
  for (const char* name : {"w8a8", "w4a16", "w16a4", "fp16", "bf16", "fp32", "w4bf16", "w8fp16"}) {
    CHECK(pair_name(operand_types(name)) == name);
  }
  CHECK(operand_types("bf16").weights == ElementType(16, NumberKind::kBfloat));
  CHECK(operand_types("w4a16").activations == ElementType(16));
  CHECK_THROWS_AS(operand_types("w3a8"), std::invalid_argument);
}

TEST_CASE("a rule gives operators that match their own precision, the last one wins") {
  Precision precision;
  precision.rules = {{"text.*", operand_types("w4a8")}, {"MLP_Down", operand_types("w8a8")}};
  const Graph graph = apply_precision(zoo::graph_of(zoo::smollm2_360m(), 1, 50), precision);
  CHECK(type_of(graph, first(graph, "Attn_Q").inputs[1]) == ElementType(4));
  CHECK(type_of(graph, first(graph, "MLP_Down").inputs[1]) == ElementType(8));
  CHECK(type_of(graph, first(graph, "MLP_Down").inputs[0]) == ElementType(8));
}

TEST_CASE("activations are stored as the Gemms that read them ask for") {
  Precision precision;
  precision.rules = {{"MLP_FC2", operand_types("w8a16")}};
  const Graph graph = apply_precision(zoo::graph_of(zoo::tiny_vit()), precision);
  CHECK(type_of(graph, first(graph, "MLP_FC2").inputs[0]) == ElementType(16));
  CHECK(type_of(graph, first(graph, "MLP_FC1").inputs[0]) == ElementType(8));
}

TEST_CASE("softmax and norms read element types of their own") {
  Precision precision;
  precision.softmax = kFp16;
  precision.norm = kFp16;
  const Graph graph = apply_precision(zoo::graph_of(zoo::tiny_vit()), precision);
  CHECK(type_of(graph, first(graph, "Softmax").inputs[0]) == kFp16);
  CHECK(type_of(graph, first(graph, "Softmax").outputs[0]) == ElementType(8));
  CHECK(type_of(graph, first(graph, "LayerNorm_1").inputs[0]) == kFp16);
  CHECK(type_of(graph, first(graph, "Residual_Add_1").outputs[0]) == kFp16);
  CHECK(type_of(graph, first(graph, "Attn_Q").inputs[0]) == ElementType(8));
}

TEST_CASE("group scales lie among the weights and count as bytes") {
  Precision precision{4, 8, 8};
  precision.groups = {128, 16};
  const Graph graph = apply_precision(zoo::graph_of(zoo::smollm2_360m(), 1, 50), precision);
  const TensorId id = first(graph, "MLP_Gate").inputs[1].tensor;  // 960 x 2560
  const Tensor& weights = graph.tensors[static_cast<std::size_t>(id)];
  CHECK(stored_bytes(weights) == 960 * (2560 / 2 + 20 * 2));
  CHECK(bytes_before(weights.format, 256) == 128 + 2 * 2);
  const TensorId input = first(graph, "MLP_Gate").inputs[0].tensor;
  CHECK(graph.tensors[static_cast<std::size_t>(input)].format.group == 0);
}

TEST_CASE("precision refuses contradictions and patterns that match nothing") {
  Precision torn;
  torn.rules = {{"Attn_K", operand_types("w8a16")}};
  CHECK_THROWS_WITH(apply_precision(zoo::graph_of(zoo::tiny_vit()), torn),
                    Catch::Contains("Attn_Q as int8") || Catch::Contains("it is stored once"));
  Precision nobody;
  nobody.rules = {{"nothing.*", operand_types("w4a8")}};
  CHECK_THROWS_WITH(apply_precision(zoo::graph_of(zoo::tiny_vit()), nobody),
                    Catch::Contains("'nothing.*' matches no operator; the phases are"));
}

TEST_CASE("precision refuses formats without bits") {
  CHECK_THROWS_AS(apply_precision(zoo::graph_of(zoo::tiny_vit()), {0, 8, 8}),
                  std::invalid_argument);
}

TEST_CASE("a fused activation runs as the epilogue of its Gemm") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  const Graph fused = fuse(plain, Fusion{});
  CHECK(count(plain, "GELU") == 12);
  CHECK(count(fused, "GELU") == 0);
  const Operator& fc1 = first(fused, "MLP_FC1");
  CHECK(fc1.outputs[0].tensor == first(plain, "GELU").outputs[0].tensor);
  CHECK(fc1.outputs[0].tensor == first(fused, "MLP_FC2").inputs[0].tensor);
  CHECK(operations(fc1) == Names{"GELU:gelu", ":requantise"});
  CHECK(fc1.members == Names{"MLP_FC1", "GELU"});
}

TEST_CASE("the pooler takes its tanh along") {
  const Graph fused = fuse(zoo::graph_of(zoo::bert_base()), Fusion{});
  CHECK(count(fused, "Tanh") == 0);
  CHECK(operations(first(fused, "Pooler")) == Names{"Tanh:tanh", ":requantise"});
}

TEST_CASE("a product of two Gemms is not fused into either") {
  const Graph plain = zoo::graph_of(zoo::smollm2_360m(), 1, 50);
  const Graph fused = fuse(plain, Fusion{});
  CHECK(fused.operators.size() == plain.operators.size());
  CHECK(count(fused, "SiLU_Mul") == 32);
}

TEST_CASE("every Gemm ends with requantisation whether fused or not") {
  for (const Fusion& fusion : {Fusion{}, without_epilogue()}) {
    for (const Operator& op : fuse(zoo::graph_of(zoo::bert_base()), fusion).operators) {
      INFO(op.name);
      CHECK(op.epilogue.empty() != is_gemm(op));
      CHECK((!is_gemm(op) || operations(op).back() == ":requantise"));
    }
  }
}

TEST_CASE("without fusion all operators stay") {
  const Graph plain = zoo::graph_of(zoo::vit_b16_224());
  const Graph same = fuse(plain, without_epilogue());
  REQUIRE(same.operators.size() == plain.operators.size());
  CHECK(operations(first(same, "MLP_FC1")) == Names{":requantise"});
  CHECK(first(same, "MLP_FC1").members == Names{"MLP_FC1"});
}

TEST_CASE("fusion keeps arithmetic and saves the round trip of the intermediate") {
  const Graph plain = zoo::graph_of(zoo::siglip_b16(512));
  const Graph fused = fuse(plain, Fusion{});
  CHECK(macs(fused) == macs(plain));
  CHECK(weights(fused) == weights(plain));
  CHECK(activation_traffic(plain) - activation_traffic(fused) == 2 * 12 * 1024 * 3072);
}

TEST_CASE("fusion moves the phases along with their operators") {
  const Graph plain =
      build_graph({zoo::request(zoo::siglip_b16(512)), zoo::request(zoo::smollm2_360m())});
  const Graph fused = fuse(plain, Fusion{});
  REQUIRE(fused.phases.size() == 2);
  CHECK(fused.phases[0].first_operator == 0);
  CHECK(fused.phases[0].last_operator == plain.phases[0].last_operator - 12);
  CHECK(fused.phases[1].first_operator == fused.phases[0].last_operator);
  CHECK(fused.phases[1].last_operator == static_cast<int>(fused.operators.size()));
  for (const Phase& phase : fused.phases) {
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      CHECK(fused.operators[static_cast<std::size_t>(i)].phase == phase.name);
    }
  }
}

TEST_CASE("an activation whose input has a second reader stays an operator") {
  Graph graph = zoo::graph_of(zoo::tiny_vit());
  Operator reader = first(graph, "GELU");
  reader.name = "Second_Reader";
  reader.layer = 0;
  graph.operators.push_back(reader);
  graph.phases[0].last_operator += 1;
  const Graph fused = fuse(graph, Fusion{});
  CHECK(count(fused, "GELU") == 1);  // layer 1 still fuses
  CHECK(count(fused, "Second_Reader") == 1);
}

}  // namespace tessera::workloads
