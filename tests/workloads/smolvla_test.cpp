// SmolVLA as one model: what its phases cost, what flows between them.
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <string>

#include "tests/workloads/model_zoo.h"
#include "workloads/graph.h"

namespace tessera::workloads {
namespace {

std::map<std::string, std::int64_t> macs_by_phase(const PhaseRequest& request) {
  const Graph graph = build_graph({request});
  std::map<std::string, std::int64_t> macs;
  for (const Phase& phase : graph.phases) {
    for (int i = phase.first_operator; i < phase.last_operator; ++i) {
      macs[phase.name] += phase.repeat * mac_count(graph.operators[static_cast<std::size_t>(i)]);
    }
  }
  return macs;
}

std::int64_t total(const PhaseRequest& request) {
  std::int64_t sum = 0;
  for (const auto& [phase, macs] : macs_by_phase(request)) sum += macs;
  return sum;
}

double giga(std::int64_t macs) { return static_cast<double>(macs) / 1e9; }

PhaseRequest request(std::int64_t cameras) {
  PhaseRequest made = zoo::request(zoo::smolvla());
  made.images = cameras;
  return made;
}

std::vector<std::string> names(const Graph& graph, const std::string& phase, int layer) {
  std::vector<std::string> all;
  for (const Operator& op : graph.operators) {
    if (op.phase == phase && op.layer == layer) all.push_back(op.name);
  }
  return all;
}

}  // namespace

TEST_CASE("SmolVLA with three cameras takes 419.80 GMAC") {
  const auto macs = macs_by_phase(request(3));
  CHECK(giga(macs.at("vision")) == Approx(3 * 106.904).epsilon(1e-5));
  CHECK(giga(macs.at("connector")) == Approx(2.26).margin(0.005));
  CHECK(giga(macs.at("prefix")) == Approx(39.69).margin(0.005));
  CHECK(giga(macs.at("denoise")) == Approx(57.13).margin(0.005));
  CHECK(giga(total(request(3))) == Approx(419.80).margin(0.005));
}

TEST_CASE("SmolVLA with one and two cameras takes 178.9 and 299.2 GMAC") {
  CHECK(giga(total(request(1))) == Approx(178.9).margin(0.05));
  CHECK(giga(total(request(2))) == Approx(299.2).margin(0.05));
}

TEST_CASE("hoisting the cross keys and values leaves 416.25 GMAC") {
  PhaseRequest hoisted = request(3);
  hoisted.cross_kv = CrossKv::kHoisted;
  CHECK(giga(total(hoisted)) == Approx(416.25).margin(0.01));
  // 8 layers of two (241, 320) x (320, 320) Gemms, nine steps less.
  CHECK(total(request(3)) - total(hoisted) == 9 * 16 * 241LL * 320 * 320);
}

TEST_CASE("skipping the prefix's dead work saves all of the last layer but its keys and values") {
  PhaseRequest alive = request(3);
  alive.dead_work = Effort::kSkipped;
  const std::int64_t projections = 2 * 241LL * 960 * 960;  // Attn_Q, Attn_Out
  const std::int64_t attention = 2 * 15 * 241LL * 241 * 64;
  const std::int64_t mlp = 3 * 241LL * 960 * 2560;
  CHECK(total(request(3)) - total(alive) == projections + attention + mlp);
  CHECK(giga(projections + attention + mlp) == Approx(2.33).margin(0.005));
}

TEST_CASE("SmolVLA has 450046176 parameters") {
  CHECK(parameter_count(zoo::smolvla()) == 450'046'176);
}

TEST_CASE("layers of the expert attend to themselves and across in turn") {
  const Graph graph = zoo::graph_of(zoo::tiny_smolvla());
  const std::vector<std::string> self = names(graph, "denoise", 0);
  const std::vector<std::string> cross = names(graph, "denoise", 1);
  CHECK(std::vector<std::string>(self.begin(), self.begin() + 8) ==
        std::vector<std::string>{"RMSNorm_1", "Attn_Q", "Attn_K", "Attn_V", "RoPE",
                                 "Attn_Scores_self", "Softmax_self", "Attn_Context_self"});
  CHECK(std::vector<std::string>(cross.begin(), cross.begin() + 8) ==
        std::vector<std::string>{"RMSNorm_1", "Attn_Q", "Cross_K_proj", "Cross_V_proj",
                                 "RoPE_Q_only", "Attn_Scores_cross", "Softmax_cross",
                                 "Attn_Context_cross"});
}

TEST_CASE("an expert of fewer layers reads every so many layers of the text") {
  ModelDescriptor model = zoo::tiny_smolvla();
  ModelDescriptor expert = *model.expert;
  expert.num_hidden_layers = 2;
  model.expert = zoo::part(expert);
  const Graph graph = zoo::graph_of(model);
  CHECK(names(graph, "denoise", 1)[5] == "Attn_Scores_self");  // text layer 2
  CHECK(names(graph, "denoise", 2).empty());
}

TEST_CASE("each camera fills its own rows of the prefix") {
  const Graph graph = zoo::graph_of(zoo::tiny_smolvla());
  for (const Operator& op : graph.operators) {
    if (op.name != "Embed_Scale") continue;
    CHECK(op.outputs[0].offset == 0);
    CHECK(op.outputs[0].repeat_stride == 4 * 12);
    const Tensor& tokens = graph.tensors.at(static_cast<std::size_t>(op.outputs[0].tensor));
    CHECK(tokens.name == "prefix.Tokens");
    CHECK(tokens.shape == std::vector<std::int64_t>{2 * 4 + 3 + 1, 12});
  }
}

TEST_CASE("pixel shuffle sets blocks of patches side by side") {
  const Graph graph = zoo::graph_of(zoo::tiny_vlm());
  for (const Operator& op : graph.operators) {
    if (op.name != "Pixel_Shuffle") continue;
    // Patch (y, x) = (3, 2) of 4 x 4: block (1, 1), row 1 and column 0 in it.
    const MatrixView& out = op.outputs[0];
    const std::int64_t row = 3 * 4 + 2;  // in the order of the patches
    const std::int64_t r = row % out.rows, g = row / out.rows % out.group.count;
    const std::int64_t matrix = row / (out.rows * out.group.count);
    const std::int64_t at = matrix / out.batch[1].count * out.batch[0].stride +
                            matrix % out.batch[1].count * out.batch[1].stride +
                            g * out.group.stride + r * out.row_stride;
    CHECK(at == (1 * 2 + 1) * 32 + (1 * 2 + 0) * 8);
  }
}

TEST_CASE("a composite that does not fit together is refused in one line") {
  const auto refusal = [](const std::function<void(ModelDescriptor&)>& change) {
    ModelDescriptor model = zoo::tiny_smolvla();
    change(model);
    try {
      zoo::graph_of(model);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refusal([](ModelDescriptor& m) { m.connector.pixel_shuffle = 3; }) ==
        "tiny_smolvla: pixel_shuffle 3 does not divide the 4 patches of an image's side");
  CHECK(refusal([](ModelDescriptor& m) { m.expert = nullptr; }) ==
        "tiny_smolvla: the part expert is missing");
  CHECK(refusal([](ModelDescriptor& m) { m.text = m.vision; }) ==
        "tiny_smolvla: the part text is of another family");
  CHECK(refusal([](ModelDescriptor& m) {
          ModelDescriptor expert = *m.expert;
          expert.head_dim = 4;
          m.expert = zoo::part(expert);
        }) ==
        "tiny_smolvla: text and expert have different KV heads: the expert reads the text's cache");
}

}  // namespace tessera::workloads
