// What the shipped runs promise, on the real models.
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/config/config.h"
#include "sim/pipeline.h"
#include "sim/simulation/counter_stream.h"
#include "tests/support/single_operator.h"

using namespace tessera;
using sim::ReportRow;

namespace {

sim::Report report_of(const std::string& run, const std::vector<std::string>& sets = {}) {
  return sim::simulate_run_isolated(sim::prepare(sim::load_run(run, sets)));
}

const ReportRow& operator_row(const sim::Report& report, const std::string& name) {
  const auto found = std::find_if(report.operators.begin(), report.operators.end(),
                                  [&](const ReportRow& row) { return row.name == name; });
  REQUIRE(found != report.operators.end());
  return *found;
}

hw::Counters counters_of(const sim::PreparedRun& run, std::uint64_t noise_seed) {
  sim::SimulateOptions options;
  options.noise_seed = noise_seed;
  return sim::simulate_isolated(
      run.config.hardware, [&] { return sim::lower(run.graph, run.plan, run.config.hardware); },
      static_cast<int>(run.graph.operators.size()), options);
}

}  // namespace

TEST_CASE("the encoders perform the MACs of their models") {
  const sim::Report encoders = report_of("smolvla_encoders_edge");
  REQUIRE(encoders.phases.size() == 2);
  CHECK(encoders.phases[0].name == "vision");
  CHECK(encoders.phases[0].macs == 106'904'420'352);
  CHECK(encoders.phases[1].name == "text");
  CHECK(encoders.totals.macs == encoders.phases[0].macs + encoders.phases[1].macs);
  const sim::Report text = report_of("smollm2_edge");
  CHECK(static_cast<double>(text.totals.macs) == Approx(15.93e9).epsilon(0.001));
}

TEST_CASE("a whole SmolVLA request is four phases of the MACs of its models") {
  const sim::Report report = report_of("smolvla_edge");
  REQUIRE(report.phases.size() == 4);
  const std::vector<std::pair<std::string, double>> expected{
      {"vision", 3 * 106.904e9}, {"connector", 2.265e9}, {"prefix", 39.69e9}, {"denoise", 57.13e9}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(report.phases[i].name == expected[i].first);
    CHECK(static_cast<double>(report.phases[i].macs) == Approx(expected[i].second).epsilon(2e-4));
  }
  CHECK(report.phases[0].repeat == 3);
  CHECK(report.phases[3].repeat == 10);
  CHECK(static_cast<double>(report.totals.macs) == Approx(419.80e9).epsilon(2e-5));
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  CHECK(usage.ru_maxrss < 300 * 1024);  // KiB
}

TEST_CASE("decode moves every weight and every cached key and value once") {
  const sim::Report report =
      report_of("smollm2_edge", {"workload.tokens=1", "workload.kv_length=1024"});
  const auto& dram = report.totals.dram;
  const auto of = [&](hw::TrafficClass cls) { return dram[static_cast<std::size_t>(cls)]; };
  CHECK(static_cast<double>(of(hw::TrafficClass::kWeights).read) == Approx(361.8e6).epsilon(1e-3));
  // 2 x 5 x 64 x 32 elements a token, the newest written and read back.
  CHECK(of(hw::TrafficClass::kKvCache).read == 1024 * 20'480);
  CHECK(of(hw::TrafficClass::kKvCache).write == 20'480);
  CHECK(report.totals.compulsory_bytes > 361'758'720 + 1023 * 20'480);
}

TEST_CASE("a 50 token MLP is compute bound on the edge machine by a hair") {
  const sim::Report report = report_of("smollm2_edge");
  const ReportRow& gate = operator_row(report, "MLP_Gate");
  REQUIRE(gate.roofline.has_value());
  const double intensity = 2.0 * 50 * 960 * 2560 / (50.0 * 960 + 960.0 * 2560 + 50.0 * 2560);
  CHECK(gate.roofline->operational_intensity == Approx(intensity));
  CHECK(gate.roofline->operational_intensity == Approx(93.3).epsilon(0.001));
  CHECK(gate.roofline->ridge == Approx(2 * 1024 / 25.6));
  CHECK(gate.roofline->bound == "compute");
  CHECK(gate.roofline->next_bound == "dram");
  CHECK(gate.roofline->next_bound_distance == Approx(1 - 80 / intensity).epsilon(0.001));
}

TEST_CASE("the same MLP is memory bound where the ridge is higher") {
  const sim::Report report = report_of("smollm2_edge", {"hardware.dram.channels=1"});
  const ReportRow& gate = operator_row(report, "MLP_Gate");
  CHECK(gate.roofline->ridge == Approx(160));
  CHECK(gate.roofline->bound == "dram");
  CHECK(gate.roofline->next_bound == "compute");
}

TEST_CASE("the vision encoder stays within its events and memory") {
  const sim::PreparedRun run = sim::prepare(sim::load_run("siglip_edge"));
  const hw::Counters counters = counters_of(run, 0);
  CHECK(counters.events < 10'000'000);
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  CHECK(usage.ru_maxrss < 200 * 1024);  // KiB
}

TEST_CASE("unrelated events change nothing in a whole encoder") {
  const sim::PreparedRun run = sim::prepare(sim::load_run("bert_edge"));
  hw::Counters quiet = counters_of(run, 0);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    hw::Counters noisy = counters_of(run, seed);
    CHECK(noisy.events != quiet.events);  // the noise was there
    noisy.events = quiet.events;
    CHECK(sim::write_counters(noisy) == sim::write_counters(quiet));
  }
}

TEST_CASE("a size that a report says changes the plan does change it") {
  const sim::PreparedRun run = sim::prepare(sim::load_run("siglip_edge"));
  REQUIRE(run.knees.size() == 3);
  // "1 MiB: MLP_FC1 would move 53 % less"
  const std::string& knee = run.knees[0];
  REQUIRE(knee.find("1 MiB") == 0);
  const sim::PreparedRun larger =
      sim::prepare(sim::load_run("siglip_edge", {"hardware.buffers.activations.capacity=1 MiB"}));
  hw::Bytes before = 0, after = 0;
  for (const auto& op : run.plan.operators) before += op.cost.dram_bytes;
  for (const auto& op : larger.plan.operators) after += op.cost.dram_bytes;
  CHECK(after < before);
}
