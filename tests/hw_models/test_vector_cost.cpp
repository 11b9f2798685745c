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

TEST_CASE("a reduction starts every row on lane 0 and pays its serial cycles and its tree") {
  const VectorConfig vector = unit(8);
  // Softmax: 3 passes, 16 serial cycles a row, two trees of three levels; 9 columns are two steps.
  CHECK(vector_cycles(vector, "softmax", 5, 9) == 3 * 5 * 2 + 5 * 16 + 2 * 3);
  CHECK(vector_cycles(vector, "rmsnorm", 5, 8) == 2 * 5 + 5 * 16 + 3);
}

TEST_CASE("a reduction tree has a level for every doubling of the lanes") {
  VectorOperation sum;
  sum.reductions = 1;
  const auto tree = [&](int lanes) {
    VectorConfig vector = unit(lanes);
    vector.operations["sum"] = sum;
    return vector_cycles(vector, "sum", 1, 1) - 1;
  };
  CHECK(tree(1) == 0);  // nothing to add across
  CHECK(tree(2) == 1);
  CHECK(tree(4) == 2);
  CHECK(tree(5) == 3);
  CHECK(tree(8) == 3);
  CHECK(tree(9) == 4);
  CHECK(tree(128) == 7);
}

TEST_CASE("rows follow each other through the tree so that its depth shows once a pass") {
  VectorConfig vector = unit(16);
  vector.operations["softmax"].per_row = 0;
  for (const int rows : {1, 2, 100}) {
    CHECK(vector_cycles(vector, "softmax", rows, 16) == 3 * rows + 2 * 4);
  }
}

TEST_CASE("every default operation has a source") {
  CHECK(vector_operation_sources().size() == default_vector_operations().size());
  for (const auto& entry : default_vector_operations()) {
    INFO(entry.first);
    CHECK(!vector_operation_sources().at(entry.first).empty());
  }
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
    op.reductions = pick(0, 2);
    op.latency = pick(0, 30);
    vector.operations["any"] = op;
    const std::int64_t rows = pick(1, 30), cols = pick(1, 90);
    // Count lane groups by handing out elements one by one.
    std::int64_t steps = 0, lane = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      if (op.per_row > 0 || op.reductions > 0) lane = 0;
      for (std::int64_t col = 0; col < cols; ++col) {
        if (lane % vector.lanes == 0) ++steps;
        ++lane;
      }
    }
    const auto streaming =
        static_cast<Cycles>(std::ceil(op.passes * op.per_element * static_cast<double>(steps)));
    const auto levels = static_cast<Cycles>(std::ceil(std::log2(vector.lanes)));
    REQUIRE(vector_cycles(vector, "any", rows, cols) ==
            streaming + rows * op.per_row + op.reductions * levels + op.latency);
  }
}

TEST_CASE("a command that does one of three passes costs a third of the streaming") {
  const VectorConfig vector = unit(8);
  // A pass has one tree at most.
  CHECK(vector_cycles(vector, "softmax", 4, 64, 1.0 / 3.0) == 4 * 8 + 4 * 16 + 3);
}

TEST_CASE("more lanes make a vector command slower by no more than a deeper tree") {
  for (const auto& entry : default_vector_operations()) {
    for (int cols = 1; cols < 80; cols += 7) {
      Cycles before = vector_cycles(unit(1), entry.first, 6, cols);
      for (int lanes = 2; lanes <= 64; ++lanes) {
        const Cycles now = vector_cycles(unit(lanes), entry.first, 6, cols);
        const bool deeper = (lanes - 1 & lanes - 2) == 0;  // behind a power of two
        REQUIRE(now <= before + (deeper ? entry.second.reductions : 0));
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
