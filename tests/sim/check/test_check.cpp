// Programs of the lowering compute what the plain reference computes.
#include <catch2/catch.hpp>

#include "tests/sim/check/check_fixtures.h"

using namespace tessera;
using namespace tessera::test;

TEST_CASE("random programs of every integer precision compute the reference exactly") {
  Dice dice(20240601);
  for (int i = 0; i < 120; ++i) {
    const auto& precision = precisions()[static_cast<std::size_t>(i) % precisions().size()];
    const Lowered lowered = random_program(dice, precision);
    const sim::CheckResult result = check(lowered);
    INFO("case " << i << ": w" << precision.weight_bits << "a" << precision.activation_bits << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
    CHECK(result.values > 0);
  }
}
