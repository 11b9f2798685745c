// The ONNX path and the descriptor path build the same graph and take the same cycles.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/config/config.h"
#include "tests/import/onnx_models.h"
#include "tests/support/command_line.h"
#include "tests/support/single_operator.h"
#include "workloads/import/onnx/import_onnx.h"
#include "workloads/import/onnx/read_model.h"

using namespace tessera;
using namespace tessera::workloads;
using test::BlockShape;
using test::Names;
using test::Spelling;
namespace from_onnx = tessera::workloads::onnx;  // beside protobuf's ::onnx

namespace {

from_onnx::Import import_of(const test::OnnxBuilder& builder,
                            const from_onnx::ImportOptions& options) {
  const test::TemporaryFolder folder;
  const std::string path = (folder / "model.onnx").string();
  builder.save(path);
  return from_onnx::import_model(from_onnx::read_model(path), options);
}

/// As one phase of the name that the descriptor's has.
Graph imported_graph(const test::OnnxBuilder& builder, const from_onnx::ImportOptions& options) {
  PhaseRequest request;
  request.phase = "phase";
  request.model.name = "model";
  request.model.family = Family::kGraph;
  request.model.graph = std::make_shared<const Graph>(import_of(builder, options).graph);
  return build_graph({request});
}

Graph described_graph(const ModelDescriptor& model, std::int64_t batch) {
  PhaseRequest request;
  request.phase = "phase";
  request.model = model;
  request.batch = batch;
  return build_graph({request});
}

std::string text_of(const Operator& op) {
  return std::to_string(op.layer) + " " + op.name + " " + to_string(op.kind) + " " +
         std::to_string(op.m) + "x" + std::to_string(op.k) + "x" + std::to_string(op.n) + " x " +
         std::to_string(op.instances) + "/" + std::to_string(op.group) + " " + op.operation + " " +
         to_string(op.mask);
}

std::vector<std::string> texts_of(const Graph& graph) {
  std::vector<std::string> texts;
  for (const Operator& op : graph.operators) texts.push_back(text_of(op));
  return texts;
}

std::vector<std::string> tensors_of(const Graph& graph) {
  std::vector<std::string> texts;
  for (const Tensor& tensor : graph.tensors) {
    texts.push_back(tensor.name + " " + std::to_string(row_count(tensor)) + "x" +
                    std::to_string(row_length(tensor)) + " " + to_string(tensor.cls) +
                    (tensor.is_table ? " table" : ""));
  }
  return texts;
}

std::int64_t macs_of(const Graph& graph) {
  std::int64_t macs = 0;
  for (const Operator& op : graph.operators) macs += mac_count(op);
  return macs;
}

test::Outcome run(Graph graph, bool fused) {
  graph = fuse(apply_precision(std::move(graph), {}), {fused});
  return test::simulate_graph(graph, sim::load_hardware("edge_32x32"));
}

void check_same_runs(const Graph& a, const Graph& b) {
  for (const bool fused : {true, false}) {
    const test::Outcome x = run(a, fused), y = run(b, fused);
    CHECK(x.counters.total == y.counters.total);
    REQUIRE(x.counters.operators.size() == y.counters.operators.size());
    for (std::size_t i = 0; i < x.counters.operators.size(); ++i) {
      INFO(x.plan.operators[i].name);
      CHECK(x.counters.operators[i].first_command == y.counters.operators[i].first_command);
      CHECK(x.counters.operators[i].last_retired == y.counters.operators[i].last_retired);
    }
  }
}

}  // namespace

TEST_CASE("a ViT from ONNX is the ViT of its descriptor, to the cycle") {
  const BlockShape shape;
  for (const std::int64_t batch : {1, 2}) {
    const Graph described = described_graph(test::vit_descriptor(shape, 2), batch);
    for (const Spelling spelling : {Spelling::kOperators, Spelling::kDecomposed}) {
      const Graph imported =
          imported_graph(test::vit_model(shape, 2, spelling), {{{"batch", batch}}, false});
      CHECK(texts_of(imported) == texts_of(described));
      CHECK(tensors_of(imported) == tensors_of(described));
      CHECK(macs_of(imported) == macs_of(described));
      check_same_runs(imported, described);
    }
  }
}

