// The shipped descriptors against the published shapes: operators.csv, totals.csv and the
// parameters of models.csv, row by row.
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "sim/config/config.h"
#include "tests/sim/config/config_fixture.h"
#include "tests/workloads/operator_lines.h"
#include "workloads/model_descriptor.h"

using namespace tessera;
using workloads::Case;
using workloads::Graph;
using workloads::Line;
using workloads::Row;

namespace {

/// Which shipped descriptor a model name of the reference stands for.
const std::map<std::string, std::string>& shipped_names() {
  static const std::map<std::string, std::string> names{
      {"siglip-b16-224", "siglip_b16_224_map"},
      {"siglip-b16-384", "siglip_b16_384_map"},
      {"siglip-b16-512", "siglip_b16_512_map"},
      {"siglip-so400m14-384", "siglip_so400m14_384_map"},
      {"smolvlm2-500m/vision", "siglip_b16_512"},
      {"smolvlm2-256m/vision", "siglip_b16_512"},
      {"smolvlm2-2.2b/vision", "smolvlm2_2_2b_vision"},
      {"paligemma-3b-224/vision", "paligemma_3b_vision"},
      {"clip-b16/vision", "clip_b16_vision"},
      {"clip-b32/vision", "clip_b32_vision"},
      {"clip-l14/vision", "clip_l14_vision"},
      {"dinov2-s", "dinov2_s14_518"},
      {"dinov2-b", "dinov2_b14_518"},
      {"dinov2-l", "dinov2_l14_518"},
      {"dinov2-b-224", "dinov2_b14_224"},
      {"deit-s16-224", "deit_s16_224"},
      {"vit-b16-224", "vit_b16_224"},
      {"vit-b16-384", "vit_b16_384"},
      {"vit-l16-224", "vit_l16_224"},
      {"vit-l16-384", "vit_l16_384"},
      {"siglip-b/text", "siglip_b16_text"},
      {"clip-b16/text", "clip_b16_text"},
      {"clip-b32/text", "clip_b32_text"},
      {"clip-l14/text", "clip_l14_text"},
      {"bert-base", "bert_base"},
      {"distilbert", "distilbert"},
      {"minilm-l6", "minilm_l6"},
      {"t5-base-encoder", "t5_base_encoder"},
      {"smollm2-135m", "smollm2_135m"},
      {"smollm2-360m", "smollm2_360m"},
      {"smollm2-1.7b", "smollm2_1_7b"},
      {"smolvlm2-500m/text", "smolvlm2_500m_text"},
      {"smolvlm2-256m/text", "smolvlm2_256m_text"},
      {"smolvlm2-2.2b/text", "smolvlm2_2_2b_text"},
      {"qwen2.5-0.5b", "qwen2_5_0_5b"},
      {"tinyllama-1.1b", "tinyllama_1_1b"},
      {"gemma-2b", "gemma_2b"},
      {"paligemma-3b-224/text", "paligemma_3b_text"},
      {"smolvlm2-500m", "smolvlm2_500m"},
      {"smolvlm2-256m", "smolvlm2_256m"},
      {"smolvlm2-2.2b", "smolvlm2_2_2b"},
      {"paligemma-3b-224", "paligemma_3b_224"},
      {"smolvla-450m", "smolvla"},
      {"smolvla-450m-1cam", "smolvla"}};
  return names;
}

/// One phase of one model at one batch and sequence.
struct Site {
  std::string model, phase;
  Case size;
  bool operator<(const Site& o) const {
    return std::tie(model, phase, size) < std::tie(o.model, o.phase, o.size);
  }
};

Site site_of(const Row& row) { return {row.at("model"), row.at("phase"), workloads::case_of(row)}; }

/// The workload that the row's run has.
std::string workload_of(const Site& site) {
  const std::string batch = "batch: " + std::to_string(site.size.first);
  std::string text = "{model: " + shipped_names().at(site.model) + ", " + batch;
  const std::string length = std::to_string(site.size.second);
  if (site.model == "smolvla-450m-1cam") text += ", cameras: 1";
  if (site.phase == "decode") text += ", kv_length: " + length;
  if (site.phase == "prefill" || site.phase == "text_encode") text += ", tokens: " + length;
  return text + "}";
}

/// The phase's name in the graph; phases of one stack have any.
bool is_phase(const std::string& name, const std::string& reference, std::size_t phases) {
  static const std::map<std::string, std::string> names{{"vision_per_camera", "vision"},
                                                        {"connector_per_camera", "connector"},
                                                        {"connector", "connector"},
                                                        {"prefix_prefill", "prefix"},
                                                        {"denoise_step", "denoise"}};
  return phases == 1 || name == names.at(reference);
}

struct PhaseOperators {
  Graph graph;
  std::vector<workloads::Operator> operators;
  int repeat = 0;
};

Graph graph_of_run(const std::string& workload) {
  const sim::ConfigFolder folder;
  folder.write("shipped.yaml", "hardware: hw\nworkload: " + workload + "\n");
  return workloads::build_graph(sim::load_run("shipped").phases);
}

PhaseOperators operators_of(const Site& site) {
  PhaseOperators found;
  found.graph = graph_of_run(workload_of(site));
  for (const workloads::Phase& phase : found.graph.phases) {
    if (!is_phase(phase.name, site.phase, found.graph.phases.size())) continue;
    found.operators.assign(found.graph.operators.begin() + phase.first_operator,
                           found.graph.operators.begin() + phase.last_operator);
    found.repeat = phase.repeat;
  }
  return found;
}

std::map<std::string, Line> by_name(const std::vector<Line>& lines) {
  std::map<std::string, Line> all;
  for (const Line& line : lines) all.emplace(line.name, line);
  return all;
}

}  // namespace

