// Small models on a machine with a hardware loop, from outside: they run and compute what they
// should.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/command_line.h"

using namespace tessera::test;
using Catch::Contains;
using nlohmann::json;

namespace {

constexpr const char* kVit =
    "hardware: gemmini_16x16\n"
    "workload:\n"
    "  model: {name: small_vit, family: vit, hidden_size: 60, num_hidden_layers: 2,\n"
    "          num_attention_heads: 3, intermediate_size: 100, image_size: 40, patch_size: 8}\n";

/// Heads of 20, six of them on two KV heads; no size a multiple of 16.
constexpr const char* kDecoder =
    "hardware: gemmini_16x16\n"
    "workload:\n"
    "  model: {name: small_decoder, family: decoder, hidden_size: 60, num_hidden_layers: 2,\n"
    "          num_attention_heads: 6, num_key_value_heads: 2, head_dim: 20,\n"
    "          intermediate_size: 100, vocab_size: 300, max_position_embeddings: 64, tokens: 21,\n"
    "          hidden_act: silu, gated_mlp: true, norm: rms_norm, rope: true}\n";

}  // namespace

TEST_CASE("small models run and are right on a machine with a hardware loop") {
  const TemporaryFolder folder;
  write_text(folder / "vit.yaml", kVit);
  write_text(folder / "decoder.yaml", kDecoder);
  for (const char* hardware : {"gemmini_16x16", "gemmini_8x8", "gemmini_16x16_small"}) {
    for (const char* run : {"vit.yaml", "decoder.yaml"}) {
      const std::string arguments = std::string(run) + " --set hardware=" + hardware;
      INFO(arguments);
      const Ran ran = run_tessera("run " + arguments + " --format json", folder.path());
      REQUIRE(ran.exit_code == 0);
      CHECK(json::parse(ran.out).at("totals").at("cycles") > 0);
      const Ran checked = run_tessera("check " + arguments, folder.path());
      INFO(checked.out);
      CHECK(checked.exit_code == 0);
      CHECK_THAT(checked.out, Contains("values"));
    }
  }
}

TEST_CASE("a plan of a hardware loop reads back with identical cycles") {
  const TemporaryFolder folder;
  write_text(folder / "free.yaml", kDecoder);
  write_text(folder / "planned.yaml", std::string(kDecoder) + "mapping: {plan: plan.yaml}\n");
  const Ran described =
      run_tessera("describe free.yaml --stage plan --format yaml > plan.yaml", folder.path());
  REQUIRE(described.exit_code == 0);
  CHECK_THAT(read_text(folder / "plan.yaml"), Contains("stride: "));
  const auto totals = [&](const char* run) {
    const Ran ran = run_tessera(std::string("run ") + run + " --format json", folder.path());
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.out).at("totals").dump();
  };
  CHECK(totals("free.yaml") == totals("planned.yaml"));
}