TEST_CASE("a BERT from ONNX is the BERT of its descriptor, to the cycle") {
  const BlockShape shape;
  for (const std::int64_t batch : {1, 2}) {
    const Graph described = described_graph(test::bert_descriptor(shape, 2), batch);
    for (const Spelling spelling : {Spelling::kOperators, Spelling::kDecomposed}) {
      const Graph imported = imported_graph(test::bert_model(shape, 2, spelling),
                                            {{{"batch", batch}, {"sequence", 24}}, false});
      CHECK(texts_of(imported) == texts_of(described));
      CHECK(tensors_of(imported) == tensors_of(described));
      CHECK(macs_of(imported) == macs_of(described));
      check_same_runs(imported, described);
    }
  }
}

TEST_CASE("one ViT layer of real size takes the cycles of its descriptor") {
  const BlockShape shape{768, 12, 3072};
  const Graph described = described_graph(test::vit_descriptor(shape, 1), 1);
  const Graph imported =
      imported_graph(test::vit_model(shape, 1, Spelling::kDecomposed), {{{"batch", 1}}, false});
  CHECK(macs_of(imported) == macs_of(described));
  check_same_runs(imported, described);
}

TEST_CASE("quantised pairs become precision, not operators") {
  const BlockShape shape;
  const Graph described = described_graph(test::vit_descriptor(shape, 1), 1);
  const Graph imported =
      imported_graph(test::vit_model(shape, 1, Spelling::kQuantised), {{{"batch", 1}}, false});
  CHECK(texts_of(imported) == texts_of(described));
  const Graph wide = apply_precision(imported, {16, 16, 16});
  for (const Operator& op : wide.operators) {
    if (op.layer < 0 || !is_gemm(op)) continue;
    INFO(op.name);
    for (const MatrixView& view : op.inputs) {
      const Tensor& tensor = wide.tensors[static_cast<std::size_t>(view.tensor)];
      CHECK(tensor.own_bits);
      CHECK(tensor.format.bits == 8);
    }
  }
  check_same_runs(imported, described);  // at w8a8
}

