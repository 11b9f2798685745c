// Views address the data of their tensors: bounds, shapes, and who wrote what is read.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "tests/workloads/model_zoo.h"
#include "workloads/graph.h"

namespace tessera::workloads {
namespace {

const Tensor& tensor_of(const Graph& graph, TensorId id) {
  return graph.tensors.at(static_cast<std::size_t>(id));
}

std::int64_t reach(const Dim& dim) { return (dim.count - 1) * dim.stride; }

/// Index of the last element that the view touches.
std::int64_t last_element(const MatrixView& view) {
  return view.offset + reach(view.batch[0]) + reach(view.batch[1]) + reach(view.group) +
         reach({view.rows, view.row_stride}) + view.cols - 1;
}

bool counts_are_positive(const MatrixView& view) {
  return view.offset >= 0 && view.batch[0].count > 0 && view.batch[1].count > 0 &&
         view.group.count > 0 && view.rows > 0 && view.cols > 0;
}

std::int64_t matrices(const MatrixView& view) { return view.batch[0].count * view.batch[1].count; }
std::int64_t matrix_rows(const MatrixView& view) { return view.group.count * view.rows; }

/// Calls `visit` with the element index of the first column of every row.
void for_each_row(const MatrixView& view, const std::function<void(std::int64_t)>& visit) {
  for (std::int64_t b0 = 0; b0 < view.batch[0].count; ++b0) {
    for (std::int64_t b1 = 0; b1 < view.batch[1].count; ++b1) {
      for (std::int64_t g = 0; g < view.group.count; ++g) {
        for (std::int64_t r = 0; r < view.rows; ++r) {
          visit(view.offset + b0 * view.batch[0].stride + b1 * view.batch[1].stride +
                g * view.group.stride + r * view.row_stride);
        }
      }
    }
  }
}

std::vector<Graph> all_graphs() {
  std::vector<Graph> graphs;
  for (const std::int64_t batch : {1, 4}) {
    for (const ModelDescriptor& model :
         {zoo::siglip_b16(512), zoo::vit_b16_224(), zoo::smollm2_360m(), zoo::smollm2_360m_l16(),
          zoo::bert_base(), zoo::gemma_2b()}) {
      graphs.push_back(zoo::graph_of(model, batch));
    }
  }
  return graphs;
}

std::vector<Graph> tiny_graphs() {
  std::vector<Graph> graphs;
  for (const std::int64_t batch : {1, 3}) {
    for (const ModelDescriptor& model :
         {zoo::tiny_decoder(), zoo::tiny_vit(), zoo::tiny_bert(), zoo::tiny_clip_vision(),
          zoo::tiny_siglip(), zoo::tiny_dinov2(), zoo::tiny_t5(), zoo::tiny_gemma(),
          zoo::tiny_dual_encoder(), zoo::tiny_vlm()}) {
      PhaseRequest request = zoo::request(model, batch);
      request.images = model.family == Family::kVlm ? 3 : 0;
      graphs.push_back(build_graph({request}));
    }
  }
  return graphs;
}

PhaseRequest tiny_decode(std::int64_t batch) {
  PhaseRequest request = zoo::request(zoo::tiny_decoder(), batch);
  request.kv_length = 9;
  return request;
}

/// Executed Gemms see (group * m, k) x (k, n) -> (group * m, n).
void check_gemm_shapes(const Operator& op) {
  INFO(op.name);
  REQUIRE(op.inputs.size() == 2);
  REQUIRE(op.outputs.size() == 1);
  const MatrixView& a = op.inputs[0];
  const MatrixView& b = op.inputs[1];
  const MatrixView& c = op.outputs[0];
  CHECK(matrices(a) == op.instances / op.group);
  CHECK(matrices(b) == op.instances / op.group);
  CHECK(matrices(c) == op.instances / op.group);
  CHECK(matrix_rows(a) == op.group * op.m);
  CHECK(matrix_rows(c) == op.group * op.m);
  CHECK(a.cols == op.k);
  CHECK(c.cols == op.n);
  CHECK(matrix_rows(b) == (b.transposed ? op.n : op.k));
  CHECK(b.cols == (b.transposed ? op.k : op.n));
}

/// The column ranges of a vector operator's views add up to n; each has m rows.
void check_vector_shapes(const Operator& op) {
  INFO(op.name);
  const bool ranges = op.outputs.size() > 1;
  std::int64_t in_cols = 0;
  for (const MatrixView& view : op.inputs) {
    CHECK(matrices(view) * matrix_rows(view) == op.m);
    CHECK((ranges || view.cols == op.n));
    in_cols += view.cols;
  }
  std::int64_t out_cols = 0;
  for (const MatrixView& view : op.outputs) {
    CHECK(matrices(view) * matrix_rows(view) == op.m);
    out_cols += view.cols;
  }
  CHECK((!ranges || in_cols == op.n));
  CHECK(out_cols == op.n);
}

/// How often each element of each tensor is written.
std::vector<std::vector<int>> writes(const Graph& graph) {
  std::vector<std::vector<int>> count;
  for (const Tensor& tensor : graph.tensors) {
    count.emplace_back(static_cast<std::size_t>(element_count(tensor)), 0);
  }
  const auto add = [&](const MatrixView& view) {
    std::vector<int>& of_tensor = count.at(static_cast<std::size_t>(view.tensor));
    for_each_row(view, [&](std::int64_t first) {
      for (std::int64_t c = 0; c < view.cols; ++c) {
        ++of_tensor.at(static_cast<std::size_t>(first + c));
      }
    });
  };
  for (const Phase& phase : graph.phases) {
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      for (const MatrixView& view : graph.operators[static_cast<std::size_t>(i)].outputs) {
        // Repeats that do not move on overwrite what they wrote.
        for (int repeat = 0; repeat < (view.repeat_stride != 0 ? phase.repeat : 1); ++repeat) {
          add(in_repeat(view, repeat));
        }
      }
    }
  }
  return count;
}

bool is_graph_input(const Tensor& tensor) {
  return tensor.cls == TensorClass::kWeights || tensor.name == "vision.PatchEmbed.in" ||
         tensor.name == "vision.MAP_Q_proj.in";
}

}  // namespace

