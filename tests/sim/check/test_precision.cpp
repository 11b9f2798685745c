// Weights in groups with scales, and formats of softmax and norms, compute the reference exactly.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/sim/check/check_fixtures.h"

using namespace tessera;
using namespace tessera::test;

namespace {

/// Any machine without a hardware loop, which takes no scales.
Lowered random_grouped(Dice& dice, const workloads::Precision& precision) {
  while (true) {
    const workloads::Graph graph = random_graph(dice, precision);
    hw::HardwareConfig machine = random_machine(dice, false);
    machine.sequencer.loop = {};
    try {
      return lower_all(graph, machine, random_mapping(dice, machine));
    } catch (const sim::MappingError&) {
      // Too small, or the pins do not fit: another one.
    }
  }
}

/// Gemms whose tiles of grouped weights begin behind a scale.
int cut_behind_scales(const Lowered& lowered) {
  int cut = 0;
  for (std::size_t i = 0; i < lowered.graph.operators.size(); ++i) {
    const workloads::Operator& op = lowered.graph.operators[i];
    if (!workloads::is_gemm(op)) continue;
    const auto weights = static_cast<std::size_t>(op.inputs[1].tensor);
    const bool grouped = lowered.graph.tensors[weights].format.group > 0;
    cut += grouped && lowered.plan.operators[i].gemm.tile.n < op.n;
  }
  return cut;
}

}  // namespace

TEST_CASE("random programs with scales among their weights compute the reference exactly") {
  Dice dice(504);
  int cut = 0;
  for (int i = 0; i < 60; ++i) {
    workloads::Precision precision{i % 3 == 0 ? 8 : 4, 8, 8};
    // Groups of 3 elements of 4 bits and 5 bits of scale end inside a byte.
    precision.groups = dice.of<workloads::QuantisationGroups>({{8, 16}, {4, 8}, {3, 5}});
    const Lowered lowered = random_grouped(dice, precision);
    const sim::CheckResult result = check(lowered);
    INFO("case " << i << ": w" << precision.weights.bits << ", groups of " << precision.groups.size
                 << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
    cut += cut_behind_scales(lowered);
  }
  CHECK(cut > 20);
}

TEST_CASE("a tile taken as if there were no scales is found") {
  Dice dice(505);
  workloads::Precision precision{4, 8, 8};
  precision.groups = {4, 8};
  Lowered lowered = random_grouped(dice, precision);
  const auto gemm =
      std::find_if(lowered.program.begin(), lowered.program.end(), [](const hw::Command& command) {
        return command.kind == hw::CommandKind::kGemm && command.gemm.b.group > 0 &&
               command.gemm.b.cols > 4;
      });
  REQUIRE(gemm != lowered.program.end());
  gemm->gemm.b.group = 0;
  CHECK_FALSE(check(lowered).passed());
}

TEST_CASE("a hardware loop refuses scales") {
  Dice dice(506);
  workloads::Precision precision{4, 8, 8};
  precision.groups = {8, 16};
  hw::HardwareConfig machine = random_machine(dice, false);
  add_loop(dice, machine);
  CHECK_THROWS_WITH(lower_all(random_graph(dice, precision), machine),
                    Catch::Contains("precision.groups") || Catch::Contains("no multiple of"));
}

TEST_CASE("softmax and norms of 16 bits compute the reference exactly") {
  Dice dice(503);
  for (int i = 0; i < 30; ++i) {
    workloads::Precision precision{8, 8, 8};
    precision.softmax = workloads::ElementType(16);
    if (i % 2 == 0) precision.norm = workloads::ElementType(16);
    const Lowered lowered = random_program(dice, precision);
    const sim::CheckResult result = check(lowered);
    INFO("case " << i << "\n" << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
  }
}
