// Phases from descriptors: what is filled in, what is refused, and the shipped files.
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/workloads/model_zoo.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {
namespace {

using Change = std::function<void(PhaseRequest&)>;

std::string refusal(const ModelDescriptor& model, const Change& change) {
  PhaseRequest request = zoo::request(model);
  change(request);
  try {
    build_graph({request});
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

/// The flat "key: value" lines of a shipped descriptor. Not a YAML reader.
std::map<std::string, std::string> shipped(const std::string& name) {
  std::ifstream stream(std::string(TESSERA_SOURCE_DIR) + "/workloads/models/" + name + ".yaml");
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(": ");
    if (line.rfind("#", 0) != 0 && colon != std::string::npos) {
      fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  return fields;
}

std::string field_or(const std::map<std::string, std::string>& fields, const std::string& key,
                     const std::string& fallback) {
  const auto found = fields.find(key);
  return found == fields.end() ? fallback : found->second;
}

/// Numeric fields of a descriptor by key, with the defaults of an absent key.
std::map<std::string, std::pair<std::int64_t, std::int64_t>> numbers(const ModelDescriptor& m) {
  const ModelDescriptor d;
  return {{"hidden_size", {m.hidden_size, 0}},
          {"num_hidden_layers", {m.num_hidden_layers, 0}},
          {"num_attention_heads", {m.num_attention_heads, 0}},
          {"num_key_value_heads", {m.num_key_value_heads, 0}},
          {"head_dim", {m.head_dim, 0}},
          {"intermediate_size", {m.intermediate_size, 0}},
          {"image_size", {m.image_size, 0}},
          {"patch_size", {m.patch_size, 0}},
          {"num_channels", {m.num_channels, d.num_channels}},
          {"num_labels", {m.num_labels, 0}},
          {"vocab_size", {m.vocab_size, 0}},
          {"max_position_embeddings", {m.max_position_embeddings, 0}},
          {"type_vocab_size", {m.type_vocab_size, 0}},
          {"tokens", {m.tokens, 0}}};
}

/// Words of a descriptor by key; every shipped file spells them out, but for an absent lm_head.
std::map<std::string, std::string> words(const ModelDescriptor& m) {
  const char* families[] = {"vit", "decoder", "bert"};
  const char* activations[] = {"gelu", "gelu_tanh", "quick_gelu", "silu", "relu"};
  const char* heads[] = {"none", "last_token", "all_tokens"};
  return {{"title", m.title},
          {"family", families[static_cast<int>(m.family)]},
          {"hidden_act", activations[static_cast<int>(m.hidden_act)]},
          {"norm", m.norm == Norm::kLayerNorm ? "layer_norm" : "rms_norm"},
          {"norm_position", m.norm_position == NormPosition::kPre ? "pre" : "post"},
          {"mask", to_string(m.mask)},
          {"lm_head", heads[static_cast<int>(m.lm_head)]}};
}

std::map<std::string, std::pair<bool, bool>> switches(const ModelDescriptor& m) {
  const ModelDescriptor d;
  return {{"gated_mlp", {m.gated_mlp, d.gated_mlp}},
          {"final_norm", {m.final_norm, d.final_norm}},
          {"cls_token", {m.cls_token, d.cls_token}},
          {"rope", {m.rope, d.rope}},
          {"pooler", {m.pooler, d.pooler}}};
}

}  // namespace

TEST_CASE("a width that heads do not divide is refused") {
  const std::string reason =
      "vit_b16_224: hidden_size 770 is not divisible by num_attention_heads 12";
  CHECK(refusal(zoo::vit_b16_224(), [](PhaseRequest& r) {
          r.model.hidden_size = 770;
          r.model.head_dim = 0;
        }) == reason);
  CHECK(refusal(zoo::vit_b16_224(), [](PhaseRequest& r) { r.model.hidden_size = 770; }) == reason);
}

TEST_CASE("a head width of its own is accepted") {
  CHECK(refusal(zoo::tiny_decoder(), [](PhaseRequest& r) { r.model.head_dim = 5; }) == "accepted");
}

TEST_CASE("query heads that do not fill their KV heads are refused") {
  CHECK(refusal(zoo::smollm2_360m(), [](PhaseRequest& r) { r.model.num_key_value_heads = 4; }) ==
        "smollm2_360m: num_attention_heads 15 is not divisible by num_key_value_heads 4");
}

TEST_CASE("a sequence may be as long as the positions and no longer") {
  CHECK(refusal(zoo::tiny_bert(), [](PhaseRequest& r) { r.tokens = 9; }) == "accepted");
  CHECK(refusal(zoo::tiny_bert(), [](PhaseRequest& r) { r.tokens = 10; }) ==
        "tiny_bert: tokens 10 exceed max_position_embeddings 9");
}

TEST_CASE("missing and contradictory fields are refused in one line") {
  const ModelDescriptor vit = zoo::tiny_vit();
  const ModelDescriptor text = zoo::tiny_decoder();
  const std::vector<std::string> reasons{
      refusal(vit, [](PhaseRequest& r) { r.model.hidden_size = 0; }),
      refusal(vit, [](PhaseRequest& r) { r.model.num_attention_heads = 0; }),
      refusal(vit, [](PhaseRequest& r) { r.model.patch_size = 0; }),
      refusal(vit, [](PhaseRequest& r) { r.model.image_size = 1; }),
      refusal(vit, [](PhaseRequest& r) { r.model.cls_token = false; }),
      refusal(vit, [](PhaseRequest& r) { r.tokens = 5; }),
      refusal(vit, [](PhaseRequest& r) { r.batch = 0; }),
      refusal(vit, [](PhaseRequest& r) { r.repeat = 0; }),
      refusal(vit, [](PhaseRequest& r) { r.phase.clear(); }),
      refusal(vit, [](PhaseRequest& r) { r.not_before_s = -1; }),
      refusal(text, [](PhaseRequest& r) { r.model.vocab_size = 0; }),
      refusal(text, [](PhaseRequest& r) { r.model.tokens = 0; }),
      refusal(text, [](PhaseRequest& r) { r.model.hidden_act = Activation::kRelu; }),
      refusal(zoo::tiny_bert(), [](PhaseRequest& r) { r.model.max_position_embeddings = 0; })};
  for (const std::string& reason : reasons) {
    INFO(reason);
    CHECK(reason.rfind("tiny_", 0) == 0);
    CHECK(reason.find('\n') == std::string::npos);
  }
}

TEST_CASE("two phases of one name are refused") {
  const PhaseRequest vision = zoo::request(zoo::tiny_vit());
  CHECK_THROWS_WITH(build_graph({vision, vision}), "phase vision appears twice");
}

TEST_CASE("a refused phase leaves the graph as it was") {
  Graph graph = zoo::graph_of(zoo::tiny_vit());
  const std::size_t operators = graph.operators.size();
  PhaseRequest bad = zoo::request(zoo::tiny_decoder(), 1, 17);
  CHECK_THROWS(append_phase(graph, bad));
  CHECK(graph.operators.size() == operators);
  CHECK(graph.phases.size() == 1);
}

TEST_CASE("absent KV heads head width and tokens take their defaults") {
  PhaseRequest request = zoo::request(zoo::tiny_decoder());
  request.model.num_key_value_heads = 0;
  request.model.head_dim = 0;
  const Graph graph = build_graph({request});
  for (const Operator& op : graph.operators) {
    if (op.name == "Attn_Scores") {
      CHECK(op.m == 5);
      CHECK(op.k == 2);
      CHECK(op.group == 1);
    }
  }
}

TEST_CASE("a phase says what its units are") {
  PhaseRequest vision = zoo::request(zoo::siglip_b16(512));
  vision.repeat = 3;
  vision.not_before_s = 0.5;
  const Graph graph = build_graph({vision, zoo::request(zoo::smollm2_360m(), 4)});
  CHECK(graph.phases[0].title == "SigLIP-B/16-512, 1 image");
  CHECK(graph.phases[0].unit == "image");
  CHECK(graph.phases[0].units == 1);
  CHECK(graph.phases[0].repeat == 3);
  CHECK(graph.phases[0].not_before_s == 0.5);
  CHECK(graph.phases[1].title == "SmolLM2-360M, 4 prompts of 50 tokens");
  CHECK(graph.phases[1].units == 4);
  CHECK(graph.phases[1].first_operator == graph.phases[0].last_operator);
}

TEST_CASE("a decoder without rotary positions adds learned ones") {
  ModelDescriptor model = zoo::tiny_decoder();
  model.rope = false;
  const Graph graph = zoo::graph_of(model);
  CHECK(graph.operators[1].name == "PosEmbed_Add");
  for (const Operator& op : graph.operators) {
    CHECK(op.name != "RoPE");
  }
}

TEST_CASE("the activation names the operator and its cost") {
  const std::vector<std::pair<Activation, std::string>> names{
      {Activation::kGelu, "GELU gelu"},
      {Activation::kGeluTanh, "GELU gelu"},
      {Activation::kQuickGelu, "QuickGELU quick_gelu"},
      {Activation::kSilu, "SiLU silu"},
      {Activation::kRelu, "ReLU relu"}};
  for (const auto& [activation, expected] : names) {
    ModelDescriptor model = zoo::tiny_bert();
    model.hidden_act = activation;
    std::string found;
    for (const Operator& op : zoo::graph_of(model).operators) {
      if (std::string(csv_kind(op)) == "act" && op.layer == 0) {
        found = op.name + " " + op.operation;
      }
    }
    CHECK(found == expected);
  }
}

TEST_CASE("shipped descriptor files say what the tests build") {
  for (const ModelDescriptor& model :
       {zoo::siglip_b16(512), zoo::vit_b16_224(), zoo::smollm2_360m(), zoo::smollm2_360m_l16(),
        zoo::bert_base()}) {
    INFO(model.name);
    const std::map<std::string, std::string> fields = shipped(model.name);
    for (const auto& [key, word] : words(model)) {
      INFO(key);
      CHECK(field_or(fields, key, key == "lm_head" ? "none" : "") == word);
    }
    for (const auto& [key, value] : numbers(model)) {
      INFO(key);
      CHECK(field_or(fields, key, std::to_string(value.second)) == std::to_string(value.first));
    }
    for (const auto& [key, value] : switches(model)) {
      INFO(key);
      CHECK((field_or(fields, key, value.second ? "true" : "false") == "true") == value.first);
    }
  }
}

}  // namespace tessera::workloads
