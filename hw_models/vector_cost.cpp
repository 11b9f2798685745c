#include "hw_models/vector_cost.h"

#include <cmath>

namespace tessera::hw {

Cycles vector_cycles(const VectorConfig& vector, const std::string& operation, std::int64_t rows,
                     std::int64_t cols, double pass_share) {
  const VectorOperation& op = vector.operations.at(operation);
  const std::int64_t steps =
      op.per_row > 0 ? rows * ceil_div(cols, vector.lanes) : ceil_div(rows * cols, vector.lanes);
  const double element_cycles =
      op.passes * pass_share * op.per_element * static_cast<double>(steps);
  return static_cast<Cycles>(std::ceil(element_cycles)) + rows * op.per_row + op.latency;
}

Cycles epilogue_cycles(const VectorConfig& vector, const std::vector<std::string>& operations,
                       std::int64_t rows, std::int64_t cols) {
  Cycles total = 0;
  for (const std::string& operation : operations) {
    total += vector_cycles(vector, operation, rows, cols);
  }
  return total;
}

}  // namespace tessera::hw
