// The tree of an expression.
#pragma once

#include <memory>

#include "sim/expressions/expression.h"

namespace tessera::sim::expressions {

enum class NodeKind { kLiteral, kPath, kNegate, kAdd, kSubtract, kMultiply, kDivide };

struct Node {
  NodeKind kind = NodeKind::kLiteral;
  std::size_t column = 0;  // of the literal, the path or the operator
  Datum literal;
  Path path;
  std::shared_ptr<const Node> left, right;  // kNegate: left alone
};

}  // namespace tessera::sim::expressions
