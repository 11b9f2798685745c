#include "sim/sweep/question.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using expressions::Comparison;
using expressions::Datum;
using expressions::Environment;
using expressions::ExpressionError;
using expressions::Path;
using expressions::Relation;
using expressions::UnknownFigure;

Report without_operators(const Report& report) {
  Report slim = report;
  slim.operators.clear();
  return slim;
}

[[noreturn]] void no_value(const std::string& text) {
  throw std::runtime_error(text + ": the report has no value (null)");
}

/// The text of a comparison in front of its relation.
std::string left_text(const std::string& text) {
  const std::string left = text.substr(0, text.find_first_of("<>=!"));
  return left.substr(0, left.find_last_not_of(' ') + 1);
}

}  // namespace

PointView::PointView(const Report& report)
    : report_(report), without_operators_(report_json(without_operators(report))) {}

std::optional<Datum> PointView::lookup(const Path& path) const {
  if (path.front().name != "operators") {
    return expressions::ReportEnvironment(without_operators_).lookup(path);
  }
  if (!whole_) whole_ = report_json(report_);
  return expressions::ReportEnvironment(*whole_).lookup(path);
}

void refuse(const ExpressionError& error, const std::string& text,
            const config::Position& position) {
  config::Position place = position;
  place.column += static_cast<int>(error.column());
  config::fail(place, text, error.what(), {error.hint()});
}

Figure parse_figure(const std::string& text, const config::Position& position) {
  try {
    return {text, expressions::parse_expression(text), position};
  } catch (const ExpressionError& error) {
    refuse(error, text, position);
  }
}

double answer(const Figure& figure, const Environment& environment) {
  try {
    return expressions::evaluate_number(figure.expression, environment);
  } catch (const UnknownFigure&) {
    no_value(figure.text);
  } catch (const ExpressionError& error) {
    refuse(error, figure.text, figure.position);
  }
}

Requirement parse_requirement(const std::string& text, const config::Position& position) {
  try {
    Comparison comparison = expressions::parse_comparison(text);
    Figure left{left_text(text), comparison.left, position};
    return {std::move(comparison), std::move(left)};
  } catch (const ExpressionError& error) {
    refuse(error, text, position);
  }
}

Judged judge(const Requirement& requirement, const Environment& environment) {
  const std::string& text = requirement.comparison.text;
  try {
    const expressions::Check check = expressions::check(requirement.comparison, environment);
    Judged judged;
    judged.value = check.left.number;
    if (check.holds) return judged;
    const double limit = std::abs(check.right.number);
    const double off = std::abs(check.left.number - check.right.number);
    // On the wrong side of a strict limit by nothing, or another word: still not met.
    judged.miss = std::max(limit > 0 ? off / limit : off, 1e-12);
    return judged;
  } catch (const UnknownFigure&) {
    no_value(text);
  } catch (const ExpressionError& error) {
    refuse(error, text, requirement.figure.position);
  }
}

std::optional<double> upper_limit(const Requirement& requirement, const Environment& environment) {
  const Comparison& comparison = requirement.comparison;
  const bool upper =
      comparison.relation == Relation::kAtMost || comparison.relation == Relation::kLess;
  if (!upper) return std::nullopt;
  return expressions::evaluate_number(comparison.right, environment);
}

Condition parse_axis_condition(const std::string& text, const config::Position& position) {
  try {
    return {expressions::parse_comparison(text), position};
  } catch (const ExpressionError& error) {
    refuse(error, text, position);
  }
}

}  // namespace tessera::sim