TEST_CASE("every view stays inside its tensor") {
  for (const Graph& graph : all_graphs()) {
    for (const Operator& op : graph.operators) {
      INFO(op.phase << ".L" << op.layer << "." << op.name);
      std::vector<MatrixView> views = op.inputs;
      views.insert(views.end(), op.outputs.begin(), op.outputs.end());
      for (const MatrixView& view : views) {
        REQUIRE(counts_are_positive(view));
        CHECK(last_element(view) < element_count(tensor_of(graph, view.tensor)));
      }
    }
  }
}

TEST_CASE("views have the shapes of their operators") {
  for (const Graph& graph : all_graphs()) {
    for (const Operator& op : graph.operators) {
      is_gemm(op) ? check_gemm_shapes(op) : check_vector_shapes(op);
    }
  }
}

TEST_CASE("operators write every element of their results once") {
  for (const Graph& graph : tiny_graphs()) {
    const std::vector<std::vector<int>> count = writes(graph);
    for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
      INFO(graph.tensors[i].name);
      const int expected = is_graph_input(graph.tensors[i]) ? 0 : 1;
      CHECK(std::all_of(count[i].begin(), count[i].end(),
                        [&](int writers) { return writers == expected; }));
    }
  }
}

TEST_CASE("an activation that is read was written before or is the graphs input") {
  for (const Graph& graph : all_graphs()) {
    std::set<TensorId> written;
    for (const Operator& op : graph.operators) {
      for (const MatrixView& view : op.inputs) {
        const Tensor& tensor = tensor_of(graph, view.tensor);
        INFO(op.name << " reads " << tensor.name);
        CHECK((written.count(view.tensor) == 1 || is_graph_input(tensor)));
      }
      for (const MatrixView& view : op.outputs) {
        written.insert(view.tensor);
      }
    }
  }
}

TEST_CASE("every result but the last is read") {
  for (const Graph& graph : all_graphs()) {
    std::set<TensorId> read;
    for (const Operator& op : graph.operators) {
      for (const MatrixView& view : op.inputs) {
        read.insert(view.tensor);
      }
    }
    for (const Operator& op : graph.operators) {
      const bool last = &op == &graph.operators.back();
      for (const MatrixView& view : op.outputs) {
        INFO(tensor_of(graph, view.tensor).name);
        CHECK((last || read.count(view.tensor) == 1));
      }
    }
  }
}

