// What vector commands and epilogues cost.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <stdexcept>

#include "hw_models/vector_cost.h"

using namespace tessera::hw;

namespace {

VectorConfig unit(int lanes) {
  VectorConfig vector;
  vector.lanes = lanes;
  vector.operations = default_vector_operations();
  return vector;
}

}  // namespace

TEST_CASE("an elementwise operation fills the lanes across rows") {
  const VectorConfig vector = unit(8);
  CHECK(vector_cycles(vector, "gelu", 5, 3) == 2);  // 15 elements on 8 lanes
  CHECK(vector_cycles(vector, "gelu", 16, 8) == 16);
  CHECK(vector_cycles(vector, "rope", 5, 3) == 3 * 2);  // three passes
}

TEST_CASE("a reduction starts every row on lane 0 and pays its serial cycles") {
  const VectorConfig vector = unit(8);
  // Softmax: 3 passes, 16 serial cycles a row; 9 columns are two steps.
  CHECK(vector_cycles(vector, "softmax", 5, 9) == 3 * 5 * 2 + 5 * 16);
  CHECK(vector_cycles(vector, "rmsnorm", 5, 8) == 2 * 5 + 5 * 16);
}

TEST_CASE("the cost of a vector command follows its table entry") {
  std::mt19937 random(1);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 2000; ++i) {
    VectorConfig vector = unit(pick(1, 40));
    VectorOperation op;
    op.passes = pick(1, 4);
    op.per_element = 0.25 * pick(1, 12);
    op.per_row = pick(0, 1) * pick(1, 20);
    op.latency = pick(0, 30);
    vector.operations["any"] = op;
    const std::int64_t rows = pick(1, 30), cols = pick(1, 90);
    // Count lane groups by handing out elements one by one.
    std::int64_t steps = 0, lane = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      if (op.per_row > 0) lane = 0;
      for (std::int64_t col = 0; col < cols; ++col) {
        if (lane % vector.lanes == 0) ++steps;
        ++lane;
      }
    }
    const auto streaming =
        static_cast<Cycles>(std::ceil(op.passes * op.per_element * static_cast<double>(steps)));
    REQUIRE(vector_cycles(vector, "any", rows, cols) == streaming + rows * op.per_row + op.latency);
  }
}

TEST_CASE("a command that does one of three passes costs a third of the streaming") {
  const VectorConfig vector = unit(8);
  CHECK(vector_cycles(vector, "softmax", 4, 64, 1.0 / 3.0) == 4 * 8 + 4 * 16);
}

TEST_CASE("more lanes never make a vector command slower") {
  for (const auto& entry : default_vector_operations()) {
    for (int cols = 1; cols < 80; cols += 7) {
      Cycles before = vector_cycles(unit(1), entry.first, 6, cols);
      for (int lanes = 2; lanes <= 64; ++lanes) {
        const Cycles now = vector_cycles(unit(lanes), entry.first, 6, cols);
        REQUIRE(now <= before);
        before = now;
      }
    }
  }
}

TEST_CASE("the operations of an epilogue follow each other on every element") {
  const VectorConfig vector = unit(8);
  CHECK(epilogue_cycles(vector, {}, 4, 8) == 0);
  CHECK(epilogue_cycles(vector, {"gelu", "requantise"}, 4, 8) ==
        vector_cycles(vector, "gelu", 4, 8) + vector_cycles(vector, "requantise", 4, 8));
}

TEST_CASE("an operation that the vector unit does not know is refused") {
  CHECK_THROWS_AS(vector_cycles(unit(8), "fft", 1, 1), std::out_of_range);
}