TEST_CASE("a decoder with grouped queries performs the Gemms of its descriptor") {
  test::OnnxBuilder builder;
  test::DecoderBuilder(builder).build(2);
  const Graph imported = imported_graph(builder, {});
  const Graph described = described_graph(test::DecoderBuilder::descriptor(2), 1);
  const auto gemms = [](const Graph& graph) {
    std::vector<std::string> texts;
    for (const Operator& op : graph.operators) {
      if (is_gemm(op)) texts.push_back(text_of(op));
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  };
  CHECK(gemms(imported) == gemms(described));
  CHECK(macs_of(imported) == macs_of(described));
  const auto count = [&](OperatorKind kind) {
    return std::count_if(imported.operators.begin(), imported.operators.end(),
                         [&](const Operator& op) { return op.kind == kind; });
  };
  CHECK(count(OperatorKind::kCopy) == 0);  // KV heads are shared, not repeated
  CHECK(count(OperatorKind::kRope) == 4);
  CHECK(count(OperatorKind::kRmsNorm) == 5);
  CHECK(count(OperatorKind::kSiluMul) == 2);
  CHECK(count(OperatorKind::kAdd) == 4);
  CHECK(run(imported, true).counters.total > 0);
}

TEST_CASE("heads picked from one projection for queries, keys and values move nothing") {
  const BlockShape shape;
  test::OnnxBuilder builder;
  test::BlockBuilder block(builder, shape, Spelling::kOperators);
  builder.output(block.fused_attention(builder.input("x", {"2", "20", "96"})));
  const Graph graph = imported_graph(builder, {});
  std::vector<std::string> names;
  for (const Operator& op : graph.operators) names.push_back(op.name);
  CHECK(names ==
        std::vector<std::string>{"Attn_QKV", "Attn_Scores", "Softmax", "Attn_Context", "Attn_Out"});
  CHECK(macs_of(graph) == 2 * (20 * 96 * 4 * 96 + 2 * 3 * 20 * 20 * 32));
  CHECK(run(graph, true).counters.total > 0);
}

TEST_CASE("a transposition that no operator can look through is a copy with its cost") {
  test::OnnxBuilder builder;
  const std::string x = builder.input("x", {"8", "16"});
  builder.output(builder.node("MatMul", {builder.transpose(x, {1, 0}), builder.weight({8, 4})}));
  const Graph graph = imported_graph(builder, {});
  REQUIRE(graph.operators.size() == 2);
  CHECK(graph.operators[0].kind == OperatorKind::kCopy);
  CHECK(output_elements(graph.operators[0]) == 128);
  CHECK(graph.operators[1].m == 16);
}

TEST_CASE("an Attention operator is the attention of its parts") {
  const BlockShape shape;
  for (const std::int64_t batch : {1, 2}) {
    const Names dims{std::to_string(batch), "20", "96"};
    test::OnnxBuilder parts, whole(23, 11);
    test::BlockBuilder spelled(parts, shape, Spelling::kOperators);
    parts.output(spelled.attention(parts.input("x", dims)));
    test::BlockBuilder fused(whole, shape, Spelling::kOperators);
    whole.output(fused.operator_attention(whole.input("x", dims), true));
    const Graph a = imported_graph(parts, {}), b = imported_graph(whole, {});
    CHECK(macs_of(a) == macs_of(b));
    CHECK(tensors_of(a) == tensors_of(b));
    check_same_runs(a, b);
    CHECK(a.operators[3].mask == Mask::kFull);
    CHECK(b.operators[3].mask == Mask::kCausal);
    CHECK(b.operators[4].mask == Mask::kCausal);
  }
}

TEST_CASE("fused operators of runtimes are taken apart") {
  test::OnnxBuilder builder;
  const std::string x = builder.input("x", {"1", "20", "96"});
  const std::string attention = builder.node(
      "Attention", {x, builder.weight({96, 288}), builder.weight({288})}, "com.microsoft");
  builder.attribute("num_heads", 3);
  const std::string narrow = builder.node("MatMulNBits", {attention}, "com.microsoft");
  builder.attribute("K", 96);
  builder.attribute("N", 384);
  builder.attribute("bits", 4);
  builder.attribute("block_size", 32);
  const std::string act =
      builder.node("BiasGelu", {narrow, builder.weight({384})}, "com.microsoft");
  const std::string back = builder.node("MatMul", {act, builder.weight({384, 96})});
  builder.output(builder.node(
      "SkipLayerNormalization",
      {back, attention, builder.weight({96}), builder.weight({96}), builder.weight({96})},
      "com.microsoft"));
  const Graph graph = imported_graph(builder, {});
  std::vector<std::string> kinds;
  for (const Operator& op : graph.operators) kinds.push_back(to_string(op.kind));
  CHECK(kinds == Names{"Gemm", "BatchedGemm", "Softmax", "BatchedGemm", "Gemm", "GELU", "Gemm",
                       "Add", "LayerNorm"});
  const Operator& gemm = graph.operators[4];
  const Tensor& weight = graph.tensors[static_cast<std::size_t>(gemm.inputs[1].tensor)];
  CHECK(weight.own_bits);
  CHECK(weight.format.bits == 4);
}

TEST_CASE("LayerScale stands between a branch and its residual addition") {
  const BlockShape shape;
  test::OnnxBuilder builder;
  test::BlockBuilder block(builder, shape, Spelling::kDecomposed);
  const std::string x = builder.input("x", {"1", "20", "96"});
  const auto scaled = [&](const std::string& branch) {
    return builder.node("Mul", {branch, builder.weight({96})});
  };
  const std::string middle = builder.node("Add", {scaled(block.attention(block.norm(x))), x});
  builder.output(builder.node("Add", {scaled(block.mlp(block.norm(middle))), middle}));
  Names names;
  for (const Operator& op : imported_graph(builder, {}).operators) names.push_back(op.name);
  CHECK(names == Names{"LayerNorm_1", "Attn_Q", "Attn_K", "Attn_V", "Attn_Scores", "Softmax",
                       "Attn_Context", "Attn_Out", "LayerScale_1", "Residual_Add_1", "LayerNorm_2",
                       "MLP_FC1", "GELU", "MLP_FC2", "LayerScale_2", "Residual_Add_2"});
}
