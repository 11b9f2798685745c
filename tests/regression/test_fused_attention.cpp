// SigLIP-B/16-512 with fused attention: what it saves, and nothing else changes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command_line.h"

using namespace tessera::test;
using Catch::Contains;
using nlohmann::json;

namespace {

json report_of(const std::string& arguments) {
  const Ran ran = run_tessera("run " + arguments + " --format json");
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  return json::parse(ran.out);
}

std::int64_t moved(const json& row) {
  std::int64_t bytes = 0;
  for (const auto& [key, traffic] : row.at("traffic").at("dram").items()) {
    if (!traffic.is_object()) continue;
    bytes += traffic.at("read_bytes").get<std::int64_t>() +
             traffic.at("write_bytes").get<std::int64_t>();
  }
  return bytes;
}

std::int64_t sum(const json& report, const std::string& name, std::int64_t (*of)(const json&)) {
  std::int64_t total = 0;
  for (const json& row : report.at("operators")) {
    if (row.at("name") == name) total += of(row);
  }
  return total;
}

constexpr std::int64_t kMatrix = 1024 * 768;                      // Q, K, V or O of a layer
constexpr std::int64_t kScores = 12 * std::int64_t{1024} * 1024;  // of a layer

}  // namespace

TEST_CASE("fused attention of SigLIP saves the 604 MB of scores and probabilities") {
  const json plain = report_of("siglip_edge");
  const json fused = report_of("siglip_edge_fused");
  const std::int64_t apart = sum(plain, "Attn_Scores", moved) + sum(plain, "Softmax", moved) +
                             sum(plain, "Attn_Context", moved);
  CHECK(apart >= 12 * (4 * kScores + 4 * kMatrix));
  CHECK(sum(fused, "Attention", moved) == 12 * 4 * kMatrix);
  const auto saved = [](const json& row) {
    return row.at("traffic").at("dram").at("fusion_saved_bytes").get<std::int64_t>();
  };
  CHECK(sum(fused, "Attention", +saved) == 12 * 4 * kScores);
  CHECK(12 * 4 * kScores == 603'979'776);
  CHECK(fused.at("totals").at("macs") == plain.at("totals").at("macs"));
  CHECK(fused.at("totals").at("cycles") < plain.at("totals").at("cycles"));
}

TEST_CASE("a fused operator names its members, its mapping and what hides behind the array") {
  const json fused = report_of("siglip_edge_fused");
  for (const json& row : fused.at("operators")) {
    if (row.at("name") != "Attention") continue;
    CHECK(row.at("kind") == "Attention");
    CHECK(row.at("members") == json{"Attn_Scores", "Softmax", "Attn_Context"});
    CHECK(row.at("mapping").at("resident") == json{"k", "v"});
    CHECK(row.at("mapping").at("loop_order").is_null());
    const auto& vector = row.at("vector");
    CHECK(vector.at("hidden_cycles") > vector.at("exposed_cycles"));
    CHECK(row.at("cycles") >= row.at("bounds").at("vector_cycles"));
    CHECK(row.at("cycles") >= row.at("bounds").at("as_mapped_cycles"));
  }
}

TEST_CASE("the check passes on fused runs, with values where they are small") {
  CHECK(run_tessera("check siglip_edge_fused").exit_code == 0);
  TemporaryFolder folder;
  write_text(folder / "small.yaml",
             "hardware: edge_32x32\n"
             "workload: {model: {base: smollm2_360m, num_hidden_layers: 1}, tokens: 21}\n"
             "fusion: all\n");
  const Ran ran = run_tessera("check small.yaml", folder.path());
  INFO(ran.out << ran.err);
  CHECK(ran.exit_code == 0);
}

TEST_CASE("a plan with fused attention reads back with identical cycles") {
  TemporaryFolder folder;
  const std::string run =
      "hardware: edge_32x32\n"
      "workload: {model: smollm2_360m, tokens: 40}\n"
      "fusion: all\n";
  write_text(folder / "free.yaml", run);
  write_text(folder / "planned.yaml", run + "mapping: {plan: plan.yaml}\n");
  REQUIRE(run_tessera("describe free.yaml --stage plan --format yaml > plan.yaml", folder.path())
              .exit_code == 0);
  const auto cycles = [&](const std::string& name) {
    const Ran ran = run_tessera("run " + name + " --format json", folder.path());
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.out).at("totals").at("cycles").get<std::int64_t>();
  };
  CHECK(cycles("free.yaml") == cycles("planned.yaml"));
}

TEST_CASE("what-if offers fused attention, and not where it is on") {
  TemporaryFolder folder;
  write_text(folder / "run.yaml",
             "hardware: edge_32x32\n"
             "workload: {model: bert_base, tokens: 64}\n");
  const Ran off = run_tessera("run run.yaml --what-if", folder.path());
  CHECK_THAT(off.out, Contains("fusion.attention: true"));
  const Ran on = run_tessera("run run.yaml --what-if --set fusion=all", folder.path());
  CHECK_THAT(on.out, !Contains("fusion.attention: true"));
  CHECK_THAT(on.out, Contains("fusion keeps") && Contains("Attention"));
}

TEST_CASE("online softmax streams keys through a buffer that holds no row of scores") {
  TemporaryFolder folder;
  write_text(folder / "run.yaml",
             "hardware: {base: edge_32x32, buffers: {activations: {capacity: 512 B}}}\n"
             "workload:\n"
             "  model: {base: smollm2_360m, num_hidden_layers: 1, hidden_size: 64,\n"
             "          num_attention_heads: 2, num_key_value_heads: 1, head_dim: 32,\n"
             "          intermediate_size: 64, vocab_size: 600}\n"
             "  tokens: 560\n"
             "fusion: {attention: true}\n");
  const Ran refused = run_tessera("run run.yaml", folder.path());
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, Contains("'fusion.softmax: online'"));
  const Ran checked = run_tessera("check run.yaml --set fusion.softmax=online", folder.path());
  INFO(checked.out << checked.err);
  CHECK(checked.exit_code == 0);
  CHECK_THAT(checked.out, Contains("equal the reference's"));
  const std::string set = " --set fusion.softmax=online";
  REQUIRE(run_tessera("describe run.yaml --stage plan --format yaml" + set + " > plan.yaml",
                      folder.path())
              .exit_code == 0);
  CHECK_THAT(read_text(folder / "plan.yaml"), Contains("online: true"));
  const auto cycles = [&](const std::string& more) {
    const Ran ran = run_tessera("run run.yaml --format json" + set + more, folder.path());
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.out).at("totals").at("cycles").get<std::int64_t>();
  };
  CHECK(cycles("") == cycles(" --set mapping.plan=plan.yaml"));
}
