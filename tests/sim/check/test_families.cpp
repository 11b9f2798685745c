// Every family, scaled down, computes on random machines what the plain reference computes.
#include <catch2/catch.hpp>

#include "tests/sim/check/check_fixtures.h"

using namespace tessera;
using namespace tessera::test;

namespace {

using workloads::PhaseRequest;
namespace zoo = workloads::zoo;

/// On random machines until one can be mapped.
Lowered lowered(Dice& dice, PhaseRequest request, const workloads::Precision& precision) {
  request.batch = dice.pick(1, 2);
  workloads::Graph graph = workloads::apply_precision(workloads::build_graph({request}), precision);
  const auto coin = [&] {
    return dice.coin() ? workloads::FusionSwitch::kOn : workloads::FusionSwitch::kOff;
  };
  workloads::Fusion fusion;
  fusion.epilogue = dice.coin();
  fusion.qkv = coin();
  fusion.gate_up = coin();
  fusion.residual = coin();
  graph = workloads::fuse(std::move(graph), fusion);
  while (true) {
    const hw::HardwareConfig machine = random_machine(dice, false);
    try {
      return lower_all(graph, machine, random_mapping(dice, machine));
    } catch (const sim::MappingError&) {
      // Too small, or the pins do not fit.
    }
  }
}

}  // namespace

TEST_CASE("scaled-down models of every family compute the reference exactly") {
  Dice dice(71);
  for (const auto& [family, request] : families()) {
    for (const workloads::Precision& precision :
         {workloads::Precision{8, 8, 8}, workloads::Precision{4, 8, 8},
          workloads::Precision{16, 16, 16}}) {
      for (int i = 0; i < 4; ++i) {
        const Lowered program = lowered(dice, request, precision);
        const sim::CheckResult result = check(program);
        INFO(family << " w" << precision.weights.bits << " machine " << i << "\n"
                    << faults_text(result));
        CHECK(result.passed());
        CHECK(result.values_checked);
      }
    }
  }
}

TEST_CASE("long causal prompts without the upper half compute the reference exactly") {
  Dice dice(72);
  PhaseRequest request = zoo::request(zoo::tiny_decoder(), 1, 140);
  request.model.max_position_embeddings = 200;
  request.model.num_hidden_layers = 1;
  request.causal_half = workloads::Effort::kSkipped;
  const sim::CheckResult result = check(lowered(dice, request, {8, 8, 8}));
  INFO(faults_text(result));
  CHECK(result.passed());
  CHECK(result.values_checked);
}
