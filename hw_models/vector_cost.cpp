#include "hw_models/vector_cost.h"

#include <algorithm>
#include <cmath>

namespace tessera::hw {

namespace {

/// Levels of a tree that reduces one value a lane to one.
Cycles tree_depth(int lanes) {
  Cycles depth = 0;
  while ((std::int64_t{1} << depth) < lanes) ++depth;
  return depth;
}

/// A row starts on lane 0 where its values meet.
bool is_by_rows(const VectorOperation& op) { return op.per_row > 0 || op.reductions > 0; }

}  // namespace

Cycles vector_cycles(const VectorConfig& vector, const std::string& operation, std::int64_t rows,
                     std::int64_t cols, double pass_share) {
  const VectorOperation& op = vector.operations.at(operation);
  const std::int64_t steps =
      is_by_rows(op) ? rows * ceil_div(cols, vector.lanes) : ceil_div(rows * cols, vector.lanes);
  const double element_cycles =
      op.passes * pass_share * op.per_element * static_cast<double>(steps);
  const auto trees = static_cast<Cycles>(std::ceil(op.reductions * pass_share));
  return static_cast<Cycles>(std::ceil(element_cycles)) + rows * op.per_row +
         trees * tree_depth(vector.lanes) + op.latency;
}

Cycles epilogue_cycles(const VectorConfig& vector, const std::vector<std::string>& operations,
                       std::int64_t rows, std::int64_t cols) {
  Cycles total = 0;
  for (const std::string& operation : operations) {
    total += vector_cycles(vector, operation, rows, cols);
  }
  return total;
}

Cycles epilogue_cycles(const VectorConfig& vector, const Epilogue& epilogue) {
  return epilogue_cycles(vector, epilogue.operations, epilogue.output.rows, epilogue.output.cols);
}

Cycles command_cycles(const VectorConfig& vector, const VectorCommand& command) {
  if (command.operations.size() != 1) {
    return epilogue_cycles(vector, command.operations, command.rows, command.cols);
  }
  return vector_cycles(vector, command.operations[0], command.rows, command.cols,
                       command.pass_share);
}

double online_pass_share(const VectorOperation& softmax) {
  return softmax.passes > 1 ? (softmax.passes - 1) / softmax.passes : 1.0;
}

double read_passes(const VectorConfig& vector, const VectorCommand& command) {
  if (command.operations.size() != 1) return 1.0;
  return std::max(1.0, vector.operations.at(command.operations[0]).passes * command.pass_share);
}

}  // namespace tessera::hw
