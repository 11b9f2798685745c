// Workloads of models of several parts, decode, and config.json in place of a descriptor.
#include <catch2/catch.hpp>

#include "sim/config/config.h"
#include "tests/sim/config/config_fixture.h"
#include "workloads/graph.h"

namespace tessera::sim {

namespace {

const std::string kHf =
    "{\n"
    "  \"model_type\": \"llama\",\n"
    "  \"hidden_size\": 64,\n"
    "  \"intermediate_size\": 96,\n"
    "  \"num_hidden_layers\": 2,\n"
    "  \"num_attention_heads\": 4,\n"
    "  \"vocab_size\": 100\n"
    "}\n";

std::vector<std::string> phase_names(const std::string& workload) {
  ConfigFolder folder;
  folder.write("case.yaml", "hardware: hw\nworkload: " + workload + "\n");
  std::vector<std::string> names;
  for (const workloads::Phase& phase : workloads::build_graph(load_run("case").phases).phases) {
    names.push_back(phase.name);
  }
  return names;
}

std::string error_of_workload(const std::string& workload) {
  ConfigFolder folder;
  folder.write("case.yaml", "hardware: hw\nworkload: " + workload + "\n");
  const std::string error = error_of("case");
  return error.substr(0, error.find('\n'));
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a model of several parts is several phases") {
  CHECK(phase_names("smolvla") == Names{"vision", "connector", "prefix", "denoise"});
  CHECK(phase_names("clip_b32") == Names{"vision", "text_encode"});
  CHECK(phase_names("{model: smolvlm2_256m, name: robot}") ==
        Names{"robot_vision", "robot_connector", "robot_prefill"});
  CHECK(phase_names("{phases: {a: {model: clip_b32}, b: {model: m}}}") ==
        Names{"a_vision", "a_text_encode", "b"});
}

TEST_CASE("one part of a model stands alone") {
  CHECK(phase_names("{model: smolvlm2_256m, part: vision}") == Names{"vision"});
  CHECK(phase_names("{model: smolvlm2_256m, part: text, kv_length: 64}") == Names{"decode"});
  CHECK(error_of_workload("{model: m, part: text}") ==
        "case.yaml:2:28: error: workload.part: m has no parts");
}

TEST_CASE("a cache longer than the tokens is decode of one token") {
  ConfigFolder folder;
  folder.write("case.yaml", "hardware: hw\nworkload: {model: m, kv_length: 20}\n");
  const RunConfig run = load_run("case");
  CHECK(run.phases.front().phase == "decode");
  CHECK(run.phases.front().tokens == 1);
  CHECK(run.resolved["workload"]["kv_length"] == 20);
}

TEST_CASE("keys of another family and impossible lengths are refused") {
  CHECK(error_of_workload("{model: m, cameras: 3}") ==
        "case.yaml:2:31: error: workload.cameras: does not go with m");
  CHECK(error_of_workload("{model: m, kv_length: 33}") ==
        "case.yaml:2:33: error: workload.kv_length: 33 is not allowed (1 .. 32, "
        "max_position_embeddings of m)");
  CHECK(error_of_workload("{model: m, tokens: 9, kv_length: 8}") ==
        "case.yaml:2:44: error: workload.kv_length: 8 is below tokens 9");
  CHECK(error_of_workload("{model: bert_base, kv_length: 8}") ==
        "case.yaml:2:41: error: workload.kv_length: does not go with bert_base");
  CHECK(
      error_of_workload("{model: smolvla, repeat: 2}") ==
      "case.yaml:2:36: error: workload.repeat: does not go with smolvla, which is several phases");
  CHECK(error_of_workload("{model: smolvla, cross_kv: often}") ==
        "case.yaml:2:38: error: workload.cross_kv: often is not allowed (recomputed, hoisted)");
  CHECK(
      error_of_workload("{model: {family: vlm, vision: m, text: m}}") ==
      "case.yaml:2:33: error: workload.model.vision: is of family decoder; the vision of a vlm is "
      "of family vit");
  CHECK(error_of_workload("{model: {family: smolvla, vision: siglip_b16_512, text: m}}") ==
        "case.yaml:2:19: error: workload.model.expert: the key is missing (family smolvla)");
}

TEST_CASE("parts that do not fit together are refused before the first cycle") {
  ConfigFolder folder;
  folder.write("case.yaml", "hardware: hw\nworkload: smolvla\n");
  const std::string error = error_of("case", {"workload.model.connector.pixel_shuffle=5"});
  CHECK(error.find("workload.model: smolvla: pixel_shuffle 5 does not divide the 32 patches") !=
        std::string::npos);
}

TEST_CASE("a change on the command line reaches the parts of a model") {
  ConfigFolder folder;
  folder.write("case.yaml", "hardware: hw\nworkload: smolvla\n");
  const RunConfig run =
      load_run("case", {"workload.model.vision.num_hidden_layers=1", "workload.cameras=2",
                        "workload.model.text.num_hidden_layers=4",
                        "workload.model.expert.num_hidden_layers=2"});
  CHECK(run.phases.front().model.vision->num_hidden_layers == 1);
  CHECK(run.phases.front().model.text->num_hidden_layers == 4);
  CHECK(run.phases.front().images == 2);
}

TEST_CASE("a run may name a model's config.json") {
  ConfigFolder folder;
  folder.write("llm/config.json", kHf);
  folder.write("case.yaml", "hardware: hw\nworkload: {model: llm/config.json, tokens: 8}\n");
  const RunConfig run = load_run("case");
  CHECK(run.phases.front().model.hidden_size == 64);
  CHECK(run.phases.front().model.rope);
  folder.write("case.yaml",
               "hardware: hw\nworkload: {model: {base: llm/config.json, num_hidden_layers: 1}}\n");
  CHECK(load_run("case").phases.front().model.num_hidden_layers == 1);
}

TEST_CASE("what is wrong with a config.json has a line and a column") {
  ConfigFolder folder;
  folder.write("case.yaml", "hardware: hw\nworkload: {model: config.json, tokens: 8}\n");
  folder.write("config.json", replaced(kHf, "64", "-1"));
  CHECK(error_of("case") ==
        "config.json:3:3: error: hidden_size: -1 is not allowed\n"
        "    \"hidden_size\": -1,\n"
        "    ^\n"
        "allowed: an integer from 1");
  folder.write("config.json", replaced(kHf, "llama", "mamba"));
  CHECK(error_of("case").rfind(
            "config.json:2:3: error: model_type: 'mamba' is not a known family\n", 0) == 0);
  CHECK(error_of("case").find("\nallowed: bert, clip, ") != std::string::npos);
  folder.write("config.json", kHf.substr(0, 40));
  CHECK(error_of("case").rfind("config.json:3:", 0) == 0);
  folder.write("config.json", "{\"a\": 1}");
  CHECK(error_of("case").rfind("config.json:1:1: error: model_type: the key is missing", 0) == 0);
}

TEST_CASE("an imported descriptor reads back as the model it came from") {
  ConfigFolder folder;
  folder.write("llm/config.json", kHf);
  const std::string yaml = import_hf_model({"llm/config.json", "", "", 0});
  CHECK(yaml.rfind("# llm: imported from llm/config.json by `tessera import hf`, ", 0) == 0);
  folder.write("imported.yaml", yaml);
  folder.write("case.yaml", "hardware: hw\nworkload: {model: imported, tokens: 8}\n");
  const RunConfig from_yaml = load_run("case");
  folder.write("case.yaml", "hardware: hw\nworkload: {model: llm/config.json, tokens: 8}\n");
  const RunConfig from_json = load_run("case");
  auto a = from_yaml.resolved["workload"]["model"], b = from_json.resolved["workload"]["model"];
  for (auto* model : {&a, &b}) {
    model->erase("name");
    model->erase("title");
  }
  CHECK(a == b);
}

TEST_CASE("every shipped model survives being written and read") {
  for (const ListEntry& entry : list_configs("models")) {
    INFO(entry.name);
    ConfigFolder folder;
    folder.write("case.yaml", "hardware: hw\nworkload: " + entry.name + "\n");
    const RunConfig run = load_run("case");
    folder.write("again.yaml", run.resolved["workload"]["model"].dump());
    folder.write("case.yaml", "hardware: hw\nworkload: again\n");
    CHECK(load_run("case").resolved["workload"] == run.resolved["workload"]);
  }
}

}  // namespace tessera::sim
