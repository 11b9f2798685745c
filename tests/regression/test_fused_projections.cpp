// QKV in one pass, gate and up in one, residuals in epilogues: what they move, and that nothing
// else changes.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command_line.h"

using namespace tessera::test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// Two layers of SmolLM2-360M on 21 tokens: small enough to check values.
struct SmallRun {
  SmallRun() {
    write_text(folder / "small.yaml",
               "hardware: edge_32x32\n"
               "workload: {model: {base: smollm2_360m, num_hidden_layers: 2}, tokens: 21}\n");
  }
  Ran run(const std::string& arguments) const { return run_tessera(arguments, folder.path()); }
  json report(const std::string& fusion) const {
    const Ran ran = run("run small.yaml --format json --set 'fusion=" + fusion + "'");
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.out);
  }
  TemporaryFolder folder;
};

std::int64_t moved(const json& row) {
  std::int64_t bytes = 0;
  for (const auto& [key, traffic] : row.at("traffic").at("dram").items()) {
    if (!traffic.is_object()) continue;
    bytes += traffic.at("read_bytes").get<std::int64_t>() +
             traffic.at("write_bytes").get<std::int64_t>();
  }
  return bytes;
}

std::int64_t saved(const json& row) {
  return row.at("traffic").at("dram").at("fusion_saved_bytes").get<std::int64_t>();
}

json row_named(const json& report, const std::string& name) {
  for (const json& row : report.at("operators")) {
    if (row.at("name") == name) return row;
  }
  FAIL("no operator " << name);
  return {};
}

constexpr std::int64_t kTokens = 21, kHidden = 960, kWide = 2560, kLayers = 2;

}  // namespace

TEST_CASE("QKV in one pass reads its input once in place of three times") {
  const SmallRun small;
  const json plain = small.report("none"), fused = small.report("{qkv: true}");
  constexpr std::int64_t kSaved = kLayers * 2 * kTokens * kHidden;
  CHECK(saved(fused.at("totals")) == kSaved);
  CHECK(moved(plain.at("totals")) - moved(fused.at("totals")) == kSaved);
  // Input, weights of 8 bits, results.
  constexpr std::int64_t kColumns = 960 + 2 * 320;
  const json row = row_named(fused, "Attn_QKV");
  CHECK(row.at("members") == json{"Attn_Q", "Attn_K", "Attn_V"});
  CHECK(moved(row) == kTokens * kHidden + kHidden * kColumns + kTokens * kColumns);
  CHECK(fused.at("totals").at("macs") == plain.at("totals").at("macs"));
}

TEST_CASE("gate and up in one Gemm store their product alone") {
  const SmallRun small;
  const json plain = small.report("none"), fused = small.report("{gate_up: true}");
  // Gate and up, written and read once, and the input of the second.
  constexpr std::int64_t kSaved = kLayers * (4 * kTokens * kWide + kTokens * kHidden);
  CHECK(saved(fused.at("totals")) == kSaved);
  CHECK(moved(plain.at("totals")) - moved(fused.at("totals")) == kSaved);
  const json row = row_named(fused, "MLP_GateUp");
  CHECK(row.at("members") == json{"MLP_Gate", "MLP_Up", "SiLU_Mul"});
  CHECK(row.at("n") == 2 * kWide);
  CHECK(moved(row) == kTokens * kHidden + kHidden * 2 * kWide + kTokens * kWide);
  CHECK(fused.at("totals").at("macs") == plain.at("totals").at("macs"));
  CHECK(fused.at("totals").at("cycles") < plain.at("totals").at("cycles"));
}

TEST_CASE("a residual in the epilogue saves the sum's summand, written and read") {
  const SmallRun small;
  const json plain = small.report("none"), fused = small.report("{residual: true}");
  constexpr std::int64_t kSaved = kLayers * 2 * 2 * kTokens * kHidden;
  CHECK(saved(fused.at("totals")) == kSaved);
  CHECK(moved(plain.at("totals")) - moved(fused.at("totals")) == kSaved);
  const json row = row_named(fused, "MLP_Down");
  CHECK(row.at("members") == json{"MLP_Down", "Residual_Add_2"});
  CHECK(moved(row) == kTokens * kWide + kWide * kHidden + 2 * kTokens * kHidden);
  CHECK(fused.at("totals").at("macs") == plain.at("totals").at("macs"));
}

TEST_CASE("fused projections pass the check with values, in prefill and in decode") {
  const SmallRun small;
  for (const char* workload : {"", " --set workload.kv_length=40 --set workload.tokens=1"}) {
    const Ran ran =
        small.run("check small.yaml --set 'fusion={qkv: true, gate_up: true, residual: true}'" +
                  std::string(workload));
    INFO(ran.out << ran.err);
    CHECK(ran.exit_code == 0);
    CHECK_THAT(ran.out, Contains("equal the reference's"));
  }
}

TEST_CASE("auto is never slower than none, but for scheduling anomalies below 1 %") {
  for (const char* name : {"siglip_edge", "smollm2_edge", "bert_edge", "vit_b16_224_server"}) {
    const auto cycles = [&](const std::string& fusion) {
      const Ran ran =
          run_tessera("run " + std::string(name) + " --format json --set fusion=" + fusion);
      INFO(ran.err);
      REQUIRE(ran.exit_code == 0);
      return json::parse(ran.out).at("totals").at("cycles").get<std::int64_t>();
    };
    INFO(name);
    const std::int64_t apart = cycles("none");
    CHECK(static_cast<double>(cycles("auto")) <= 1.01 * static_cast<double>(apart));
  }
}

TEST_CASE("a plan with gate and up fused reads back with identical cycles") {
  const SmallRun small;
  const std::string fusion = " --set 'fusion={qkv: true, gate_up: true, residual: true}'";
  REQUIRE(small.run("describe small.yaml --stage plan --format yaml" + fusion + " > plan.yaml")
              .exit_code == 0);
  const auto cycles = [&](const std::string& more) {
    const Ran ran = small.run("run small.yaml --format json" + fusion + more);
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.out).at("totals").at("cycles").get<std::int64_t>();
  };
  CHECK(cycles("") == cycles(" --set mapping.plan=plan.yaml"));
}

TEST_CASE("a hardware loop says that it cannot join gate and up or add, auto leaves them apart") {
  const SmallRun small;
  const std::string machine =
      "run small.yaml --set 'hardware={base: edge_32x32, sequencer: {loop: {m: 32, k: 32, n: "
      "32}}}'";
  const Ran on = small.run(machine + " --set fusion.gate_up=true");
  CHECK(on.exit_code == 2);
  CHECK_THAT(on.err, Contains("hardware loop") && Contains("'fusion.gate_up: false'"));
  const Ran adds = small.run(machine + " --set fusion.residual=true");
  CHECK(adds.exit_code == 2);
  CHECK_THAT(adds.err, Contains("hardware loop") && Contains("'fusion.residual: false'"));
  CHECK(small.run(machine + " --set fusion=auto").exit_code == 0);
}

TEST_CASE("what-if offers fused projections where there are any") {
  const SmallRun small;
  const Ran off = small.run("run small.yaml --what-if");
  CHECK_THAT(off.out, Contains("fusion.qkv: true") && Contains("fusion.gate_up: true") &&
                          Contains("fusion.residual: true"));
  const Ran on = small.run("run small.yaml --what-if --set fusion=all");
  CHECK_THAT(on.out, !Contains("fusion.qkv") && !Contains("fusion.gate_up") &&
                         !Contains("fusion.residual"));
}
