#include <cmath>

#include "sim/config/value.h"
#include "sim/expressions/node.h"

namespace tessera::sim::expressions {
namespace {

[[noreturn]] void mismatch(std::size_t column, const Datum& left, const Datum& right) {
  std::string hint;
  if (left.bare || right.bare) hint = "a number needs a unit here: 30 ms, 25.6 GB/s";
  throw ExpressionError(column,
                        kind_text(left) + " and " + kind_text(right) + " do not go together", hint);
}

void require_number(std::size_t column, const Datum& datum) {
  if (!datum.is_word) return;
  throw ExpressionError(column, "'" + datum.word + "' is a word: only == and != compare it");
}

bool is_zero(const Datum& datum) { return datum.bare && datum.number == 0; }

/// What both sides of a sum or a comparison count. Bare numbers may stand for counts, 0 for all.
Dimension common_dimension(std::size_t column, const Datum& left, const Datum& right) {
  require_number(column, left);
  require_number(column, right);
  if (left.dimension == right.dimension) return left.dimension;
  if (left.bare && (right.dimension.is_count() || is_zero(left))) return right.dimension;
  if (right.bare && (left.dimension.is_count() || is_zero(right))) return left.dimension;
  mismatch(column, left, right);
}

Dimension sum_of(const Dimension& a, const Dimension& b, int sign) {
  return {a.seconds + sign * b.seconds, a.bytes + sign * b.bytes, a.cycles + sign * b.cycles,
          a.joules + sign * b.joules};
}

Datum product_of(const Node& node, const Datum& left, const Datum& right) {
  require_number(node.column, left);
  require_number(node.column, right);
  const bool divides = node.kind == NodeKind::kDivide;
  if (divides && right.number == 0) throw DivisionByZero(node.column);
  Datum result = number_of(divides ? left.number / right.number : left.number * right.number,
                           sum_of(left.dimension, right.dimension, divides ? -1 : 1));
  result.bare = left.bare && right.bare;
  return result;
}

Datum sum_of(const Node& node, const Datum& left, const Datum& right) {
  const Dimension dimension = common_dimension(node.column, left, right);
  const bool subtracts = node.kind == NodeKind::kSubtract;
  Datum result =
      number_of(subtracts ? left.number - right.number : left.number + right.number, dimension);
  result.bare = left.bare && right.bare;
  return result;
}

Datum figure(const Node& node, const Environment& environment) {
  std::optional<Datum> found = environment.lookup(node.path);
  if (!found) {
    throw UnknownFigure(node.column,
                        to_text(node.path) + " is not known here (null in the report)");
  }
  return *std::move(found);
}

Datum value_of(const Node& node, const Environment& environment) {
  switch (node.kind) {
    case NodeKind::kLiteral:
      return node.literal;
    case NodeKind::kPath:
      return figure(node, environment);
    case NodeKind::kNegate: {
      Datum value = value_of(*node.left, environment);
      require_number(node.column, value);
      value.number = -value.number;
      return value;
    }
    case NodeKind::kAdd:
    case NodeKind::kSubtract:
      return sum_of(node, value_of(*node.left, environment), value_of(*node.right, environment));
    case NodeKind::kMultiply:
    case NodeKind::kDivide:
      return product_of(node, value_of(*node.left, environment),
                        value_of(*node.right, environment));
  }
  throw std::logic_error("an expression of an unknown kind");
}

std::size_t column_of(const Expression& expression) { return expression.root().column; }

constexpr double kRounding = 1e-12;  // of the sides: 31 ms is 30 ms within 1 ms

/// The amount that `within` allows: a share of the right side when written with %.
double tolerance(const Comparison& comparison, const Datum& right, const Environment& environment) {
  if (!comparison.within) return 0;
  const std::size_t column = column_of(*comparison.within);
  const Datum within = evaluate(*comparison.within, environment);
  require_number(column, within);
  if (within.number < 0) throw ExpressionError(column, "a tolerance is not negative");
  const double size = std::abs(right.number);
  if (within.percent) return within.number * size + kRounding * size;
  common_dimension(column, right, within);
  return within.number + kRounding * size;
}

Check check_words(const Comparison& comparison, Check check) {
  const bool equal = check.left.word == check.right.word;
  const bool wanted = comparison.relation == Relation::kEqual;
  if (!wanted && comparison.relation != Relation::kDifferent) {
    require_number(column_of(comparison.right), check.left);
  }
  if (comparison.within) {
    throw ExpressionError(column_of(*comparison.within), "words have no tolerance");
  }
  check.holds = equal == wanted;
  check.margin = check.holds ? 0 : -1;
  return check;
}

bool holds(Relation relation, double left, double right, double within) {
  switch (relation) {
    case Relation::kLess:
      return left < right;
    case Relation::kAtMost:
      return left <= right;
    case Relation::kMore:
      return left > right;
    case Relation::kAtLeast:
      return left >= right;
    case Relation::kEqual:
      return std::abs(left - right) <= within;
    case Relation::kDifferent:
      return left != right;
  }
  return false;
}

double margin_of(Relation relation, double left, double right, double within) {
  switch (relation) {
    case Relation::kLess:
    case Relation::kAtMost:
      return right - left;
    case Relation::kMore:
    case Relation::kAtLeast:
      return left - right;
    case Relation::kEqual:
      return within - std::abs(left - right);
    case Relation::kDifferent:
      return std::abs(left - right);
  }
  return 0;
}

}  // namespace

std::string to_text(const Path& path) {
  std::string text;
  for (const PathStep& step : path) text = config::join_path(text, step.name);
  return text;
}

Datum evaluate(const Expression& expression, const Environment& environment) {
  return value_of(expression.root(), environment);
}

double evaluate_number(const Expression& expression, const Environment& environment) {
  const Datum value = evaluate(expression, environment);
  require_number(column_of(expression), value);
  return value.number;
}

Check check(const Comparison& comparison, const Environment& environment) {
  Check result;
  result.left = evaluate(comparison.left, environment);
  result.right = evaluate(comparison.right, environment);
  if (result.left.is_word && result.right.is_word) return check_words(comparison, result);
  const std::size_t column = column_of(comparison.right);
  const Dimension common = common_dimension(column, result.left, result.right);
  result.left.dimension = result.right.dimension = common;
  const double within = tolerance(comparison, result.right, environment);
  result.holds = holds(comparison.relation, result.left.number, result.right.number, within);
  result.margin = margin_of(comparison.relation, result.left.number, result.right.number, within);
  return result;
}

}  // namespace tessera::sim::expressions
