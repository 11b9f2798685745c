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

TEST_CASE("random programs of BF16 and FP16 elements compute the reference bit for bit") {
  Dice dice(16);
  for (int i = 0; i < 60; ++i) {
    sim::CheckOptions options;
    options.numbers = i % 2 == 0 ? sim::Numbers::kBf16 : sim::Numbers::kFp16;
    const workloads::Precision precision =
        dice.of<workloads::Precision>({{16, 16, 16}, {8, 16, 16}, {4, 16, 16}});
    const Lowered lowered = random_program(dice, precision, false);
    const sim::CheckResult result = check(lowered, options);
    INFO("case " << i << ": w" << precision.weight_bits << ", " << sim::to_string(options.numbers)
                 << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
  }
}