TEST_CASE("tensor names are unique and say phase layer and operator") {
  const Graph graph =
      build_graph({zoo::request(zoo::siglip_b16(512)), zoo::request(zoo::smollm2_360m())});
  std::set<std::string> names;
  for (const Tensor& tensor : graph.tensors) {
    CHECK(names.insert(tensor.name).second);
  }
  for (const char* name :
       {"vision.L3.Attn_Q.weight", "vision.L3.Attn_Q.out", "vision.PatchEmbed.in",
        "text.L31.KV_Write.k", "text.L0.RoPE.q", "text.LM_Head.weight"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("decoders read keys and values from the cache that KV write filled") {
  const Graph graph = zoo::graph_of(zoo::smollm2_360m(), 2, 50);
  for (std::size_t i = 0; i < graph.operators.size(); ++i) {
    if (graph.operators[i].name == "KV_Write") {
      const Operator& write = graph.operators[i];
      const Operator& scores = graph.operators[i + 1];
      const Operator& context = graph.operators[i + 3];
      CHECK(std::string(csv_kind(write)) == "kv");
      CHECK(tensor_of(graph, write.outputs[0].tensor).cls == TensorClass::kKvCache);
      CHECK(scores.inputs[1].tensor == write.outputs[0].tensor);
      CHECK(scores.inputs[1].transposed);
      CHECK(context.inputs[1].tensor == write.outputs[1].tensor);
      CHECK_FALSE(context.inputs[1].transposed);
    }
  }
}

TEST_CASE("decode reads a cache of which it writes the last rows") {
  const Graph graph = build_graph({tiny_decode(2)});
  const auto count = writes(graph);
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    if (graph.tensors[i].cls != TensorClass::kKvCache) continue;
    CHECK(graph.tensors[i].is_state);
    CHECK(graph.tensors[i].shape == std::vector<std::int64_t>{2 * 9, 4});
    for (std::int64_t row = 0; row < 18; ++row) {
      CHECK(count[i][static_cast<std::size_t>(row * 4)] == (row % 9 == 8 ? 1 : 0));
    }
  }
}

TEST_CASE("decode reads each KV head once and not once for every query head") {
  PhaseRequest request = zoo::request(zoo::smollm2_360m());
  request.kv_length = 1024;
  for (const Operator& op : build_graph({request}).operators) {
    if (op.kind != OperatorKind::kBatchedGemm) continue;
    CHECK(op.group == 3);
    CHECK(matrices(op.inputs[1]) == 5);
    CHECK(op.inputs[1].batch[1].stride == 64);
  }
}

TEST_CASE("skipping the causal half leaves only blocks on and below the diagonal") {
  PhaseRequest request = zoo::request(zoo::smollm2_360m(), 1, 300);
  request.causal_half = Effort::kSkipped;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> scores;
  for (const Operator& op : build_graph({request}).operators) {
    if (op.layer == 0 && op.name.rfind("Attn_Scores", 0) == 0) scores[op.name] = {op.m, op.n};
  }
  using Shape = std::pair<std::int64_t, std::int64_t>;
  CHECK(scores == std::map<std::string, Shape>{{"Attn_Scores_0", {128, 128}},
                                               {"Attn_Scores_1", {128, 256}},
                                               {"Attn_Scores_2", {44, 300}}});
}

TEST_CASE("a short prompt has one block whether or not the causal half is skipped") {
  PhaseRequest request = zoo::request(zoo::smollm2_360m(), 1, 50);
  const std::size_t operators = build_graph({request}).operators.size();
  request.causal_half = Effort::kSkipped;
  CHECK(build_graph({request}).operators.size() == operators);
}

TEST_CASE("encoders keep keys and values as activations") {
  for (const ModelDescriptor& model : {zoo::vit_b16_224(), zoo::bert_base()}) {
    for (const Tensor& tensor : zoo::graph_of(model).tensors) {
      CHECK(tensor.cls != TensorClass::kKvCache);
    }
  }
}

TEST_CASE("grouped queries address the columns of their heads") {
  const Graph graph = zoo::graph_of(zoo::smollm2_360m(), 2, 50);
  const auto scores = std::find_if(graph.operators.begin(), graph.operators.end(),
                                   [](const Operator& op) { return op.name == "Attn_Scores"; });
  REQUIRE(scores != graph.operators.end());
  // Request 1, KV head 2, second query head of its group, token 7: head 2 * 3 + 1.
  const MatrixView& q = scores->inputs[0];
  CHECK(q.offset + q.batch[0].stride + 2 * q.batch[1].stride + q.group.stride + 7 * q.row_stride ==
        (50 + 7) * 960 + 7 * 64);
  const MatrixView& k = scores->inputs[1];
  CHECK(k.offset + k.batch[0].stride + 2 * k.batch[1].stride + 7 * k.row_stride ==
        (50 + 7) * 320 + 2 * 64);
  const MatrixView& out = scores->outputs[0];
  CHECK(out.offset + out.batch[0].stride + 2 * out.batch[1].stride + out.group.stride +
            7 * out.row_stride ==
        ((15 + 7) * 50 + 7) * 50);
}

TEST_CASE("the classifier reads the first row of each image and the LM head the last token") {
  const Operator classifier = zoo::graph_of(zoo::vit_b16_224(), 4).operators.back();
  CHECK(classifier.inputs[0].offset == 0);
  CHECK(classifier.inputs[0].row_stride == 197 * 768);
  CHECK(classifier.inputs[0].rows == 4);
  const Operator head = zoo::graph_of(zoo::smollm2_360m(), 4, 50).operators.back();
  CHECK(head.inputs[0].offset == 49 * 960);
  CHECK(head.inputs[0].row_stride == 50 * 960);
  CHECK(head.inputs[0].rows == 4);
}

TEST_CASE("an embedding with more tokens than rows stays inside its table") {
  ModelDescriptor model = zoo::tiny_decoder();
  model.vocab_size = 3;
  const Graph graph = zoo::graph_of(model, 2);
  const Operator& embed = graph.operators.front();
  CHECK(last_element(embed.inputs[0]) < 3 * model.hidden_size);
  CHECK(input_elements(embed, graph.tensors) == 2 * 5 * model.hidden_size);
}

}  // namespace tessera::workloads
