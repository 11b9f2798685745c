// A plan that was printed, edited and read back: what an engineer does to try a mapping by hand.
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/command_line.h"

using namespace tessera::test;
using Catch::Contains;
using Catch::StartsWith;
using nlohmann::json;

namespace {

constexpr const char* kRun =
    "hardware: edge_32x32\n"
    "workload: {model: bert_base, tokens: 64}\n"
    "precision: w8a8\n";

/// A run, and the same run with the plan that `describe` printed for it.
struct PlannedRun {
  TemporaryFolder folder;

  PlannedRun() {
    write_text(folder / "free.yaml", kRun);
    write_text(folder / "planned.yaml", std::string(kRun) + "mapping: {plan: plan.yaml}\n");
    const Ran described =
        run_tessera("describe free.yaml --stage plan --format yaml > plan.yaml", folder.path());
    REQUIRE(described.exit_code == 0);
  }
  std::string plan() const { return read_text(folder / "plan.yaml"); }

  json report(const std::string& subject) const {
    const Ran ran = run_tessera("run " + subject + " --format json", folder.path());
    INFO(ran.err);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.out);
  }
  std::string refusal() const {
    const Ran ran = run_tessera("run planned.yaml", folder.path());
    CHECK(ran.exit_code == 2);
    CHECK(ran.out.empty());
    return ran.err;
  }
};

/// The block of `name` in a plan: from its key to the next operator's.
struct Block {
  std::size_t begin, end;
};
Block block_of(const std::string& plan, const std::string& name) {
  const std::size_t begin = plan.find("\n  " + name + ":");
  REQUIRE(begin != std::string::npos);
  return {begin, plan.find("\n  text.", begin + 1)};
}

/// `plan` with `from` replaced by `to` inside the block of `name`.
std::string edited(const std::string& plan, const std::string& name, const std::string& from,
                   const std::string& to) {
  const Block block = block_of(plan, name);
  std::string text = plan.substr(block.begin, block.end - block.begin);
  const std::size_t at = text.find(from);
  INFO(text);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  return plan.substr(0, block.begin) + text + plan.substr(block.end);
}

std::map<std::string, json> mappings(const json& report) {
  std::map<std::string, json> by_name;
  for (const json& row : report.at("operators")) {
    const std::string layer = row.at("layer").is_null() ? "" : row.at("layer").dump() + ".";
    by_name[layer + row.at("name").get<std::string>()] = row.at("mapping");
  }
  return by_name;
}

constexpr const char* kEdited = "text.L3.MLP_FC1";

std::int64_t tile_n(const json& report) {
  return mappings(report).at("3.MLP_FC1").at("tile").at("n").get<std::int64_t>();
}

std::string n_key(std::int64_t n) { return ", n: " + std::to_string(n) + "}"; }

}  // namespace

TEST_CASE("a plan that is read back unchanged gives every number again") {
  const PlannedRun run;
  const json free = run.report("free.yaml"), planned = run.report("planned.yaml");
  CHECK(free.at("operators") == planned.at("operators"));
  CHECK(free.at("totals") == planned.at("totals"));
  CHECK(free.at("phases") == planned.at("phases"));
  CHECK(free.at("units") == planned.at("units"));
  for (const auto& [name, buffer] : free.at("buffers").items()) {
    INFO(name);
    CHECK(buffer.at("peak_bytes") == planned.at("buffers").at(name).at("peak_bytes"));
  }
}

TEST_CASE("a plan printed from a plan is the same text") {
  const PlannedRun run;
  const Ran again = run_tessera("describe planned.yaml --format yaml", run.folder.path());
  CHECK(again.exit_code == 0);
  CHECK(again.out == run.plan());
}

TEST_CASE("a smaller tile written into the plan changes that operator and no other mapping") {
  const PlannedRun run;
  const json before = run.report("planned.yaml");
  const auto n = tile_n(before);
  write_text(run.folder / "plan.yaml", edited(run.plan(), kEdited, n_key(n), n_key(n / 2)));
  const json after = run.report("planned.yaml");
  CHECK(tile_n(after) == n / 2);
  std::vector<std::string> changed;
  for (const auto& [name, mapping] : mappings(after)) {
    if (mapping != mappings(before).at(name)) changed.push_back(name);
  }
  CHECK(changed == std::vector<std::string>{"3.MLP_FC1"});
  CHECK(after.at("totals").at("macs") == before.at("totals").at("macs"));
  CHECK(after.at("totals").at("cycles") != before.at("totals").at("cycles"));
}

TEST_CASE("a tile larger than its slot is refused by name") {
  const PlannedRun run;
  const auto n = tile_n(run.report("planned.yaml"));
  write_text(run.folder / "plan.yaml", edited(run.plan(), kEdited, n_key(n), n_key(n * 2)));
  CHECK_THAT(run.refusal(), StartsWith("tessera: text.L3.MLP_FC1: slots of b: a slot has"));
}

TEST_CASE("a plan that lacks an operator of the run is refused by name") {
  const PlannedRun run;
  const std::string plan = run.plan();
  const Block block = block_of(plan, "text.L3.MLP_FC1");
  write_text(run.folder / "plan.yaml", plan.substr(0, block.begin) + plan.substr(block.end));
  CHECK_THAT(run.refusal(), Contains("the operator 'text.L3.MLP_FC1' of the run is missing"));
}

TEST_CASE("a plan for another model is refused before anything runs") {
  const PlannedRun run;
  const Ran ran = run_tessera("run siglip_edge --set mapping.plan=plan.yaml", run.folder.path());
  CHECK(ran.exit_code == 2);
  CHECK_THAT(ran.err, Contains("the operator 'vision.PatchEmbed' of the run is missing"));
}
