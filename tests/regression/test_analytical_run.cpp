// Runs of fidelity analytical: what the plan says is what a simulation of it finds.
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/analytical_run.h"
#include "sim/config/config.h"
#include "sim/config/run_template.h"
#include "sim/mapper/planned_traffic.h"
#include "sim/pipeline.h"
#include "sim/report/rows.h"
#include "sim/report/writers.h"
#include "tests/support/command_line.h"

using namespace tessera;
using Json = nlohmann::ordered_json;

namespace {

struct Case {
  const char* run;
  std::vector<std::string> sets;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"siglip_edge", {"workload.model.num_hidden_layers=1"}},
      {"siglip_edge_fused", {"workload.model.num_hidden_layers=1"}},
      {"bert_edge", {"workload.model.num_hidden_layers=1"}},
      {"smollm2_edge",
       {"workload.model.num_hidden_layers=1", "workload.tokens=1", "workload.kv_length=200",
        "workload.repeat=3"}},
      {"vit_b16_224_server", {"workload.model.num_hidden_layers=1"}},
      {"bert_edge", {"workload.model.num_hidden_layers=1", "hardware=tiny_8x8"}},
      {"bert_edge", {"workload.model.num_hidden_layers=1", "hardware=gemmini_16x16"}},
  };
  return all;
}

bool equal(const hw::TrafficByClass& a, const hw::TrafficByClass& b) {
  for (std::size_t c = 0; c < a.size(); ++c) {
    if (a[c].read != b[c].read || a[c].write != b[c].write) return false;
  }
  return true;
}

void compare_row(const sim::ReportRow& planned, const sim::ReportRow& simulated) {
  INFO(planned.phase << "." << planned.name << " layer " << planned.layer);
  CHECK(planned.macs == simulated.macs);
  CHECK(planned.count == simulated.count);
  CHECK(equal(planned.dram, simulated.dram));
  CHECK(planned.compulsory_bytes == simulated.compulsory_bytes);
  CHECK(planned.bounds.compute_cycles == simulated.bounds.compute_cycles);
  CHECK(planned.bounds.as_mapped_cycles == simulated.bounds.as_mapped_cycles);
  CHECK(planned.bounds.dram_cycles == simulated.bounds.dram_cycles);
  CHECK(planned.bounds.vector_cycles == simulated.bounds.vector_cycles);
}

const Json& at(const Json& json, const std::string& pointer) {
  return json.at(Json::json_pointer(pointer));
}

}  // namespace

TEST_CASE("an analytical run knows the bytes, MACs and bounds that the simulation finds") {
  for (const Case& each : cases()) {
    INFO(each.run);
    sim::PreparedRun run = sim::prepare(sim::load_run(each.run, each.sets), sim::Knees::kNone);
    const sim::Report simulated = sim::simulate_run_isolated(run);
    run.config.fidelity = sim::Fidelity::kAnalytical;
    const sim::Report planned = sim::simulate_run(run);
    REQUIRE(planned.operators.size() == simulated.operators.size());
    for (std::size_t i = 0; i < planned.operators.size(); ++i) {
      compare_row(planned.operators[i], simulated.operators[i]);
    }
    compare_row(planned.totals, simulated.totals);
    CHECK_FALSE(planned.simulated);
    CHECK(planned.fidelity == "analytical");
  }
}

TEST_CASE("planned traffic is what the mapper prices, on every shipped machine") {
  for (const sim::ListEntry& machine : sim::list_configs("hardware")) {
    INFO(machine.name);
    const auto& pairs = sim::load_hardware(machine.name).array.throughput;
    const std::string pair = pairs.count("w8a8") > 0 ? "w8a8" : pairs.begin()->first;
    const sim::PreparedRun run =
        sim::prepare(sim::load_run("bert_edge", {"hardware=" + machine.name, "precision=" + pair}),
                     sim::Knees::kNone);
    for (std::size_t i = 0; i < run.graph.operators.size(); ++i) {
      const auto& op = run.graph.operators[i];
      const auto& plan = run.plan.operators[i];
      INFO(plan.name);
      const auto traffic = sim::planned_traffic(run.graph, op, plan, run.config.hardware,
                                                sim::kept_tensors(run.plan));
      CHECK(sim::moved_bytes(sim::by_class(traffic, run.graph, op)) == plan.cost.dram_bytes);
    }
  }
}

