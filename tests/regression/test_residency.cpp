// Activations that stay on chip: shipped runs with and without.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command_line.h"

using namespace tessera::test;
using nlohmann::json;

namespace {

json report(const std::string& arguments) {
  const Ran ran = run_tessera("run " + arguments + " --format json");
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  return json::parse(ran.out);
}

std::int64_t moved(const json& row) {
  std::int64_t bytes = 0;
  for (const auto& entry : row.at("traffic").at("dram")) {
    if (entry.is_object()) {
      bytes += entry.at("read_bytes").get<std::int64_t>();
      bytes += entry.at("write_bytes").get<std::int64_t>();
    }
  }
  return bytes;
}

std::int64_t saved(const json& row) {
  return row.at("traffic").at("dram").at("residency_saved_bytes").get<std::int64_t>();
}

std::int64_t cycles(const json& row) { return row.at("cycles").get<std::int64_t>(); }

}  // namespace

TEST_CASE("residency saves bytes and costs no time on shipped runs") {
  for (const std::string run : {"smollm2_edge", "bert_edge", "vit_b16_224_server"}) {
    INFO(run);
    const json none = report(run + " --set mapping.residency=none");
    const json kept = report(run + " --set mapping.residency=auto");
    CHECK(saved(none.at("totals")) == 0);
    CHECK(saved(kept.at("totals")) > 0);
    // What is saved moved once at least; mappings beside it may move other operands more often.
    CHECK(moved(kept.at("totals")) < moved(none.at("totals")));
    CHECK(cycles(kept.at("totals")) < cycles(none.at("totals")));
    CHECK(kept.at("totals").at("macs") == none.at("totals").at("macs"));
    std::int64_t sum = 0;
    for (const json& row : kept.at("operators")) {
      const json& dram = row.at("traffic").at("dram");
      CHECK(moved(row) >= dram.at("compulsory_bytes").get<std::int64_t>());
      CHECK(row.at("span_cycles") >= row.at("bounds").at("dram_cycles"));
      sum += saved(row);
    }
    CHECK(sum == saved(kept.at("totals")));
    CHECK(moved(kept.at("totals")) >=
          kept.at("totals").at("traffic").at("dram").at("compulsory_bytes").get<std::int64_t>());
  }
}

TEST_CASE("a prompt of 50 tokens on the edge moves little besides weights") {
  const json kept = report("smollm2_edge --set mapping.residency=auto");
  const json& dram = kept.at("totals").at("traffic").at("dram");
  const auto weights = dram.at("weights").at("read_bytes").get<std::int64_t>();
  CHECK(weights == 361'869'120);
  CHECK(moved(kept.at("totals")) < 1.03 * static_cast<double>(weights));
}

TEST_CASE("a plan with kept tensors is read back with every number of its operators") {
  const TemporaryFolder folder;
  const std::string run =
      "hardware: edge_32x32\n"
      "workload: {model: bert_base, tokens: 64}\n"
      "precision: w8a8\n";
  write_text(folder / "free.yaml", run + "mapping: {residency: auto}\n");
  write_text(folder / "planned.yaml", run + "mapping: {plan: plan.yaml}\n");
  REQUIRE(run_tessera("describe free.yaml --stage plan --format yaml > plan.yaml", folder.path())
              .exit_code == 0);
  CHECK(read_text(folder / "plan.yaml").find("kept:") != std::string::npos);
  const Ran free = run_tessera("run free.yaml --format json", folder.path());
  const Ran planned = run_tessera("run planned.yaml --format json", folder.path());
  INFO(planned.err);
  REQUIRE(planned.exit_code == 0);
  const json a = json::parse(free.out), b = json::parse(planned.out);
  CHECK(saved(a.at("totals")) > 0);
  CHECK(saved(a.at("totals")) == saved(b.at("totals")));
  CHECK(a.at("operators") == b.at("operators"));
  CHECK(a.at("totals") == b.at("totals"));
}

TEST_CASE("a program with kept tensors passes the check") {
  for (const std::string run :
       {"smollm2_edge --set workload.model.num_hidden_layers=2 --set workload.tokens=10 "
        "--set workload.model.vocab_size=64",
        "bert_edge --set workload.model.num_hidden_layers=1 --set workload.tokens=16"}) {
    const Ran ran = run_tessera("check " + run + " --set mapping.residency=auto");
    INFO(ran.out << ran.err);
    CHECK(ran.exit_code == 0);
  }
}
