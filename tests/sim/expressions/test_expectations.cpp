// Expectations as files write them.
#include <catch2/catch.hpp>

#include "sample_report.h"
#include "sim/config/config.h"
#include "sim/config/yaml_reader.h"
#include "sim/expressions/document.h"
#include "sim/expressions/expectations.h"

using namespace tessera;
using namespace tessera::sim::expressions;
using tessera::test::sample_report;

namespace {

std::vector<Expectation> read(const std::string& text) {
  auto source = std::make_shared<sim::config::Source>();
  source->name = "case.yaml";
  source->text = text;
  source->index_lines();
  const sim::config::Value document = sim::config::parse_document(source);
  return read_expectations(*document.find("expect"), "expect");
}

std::vector<std::string> judged(const std::string& text) {
  const nlohmann::ordered_json report = sample_report();
  std::vector<std::string> lines;
  for (const ExpectationResult& each : judge(read(text), ReportEnvironment(report))) {
    lines.push_back((each.holds ? "holds " : "FAILED ") + each.place + " " + to_text(each));
  }
  return lines;
}

std::string error_of(const std::string& text) {
  try {
    judged(text);
  } catch (const sim::ConfigError& error) {
    return error.what();
  }
  return "no error";
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a list of comparisons is judged one by one") {
  CHECK(judged("expect:\n  - latency <= 40 ms\n  - 'dram_bytes < 1 KiB'\n") ==
        Lines{"holds case.yaml:2:5 latency <= 40 ms: 30 ms, 10 ms to spare",
              "FAILED case.yaml:3:6 dram_bytes < 1 KiB: 1,200 B, 176 B off"});
  CHECK(judged("expect: [totals.roofline.bound == 'compute']") ==
        Lines{"FAILED case.yaml:1:10 totals.roofline.bound == 'compute': 'dram'"});
  CHECK(judged("expect: []").empty());
}

TEST_CASE("a mapping gives each figure a condition") {
  CHECK(judged("expect: {latency: <= 30 ms, \"operators.MLP_*.cycles\": \"> 1000\"}") ==
        Lines{"holds case.yaml:1:10 latency <= 30 ms: 30 ms, 0 s to spare",
              "FAILED case.yaml:1:30 operators.MLP_*.cycles > 1000: 900 cycles, 100 cycles off"});
  CHECK(judged("expect: {totals.cycles: 30000001 within 1 %}") ==
        Lines{"holds case.yaml:1:10 totals.cycles == 30000001 within 1 %: 30,000,000 cycles, "
              "299999.01 cycles to spare"});
}

TEST_CASE("a figure that is not known fails") {
  CHECK(judged("expect: [totals.energy_j <= 3 mJ]") ==
        Lines{"FAILED case.yaml:1:10 totals.energy_j <= 3 mJ: totals.energy_j is not known here "
              "(null in the report)"});
}

TEST_CASE("expectations read back as they were written") {
  for (const char* text : {"expect: {latency: <= 30 ms, totals.cycles: 12 within 1 %}",
                           "expect: [1.05 * latency < 3 s, hardware != 'big']"}) {
    const auto written = write_expectations(read(text));
    CHECK(write_expectations(read("expect: " + written.dump())) == written);
  }
  CHECK(write_expectations({}).is_null());
}

TEST_CASE("what is wrong is shown in its line") {
  CHECK(error_of("expect: [latncy <= 3 ms]") ==
        "case.yaml:1:10: error: expect: there is no 'latncy'\n  expect: [latncy <= 3 ms]\n"
        "           ^\ndid you mean 'latency'?");
  CHECK(error_of("expect: {latency: '<= 3 MiB'}") ==
        "case.yaml:1:23: error: expect: a time (s) and bytes do not go together\n"
        "  expect: {latency: '<= 3 MiB'}\n                        ^");
  CHECK(error_of("expect: {\"latency +\": 3}") ==
        "case.yaml:1:20: error: expect.\"latency +\": a value is missing at the end\n"
        "  expect: {\"latency +\": 3}\n                     ^");
  CHECK(error_of("expect: 3") ==
        "case.yaml:1:9: error: expect: 3 is not allowed (a list of comparisons, or a mapping: "
        "{latency: <= 30 ms})\n  expect: 3\n          ^");
  CHECK(error_of("expect: [[1]]") ==
        "case.yaml:1:10: error: expect: a list is not allowed (a comparison: latency <= 30 ms)\n"
        "  expect: [[1]]\n           ^");
  CHECK(error_of("expect:\n  latency: >= 3 ms\n") ==
        "case.yaml:2:13: error: not YAML: unexpected character in block scalar\n"
        "    latency: >= 3 ms\n              ^\n"
        "a text that begins with > or | stands in quotes: \">= 3 ms\"");
}

TEST_CASE("meaning is checked without values") {
  nlohmann::ordered_json report = sample_report();
  report["totals"]["attribution"] = {{"compute", nullptr}};
  const ReportEnvironment environment(report);
  CHECK_NOTHROW(check_meaning(read("expect: [totals.attribution.compute > 3, 1 / (2 - 2) > 3]"),
                              environment));
  CHECK_THROWS_AS(check_meaning(read("expect: [totals.attribution.compte > 3]"), environment),
                  sim::ConfigError);
  CHECK_THROWS_AS(check_meaning(read("expect: [totals.attribution.compute > latncy]"), environment),
                  sim::ConfigError);
  CHECK_THROWS_AS(check_meaning(read("expect: [latency > 3 MiB]"), environment), sim::ConfigError);
}
