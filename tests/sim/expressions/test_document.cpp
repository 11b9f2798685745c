// Paths over a report and a configuration.
#include <catch2/catch.hpp>

#include "sample_report.h"
#include "sim/expressions/document.h"

using namespace tessera::sim::expressions;
using Catch::Contains;
using tessera::test::sample_report;

namespace {

const nlohmann::ordered_json& report() {
  static const nlohmann::ordered_json sample = sample_report();
  return sample;
}

std::string shown(const std::string& text) {
  return to_text(evaluate(parse_expression(text), ReportEnvironment(report())));
}

std::string error_of(const std::string& text, const Environment& environment) {
  try {
    evaluate(parse_expression(text), environment);
  } catch (const ExpressionError& error) {
    return std::to_string(error.column()) + " " + error.what() + "; " + error.hint();
  }
  return "no error";
}

std::string error_of(const std::string& text) {
  return error_of(text, ReportEnvironment(report()));
}

}  // namespace

TEST_CASE("the run's figures have short names") {
  CHECK(shown("latency") == "30 ms");
  CHECK(shown("latency_cycles") == "30,000,000 cycles");
  CHECK(shown("throughput") == "100");
  CHECK(shown("dram_bytes") == "1,200 B");
}

TEST_CASE("a path walks the report") {
  CHECK(shown("totals.cycles") == "30,000,000 cycles");
  CHECK(shown("totals.utilization") == "0.5");
  CHECK(shown("totals.latency") == "30 ms");
  CHECK(shown("totals.traffic.dram.weights.read_bytes") == "1,000 B");
  CHECK(shown("totals.roofline.bound") == "'dram'");
  CHECK(shown("dram.peak_bytes_per_second") == "25,600,000,000 B/s");
  CHECK(shown("latency * array.core_hz") == "30,000,000 cycles");
  CHECK(shown("hardware") == "'tiny'");
}

TEST_CASE("phases go by name") {
  CHECK(shown("phases.vision.latency") == "10 ms");
  CHECK(shown("phases.vision.cycles") == "10,000,000 cycles");
  CHECK(shown("phases.vision.throughput") == "300");
  CHECK(shown("phases.vision.dram_bytes") == "700 B");
  CHECK(error_of("phases.vison.latency") == "7 there is no 'phases.vison'; did you mean 'vision'?");
  CHECK_THAT(error_of("phases.vision.latncy"), Contains("did you mean 'latency'?"));
  CHECK_THAT(error_of("phases"), Contains("is a list, not a figure; write phases.NAME.cycles"));
  CHECK_THAT(error_of("phases.vision"), Contains("is a row, not a figure"));
}

TEST_CASE("operators go by pattern, counts add up") {
  CHECK(shown("operators.MLP_FC1.cycles") == "500 cycles");
  CHECK(shown("operators.MLP_*.cycles") == "900 cycles");
  CHECK(shown("operators.*.cycles") == "1,000 cycles");
  CHECK(shown("operators.vision.L1.*.cycles") == "700 cycles");
  CHECK(shown("operators.vision.Embed.cycles") == "100 cycles");
  CHECK(shown("operators.vision.*.macs") == "4,000");
  CHECK(shown("operators.MLP_*.attribution.tail") == "30 cycles");
  CHECK(shown("operators.MLP_*.traffic.dram.weights.read_bytes") == "300 B");
  CHECK(shown("operators.MLP_*.dram_bytes") == "360 B");
  CHECK(shown("operators.MLP_*.mapping.dataflow") == "'weight_stationary'");
  CHECK(shown("operators.*.m") == "64");
  CHECK(shown("operators.vision.L1.*.utilization") == "0.75");
  CHECK(error_of("operators.MLP_FC1.utilization") ==
        "18 'utilization' differs among the 2 operators that match 'MLP_FC1'; name one: "
        "phase.Llayer.name");
  CHECK(error_of("operators.MLP_FC3.cycles") ==
        "10 no operator matches 'MLP_FC3'; did you mean 'MLP_FC1'?");
  CHECK_THAT(error_of("operators.MLP_FC1.cycels"), Contains("did you mean 'cycles'?"));
  CHECK_THAT(error_of("operators.MLP_FC1"), Contains("write operators.PATTERN.cycles"));
  CHECK_THAT(error_of("operators.MLP_FC1.mapping.dram_byte"),
             Contains("did you mean 'dram_bytes'?"));
}

TEST_CASE("what the report has not is the configuration's") {
  CHECK(shown("hardware.dram.channels") == "2");
  CHECK(shown("hardware.dram.bandwidth") == "25,600,000,000 B/s");
  CHECK(shown("hardware.clocks.core") == "1,000,000,000 Hz");
  CHECK(shown("hardware.buffers.weights.capacity") == "65,536 B");
  CHECK(shown("hardware.buffers.activations.latency") == "1 cycle");
  CHECK(shown("hardware.sram_bytes") == "1,114,112 B");
  CHECK(shown("hardware.pe_count") == "128");
  CHECK(shown("workload.tokens") == "50");
  CHECK(shown("fusion.attention") == "'true'");
  CHECK(error_of("hardware.dram.chanels") ==
        "14 there is no 'hardware.dram.chanels'; did you mean 'channels'?");
  CHECK_THAT(error_of("hardware.sram_byte"), Contains("did you mean 'sram_bytes'?"));
  CHECK_THAT(error_of("hardware.dram"), Contains("is a group, not a figure"));
  CHECK_THAT(error_of("hardware.dram.channels.x"), Contains("nothing below"));
  CHECK_THAT(error_of("latencies"), Contains("0 there is no 'latencies'; did you mean 'latency'?"));
}

TEST_CASE("null is known to be unknown") {
  CHECK_THROWS_AS(shown("totals.energy_j"), UnknownFigure);
  CHECK_THROWS_AS(shown("dram.row_hit_rate"), UnknownFigure);
}

TEST_CASE("a configuration alone answers for its own keys") {
  const ConfigEnvironment config(report()["config"]);
  CHECK(evaluate_number(parse_expression("hardware.sram_bytes"), config) == 1'114'112);
  CHECK(config.knows(parse_expression("hardware.pe_count * workload.tokens")));
  CHECK_FALSE(config.knows(parse_expression("hardware.pe_count * latency_cycles")));
  CHECK_THAT(error_of("latency", config), Contains("there is no 'latency'"));
}
