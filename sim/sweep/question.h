// What is asked of a point: expressions over its report and configuration (sim/expressions).
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "sim/config/value.h"
#include "sim/expressions/document.h"
#include "sim/expressions/expression.h"
#include "sim/report/report.h"

namespace tessera::sim {

/// What paths mean at a point. Rows of operators are written out only when a path needs them.
class PointView : public expressions::Environment {
 public:
  /// `report`: has to stay.
  explicit PointView(const Report& report);
  std::optional<expressions::Datum> lookup(const expressions::Path& path) const override;

 private:
  const Report& report_;
  nlohmann::ordered_json without_operators_;
  mutable std::optional<nlohmann::ordered_json> whole_;
};

/// A value asked for: an objective, or the left side of a requirement.
struct Figure {
  std::string text;
  expressions::Expression expression;
  config::Position position;
};
Figure parse_figure(const std::string& text, const config::Position& position);
/// Throws ConfigError for a path without meaning, std::runtime_error where the report has no value.
double answer(const Figure& figure, const expressions::Environment& environment);

/// `latency <= 30 ms`.
struct Requirement {
  expressions::Comparison comparison;
  Figure figure;  // its left side
};
Requirement parse_requirement(const std::string& text, const config::Position& position);

struct Judged {
  double value = 0;  // of the left side
  double miss = 0;   // how far beyond the right side, as a share of it; 0: met
};
/// As `answer`.
Judged judge(const Requirement& requirement, const expressions::Environment& environment);

/// What an upper limit of the requirement is, where it is one: `latency <= 30 ms`.
std::optional<double> upper_limit(const Requirement& requirement,
                                  const expressions::Environment& environment);

/// The condition of an axis, as written.
struct Condition {
  expressions::Comparison comparison;
  config::Position position;
};
Condition parse_axis_condition(const std::string& text, const config::Position& position);

/// Throws ConfigError at `position`: of what went wrong in an expression that stands there.
[[noreturn]] void refuse(const expressions::ExpressionError& error, const std::string& text,
                         const config::Position& position);

}  // namespace tessera::sim
