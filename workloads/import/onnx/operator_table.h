// How ONNX operators that work element by element or row by row are costed.
#pragma once

#include <string>

#include "workloads/graph.h"
#include "workloads/import/onnx/model.h"

namespace tessera::workloads::onnx {

struct VectorRule {
  OperatorKind kind = OperatorKind::kAdd;
  std::string operation;  // key of the vector unit's table
  std::string name;       // printed
};

/// One pass over every element of the result; nullptr for other operators. Operators that the
/// vector unit's table does not know cost what their nearest relative costs: a two-operand one an
/// addition, a function one table look-up (tanh), a comparison with a constant a ReLU.
const VectorRule* elementwise_rule(const Node& node);
/// Softmax and norms.
const VectorRule* row_rule(const Node& node);

}  // namespace tessera::workloads::onnx
