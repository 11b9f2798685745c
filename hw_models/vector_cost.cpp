#include "hw_models/vector_cost.h"

#include <algorithm>
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

Cycles command_cycles(const VectorConfig& vector, const VectorCommand& command) {
  if (command.operations.size() != 1) {
    return epilogue_cycles(vector, command.operations, command.rows, command.cols);
  }
  return vector_cycles(vector, command.operations[0], command.rows, command.cols,
                       command.pass_share);
}

double read_passes(const VectorConfig& vector, const VectorCommand& command) {
  if (command.operations.size() != 1) return 1.0;
  return std::max(1.0, vector.operations.at(command.operations[0]).passes * command.pass_share);
}

}  // namespace tessera::hw
