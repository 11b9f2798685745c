// Expressions over what a run reports and what it was configured with.
//
//   comparison := sum ("<=" | "<" | ">=" | ">" | "==" | "!=") sum ["within" sum]
//   sum        := product (("+" | "-") product)*
//   product    := factor (("*" | "/") factor)*
//   factor     := "-" factor | "(" sum ")" | number [unit] | path | 'word' | true | false
//
// A path is keys with dots between them; a key with other characters than letters, digits and _
// stands in double quotes. `*` inside a path belongs to an operator pattern
// (operators.MLP_*.cycles): multiplication by a path has spaces around it. `within` allows a
// difference from the right side of `==`: a share of it when written with % (`within 1 %`), else an
// amount (`within 100 cycles`).
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sim/expressions/datum.h"

namespace tessera::sim::expressions {

/// Wrong text, or a path or operation without meaning. what() is one line without the place.
class ExpressionError : public std::invalid_argument {
 public:
  ExpressionError(std::size_t column, const std::string& message, std::string hint = {})
      : std::invalid_argument(message), column_(column), hint_(std::move(hint)) {}

  std::size_t column() const { return column_; }  // 0-based, in bytes of the text
  const std::string& hint() const { return hint_; }

 private:
  std::size_t column_;
  std::string hint_;
};

/// A path means a figure that nothing is known of: null in a report.
class UnknownFigure : public ExpressionError {
 public:
  using ExpressionError::ExpressionError;
};

class DivisionByZero : public ExpressionError {
 public:
  explicit DivisionByZero(std::size_t column) : ExpressionError(column, "division by zero") {}
};

struct PathStep {
  std::string name;
  std::size_t column = 0;  // in the expression's text
};
using Path = std::vector<PathStep>;
/// "phases.denoise.cycles", keys quoted where they have to be.
std::string to_text(const Path& path);

/// What paths mean.
class Environment {
 public:
  Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  virtual ~Environment() = default;

  /// Empty: the figure exists, but nothing is known of it. Throws ExpressionError, at the step that
  /// is wrong, with the nearest known key. REQUIRES: `path` is not empty.
  virtual std::optional<Datum> lookup(const Path& path) const = 0;
};

struct Node;

/// A value: objectives, derived values, the sides of a comparison. Cheap to copy.
class Expression {
 public:
  explicit Expression(std::shared_ptr<const Node> root) : root_(std::move(root)) {}

  const Node& root() const { return *root_; }
  /// The paths that it names, in order.
  std::vector<Path> paths() const;

 private:
  std::shared_ptr<const Node> root_;
};

enum class Relation { kLess, kAtMost, kMore, kAtLeast, kEqual, kDifferent };
const char* to_string(Relation relation);  // "<", "<=", ...

struct Comparison {
  std::string text;  // as written
  Expression left;
  Relation relation = Relation::kAtMost;
  Expression right;
  std::optional<Expression> within;  // of kEqual
};

/// A value such as `hardware.sram_bytes / 2`. Throws ExpressionError.
Expression parse_expression(std::string_view text);
/// A comparison such as `latency <= 30 ms`.
Comparison parse_comparison(std::string_view text);
/// The rest of a comparison whose left side is `left`, written `name`: `<= 30 ms`; a value alone,
/// with or without `within`, means `==`. Columns are those of `text`.
Comparison parse_condition(const std::string& name, const Expression& left, std::string_view text);

/// Throws ExpressionError: for a path without meaning, sides that count different things, a
/// division by zero; UnknownFigure for a figure that is null.
Datum evaluate(const Expression& expression, const Environment& environment);
/// The same, of a number.
double evaluate_number(const Expression& expression, const Environment& environment);

struct Check {
  bool holds = false;
  Datum left, right;
  /// How far the left side is on the right side of the bound, in its unit; negative: it fails.
  /// 0 for words that are as asked, -1 for others.
  double margin = 0;
};
Check check(const Comparison& comparison, const Environment& environment);

}  // namespace tessera::sim::expressions
