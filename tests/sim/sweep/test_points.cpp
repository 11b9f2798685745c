// Axes and the points that they span.
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "sim/config/config.h"
#include "sim/sweep/points.h"
#include "sim/sweep/sweep.h"
#include "sim/sweep/sweep_fields.h"
#include "tests/support/command_line.h"

using namespace tessera;
using sim::SweepSpec;

namespace {

/// A sweep with these axes and further lines, read from a file.
SweepSpec sweep_with(const std::string& axes, const std::string& more = "") {
  const test::TemporaryFolder folder;
  test::write_text(folder / "case.yaml", "run: siglip_edge\naxes:\n" + axes + more);
  return sim::load_sweep((folder / "case.yaml").string());
}

std::vector<std::string> labels(const SweepSpec& spec, std::size_t axis) {
  std::vector<std::string> all;
  for (const auto& value : spec.axes[axis].values) all.push_back(value.label);
  return all;
}

std::string error_of(const std::string& axes, const std::string& more = "") {
  try {
    const sim::Sweep sweep(sweep_with(axes, more));
  } catch (const sim::ConfigError& error) {
    const std::string text = error.what();
    return text.substr(text.find("case.yaml"));
  }
  return "";
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("a range doubles on a log2 scale and ends at its end") {
  const auto spec = sweep_with(
      "  sram: {from: 512 KiB, to: 5 MiB, scale: log2, sets: "
      "hardware.buffers.activations.capacity}\n");
  CHECK(labels(spec, 0) == Labels{"512 KiB", "1 MiB", "2 MiB", "4 MiB"});
  CHECK(spec.axes[0].values[1].number == 1048576.0);
}

TEST_CASE("a range steps by factors of ten, by a step, or through evenly spaced points") {
  const std::string sets = ", sets: hardware.vector.lanes}\n";
  CHECK(labels(sweep_with("  a: {from: 1, to: 1000, scale: log10" + sets), 0) ==
        Labels{"1", "10", "100", "1000"});
  CHECK(labels(sweep_with("  a: {from: 8, to: 20, step: 4" + sets), 0) ==
        Labels{"8", "12", "16", "20"});
  CHECK(labels(sweep_with("  a: {from: 8, to: 20, points: 3" + sets), 0) ==
        Labels{"8", "14", "20"});
  CHECK(labels(sweep_with("  a: {from: 16, to: 256, points: 3, scale: log2" + sets), 0) ==
        Labels{"16", "64", "256"});
  CHECK(labels(sweep_with("  a: {from: 100 ns, to: 0.3 us, step: 100 ns, sets: "
                          "workload.not_before}\n"),
               0) == Labels{"100 ns", "200 ns", "300 ns"});
}

TEST_CASE("the grid runs the last axis fastest and sets linked keys together") {
  const auto spec = sweep_with(
      "  side: {values: [8, 16], sets: [hardware.array.rows, hardware.array.cols]}\n"
      "  lanes: {values: [4, 8, 12], sets: hardware.vector.lanes}\n");
  const auto points = sim::sweep_points(spec);
  REQUIRE(points.size() == 6);
  CHECK(sim::value_label(spec, points[0], 1) == "4");
  CHECK(sim::value_label(spec, points[1], 1) == "8");
  CHECK(sim::value_label(spec, points[3], 0) == "16");
  const auto settings = sim::settings_of(spec, points[3]);
  REQUIRE(settings.size() == 3);
  CHECK(settings[0].path.back().key == "rows");
  CHECK(settings[0].value.text == "16");
  CHECK(settings[1].path.back().key == "cols");
  CHECK(settings[1].value.text == "16");
  CHECK(settings[2].value.text == "4");
}

TEST_CASE("a list of as many values as keys gives each key its own") {
  const auto spec = sweep_with(
      "  shape: {values: [[8, 32], [16, 16]], sets: [hardware.array.rows, hardware.array.cols]}\n");
  const auto settings = sim::settings_of(spec, sim::sweep_points(spec)[0]);
  CHECK(settings[0].value.text == "8");
  CHECK(settings[1].value.text == "32");
  CHECK(labels(spec, 0) == Labels{"[8, 32]", "[16, 16]"});
}

TEST_CASE("an axis may be a share of another one") {
  const auto spec = sweep_with(
      "  sram: {values: [512 KiB, 2 MiB], sets: hardware.buffers.activations.capacity}\n"
      "  weights: {values: [1/8, 0.5], times: sram, sets: hardware.buffers.weights.capacity}\n");
  const auto points = sim::sweep_points(spec);
  CHECK(sim::value_label(spec, points[0], 1) == "64 KiB");
  CHECK(sim::value_label(spec, points[3], 1) == "1 MiB");
  CHECK(sim::value_number(spec, points[3], 1) == 1048576.0);
  CHECK(sim::settings_of(spec, points[3])[1].value.text == "1 MiB");
}

TEST_CASE("an axis whose condition does not hold adds no points and changes nothing") {
  const auto spec = sweep_with(
      "  model: {values: [bandwidth, timing], sets: hardware.dram.model}\n"
      "  latency: {values: [50 ns, 100 ns, 200 ns], when: model == bandwidth, "
      "sets: hardware.dram.latency}\n"
      "  lanes: {values: [16, 32], sets: hardware.vector.lanes}\n");
  const auto points = sim::sweep_points(spec);
  CHECK(points.size() == (3 + 1) * 2);
  std::size_t inactive = 0;
  for (const auto& point : points) {
    if (point[1] != sim::kInactive) continue;
    ++inactive;
    CHECK(sim::value_label(spec, point, 0) == "timing");
    CHECK(sim::value_label(spec, point, 1).empty());
    CHECK(sim::settings_of(spec, point).size() == 2);
  }
  CHECK(inactive == 2);
  CHECK_NOTHROW(sim::Sweep(spec));
}

TEST_CASE("samples are distinct points of the grid, the same for the same seed") {
  const std::string axes =
      "  rows: {from: 1, to: 64, step: 1, sets: hardware.array.rows}\n"
      "  lanes: {from: 1, to: 64, step: 1, sets: hardware.vector.lanes}\n";
  const auto points = [&](const std::string& strategy) {
    return sim::sweep_points(sweep_with(axes, "strategy: " + strategy + "\n"));
  };
  const auto random = points("{kind: random, points: 50, seed: 3}");
  CHECK(random.size() == 50);
  CHECK(std::set<sim::Choices>(random.begin(), random.end()).size() == 50);
  CHECK(random == points("{kind: random, points: 50, seed: 3}"));
  CHECK(random != points("{kind: random, points: 50, seed: 4}"));
  const auto sobol = points("{kind: sobol, points: 64}");
  CHECK(sobol.size() == 64);
  // A Sobol sequence fills every quarter of the square evenly.
  std::size_t quarter = 0;
  for (const auto& point : sobol) quarter += point[0] < 32 && point[1] < 32 ? 1 : 0;
  CHECK(quarter >= 15);
  CHECK(quarter <= 17);
  CHECK(points("{kind: random, points: 5000}").size() == 64 * 64);
}

TEST_CASE("mistakes of a sweep file are refused at their place") {
  const std::string lanes = "  lanes: {values: [1], sets: hardware.vector.lanes}\n";
  struct Mistake {
    std::string axes, more, message;
  };
  const Mistake mistakes[] = {
      {"  a: {values: [1], sets: hardware.vector.lines}\n", "",
       "case.yaml:3:42: error: hardware.vector.lines: unknown key\n"
       "    a: {values: [1], sets: hardware.vector.lines}\n"},
      {"  a: {values: [none], sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:16: error: hardware.vector.lanes: none is not a whole number"},
      {"  a: {valeus: [1], sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:7: error: axes.a.valeus: unknown key"},
      {"  a: {values: [1]}\n", "", "case.yaml:3:6: error: axes.a.sets: the key is missing"},
      {"  a: {values: [], sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:15: error: axes.a.values: the list is empty"},
      {"  a: {values: [1, 1], sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:19: error: axes.a.values: 1 is listed twice"},
      {"  a: {sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:3: error: axes.a: gives neither values nor from and to"},
      {"  a: {from: 8, to: 1 MiB, step: 1, sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:20: error: axes.a.to: 8 and 1 MiB are of different kinds"},
      {"  a: {from: 8, to: 4, step: 1, sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:20: error: axes.a.to: 4 is below from, 8"},
      {"  a: {from: 0, to: 4, scale: log2, sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:13: error: axes.a.from: a logarithmic range starts above 0"},
      {"  a: {from: 1, to: 4, sets: hardware.vector.lanes}\n", "",
       "case.yaml:3:3: error: axes.a: a linear range needs step or points"},
      {"  a: {values: [1/3], times: lanes, sets: hardware.dram.channels}\n" + lanes, "",
       "case.yaml:3:29: error: axes.a.times: there is no axis 'lanes' further up"},
      {lanes + "  a: {values: [1], when: lane > 2, sets: hardware.dram.channels}\n", "",
       "case.yaml:4:26: error: lane > 2: there is no axis further up, and no value of one, called "
       "'lane'"},
      {lanes + "  a: {values: [2], sets: hardware.vector.lanes}\n", "",
       "case.yaml:4:26: error: axes.a.sets: hardware.vector.lanes is set by the axis 'lanes' "
       "already"},
      {"  a: {values: [transaction], sets: fidelity}\n", "",
       "case.yaml:3:36: error: axes.a.sets: fidelity cannot vary in a sweep"},
      {lanes, "require: latency 30 ms\n", "case.yaml:4:18: error: latency 30 ms: a comparison is "},
      {lanes, "require: [latency <= soon]\n",
       "case.yaml:4:22: error: latency <= soon: there is no 'soon'"},
      {lanes, "minimize: latancy\n", "case.yaml:4:11: error: latancy: there is no 'latancy'"},
      {lanes, "minimize: totals.roofline.bound\n",
       "case.yaml:4:11: error: totals.roofline.bound: '"},
      {lanes, "strategy: random\n",
       "case.yaml:4:11: error: strategy.points: a sample needs points"},
      {lanes, "strategy: {kind: grid, points: 3}\n",
       "case.yaml:4:32: error: strategy.points: does not go with grid"},
      {lanes, "fidelity: pe\n", "case.yaml:4:11: error: fidelity: pe is not allowed"},
  };
  for (const Mistake& each : mistakes) {
    INFO(each.axes << each.more);
    const std::string message = error_of(each.axes, each.more);
    CHECK(message.substr(0, each.message.size()) == each.message);
  }
}

TEST_CASE("a combination that the machine refuses is no mistake of the sweep") {
  // gemmini_16x16 runs w8a8 only; edge_32x32 both.
  const auto spec = sweep_with(
      "  machine: {values: [gemmini_16x16, edge_32x32], sets: hardware}\n"
      "  precision: {values: [w8a8, w4a8], sets: precision}\n");
  CHECK_NOTHROW(sim::Sweep(spec));
}

TEST_CASE("equal configurations have equal keys, whatever the axis that made them") {
  const sim::Sweep sweep(sweep_with("  fusion: {values: [all, none], sets: fusion}\n"));
  (void)sweep;
  const sim::Sweep plain(
      sweep_with("  fusion: {values: [epilogue, {epilogue: true, attention: false}, none], sets: "
                 "fusion}\n"));
  CHECK(plain.key_of(0) == plain.key_of(1));
  CHECK(plain.key_of(0) != plain.key_of(2));
  CHECK(plain.key_of(0).size() == 16);
}