TEST_CASE("an analytical run's operators partition it, and no estimate is below its bounds") {
  for (const Case& each : cases()) {
    INFO(each.run);
    auto sets = each.sets;
    sets.push_back("fidelity=analytical");
    const sim::Report report =
        sim::simulate_run(sim::prepare(sim::load_run(each.run, sets), sim::Knees::kNone));
    hw::Cycles sum = 0;
    for (const sim::ReportRow& row : report.operators) {
      INFO(row.name);
      sum += row.cycles;
      CHECK(row.cycles >= row.bounds.compute_cycles);
      CHECK(row.cycles >= row.bounds.dram_cycles);
      CHECK(row.cycles >= row.bounds.vector_cycles);
      CHECK(row.utilization <= 1.0);
    }
    CHECK(sum == report.totals.cycles);
  }
}

TEST_CASE(
    "what an analytical run cannot know is null in report.json, empty in CSV, absent in text") {
  const test::TemporaryFolder folder;
  const std::string run =
      "run siglip_edge --set fidelity=analytical --set workload.model.num_hidden_layers=1 ";
  const test::Ran ran = test::run_tessera(run + "--format json");
  REQUIRE(ran.exit_code == 0);
  const Json json = Json::parse(ran.out);
  for (const char* pointer :
       {"/totals/span_cycles", "/totals/attribution/compute", "/totals/attribution/tail",
        "/totals/bounds/scratchpad_cycles", "/totals/traffic/weights/weights/read_bytes",
        "/totals/vector/hidden_cycles", "/vector/exposed_cycles", "/buffers/weights/peak_bytes",
        "/dram/sustained_fraction", "/dram/bursts", "/dram/row_hit_rate", "/dram/energy",
        "/dram/commands", "/operators/3/attribution/wait_weights"}) {
    INFO(pointer);
    CHECK(at(json, pointer).is_null());
  }
  CHECK(json.at("units").empty());
  CHECK(json.at("fidelity") == "analytical");
  CHECK(json.at("config").at("fidelity") == "analytical");
  CHECK(at(json, "/totals/traffic/dram/weights/read_bytes") > 0);
  CHECK(test::run_tessera(run + "--format csv").out.find("span_cycles") != std::string::npos);
  const std::string text = test::run_tessera(run).out;
  CHECK(text.find(", analytical") != std::string::npos);
  CHECK(text.find("ARRAY CYCLES") == std::string::npos);
  CHECK(text.find("hidden") == std::string::npos);
  CHECK(text.find("SRAM") == std::string::npos);
}

TEST_CASE("an analytical run compares with a simulated one, without causes") {
  const std::string few = " --set workload.model.num_hidden_layers=1";
  const test::TemporaryFolder folder;
  for (const char* fidelity : {"analytical", "transaction"}) {
    REQUIRE(test::run_tessera("run siglip_edge --format json" + few +
                                  " --set fidelity=" + fidelity + " > " + fidelity + ".json",
                              folder.path())
                .exit_code == 0);
  }
  const test::Ran ran =
      test::run_tessera("compare analytical.json transaction.json --format json", folder.path());
  REQUIRE(ran.exit_code == 0);
  const Json json = Json::parse(ran.out);
  CHECK(at(json, "/totals/moved_most").is_null());
  CHECK(at(json, "/totals/attribution_delta/compute").is_null());
  CHECK(at(json, "/totals/dram_bytes/delta") == 0);
}

TEST_CASE("fidelity pe is refused for a run, by name") {
  const test::Ran ran = test::run_tessera("run siglip_edge --set fidelity=pe");
  CHECK(ran.exit_code == 2);
  CHECK(ran.err.find("not built yet") != std::string::npos);
}

TEST_CASE("a template resolves to what load_run gives with the same values") {
  const sim::RunTemplate once(sim::config::load_tree(sim::config::ConfigKind::kRun, "siglip_edge"));
  auto source = std::make_shared<sim::config::Source>();
  source->name = "test";
  source->index_lines();
  const sim::config::Position here{source, 0, 0};
  const std::pair<const char*, const char*> changes[] = {
      {"hardware.dram.channels", "4"},
      {"hardware.buffers.weights.capacity", "1 MiB"},
      {"precision", "w4a8"},
      {"hardware", "server_128x128"},
      {"fusion", "auto"}};
  for (const auto& [key, value] : changes) {
    const sim::config::Setting setting{sim::config::key_path(key, here),
                                       sim::config::make_scalar(value, here)};
    const sim::RunConfig made = once.resolve({setting});
    const sim::RunConfig loaded = sim::load_run("siglip_edge", {std::string(key) + "=" + value});
    INFO(key);
    CHECK(made.resolved == loaded.resolved);
    CHECK(made.hardware.name == loaded.hardware.name);
    CHECK(made.hardware.dram.efficiency == loaded.hardware.dram.efficiency);
  }
}