TEST_CASE("every row of operators.csv is an operator of a shipped model") {
  std::map<Site, std::vector<Line>> sites;
  for (const Row& row : workloads::reference_rows("operators.csv")) {
    sites[site_of(row)].push_back(workloads::line_of(row));
  }
  std::size_t rows = 0;
  for (const auto& [site, expected] : sites) {
    INFO(site.model << " " << site.phase << " batch " << site.size.first << " sequence "
                    << site.size.second);
    const PhaseOperators found = operators_of(site);
    const auto lines = by_name(workloads::lines_of(found.graph, found.operators));
    CHECK(lines.size() == expected.size());
    for (const Line& line : expected) {
      INFO(line);
      REQUIRE(lines.count(line.name) == 1);
      CHECK(lines.at(line.name) == line);
      ++rows;
    }
  }
  CHECK(rows == 1075);
}

TEST_CASE("every row of totals.csv is a phase of a shipped model") {
  const std::vector<Row> rows = workloads::reference_rows("totals.csv");
  CHECK(rows.size() == 55);
  for (const Row& row : rows) {
    const Site site = site_of(row);
    INFO(site.model << " " << site.phase << " batch " << site.size.first << " sequence "
                    << site.size.second);
    const PhaseOperators found = operators_of(site);
    CHECK(found.repeat == std::stoi(row.at("repeat")));
    for (const auto& [column, total] : workloads::totals_of(found.graph, found.operators)) {
      INFO(column);
      const double scale = column.find("gmacs") == std::string::npos ? 1e6 : 1e9;
      // The reference is rounded to four decimals.
      CHECK(std::abs(static_cast<double>(total) / scale - std::stod(row.at(column))) < 0.51e-4);
    }
  }
}

TEST_CASE("shipped models have the parameters of their checkpoints") {
  std::ifstream stream(std::string(TESSERA_SOURCE_DIR) + "/tests/reference/data/parameters.csv");
  int models = 0;
  for (std::string line; std::getline(stream, line);) {
    const std::vector<std::string> fields = workloads::split(line, ',');
    if (fields.at(0) == "name") continue;
    INFO(line);
    const sim::ConfigFolder folder;
    folder.write("shipped.yaml",
                 "hardware: hw\nworkload: {model: " + shipped_names().at(fields[0]) + "}\n");
    const workloads::ModelDescriptor model = sim::load_run("shipped").phases.front().model;
    CHECK(parameter_count(model) == std::stoll(fields[1]));
    ++models;
  }
  CHECK(models == 43);
}

TEST_CASE("every shipped model runs by its name alone") {
  for (const sim::ListEntry& entry : sim::list_configs("models")) {
    INFO(entry.name);
    CHECK_FALSE(entry.question.empty());
    CHECK_FALSE(graph_of_run(entry.name).operators.empty());
  }
}
