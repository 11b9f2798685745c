#include "sim/sweep/axis_scope.h"

#include <algorithm>

#include "sim/config/value.h"

namespace tessera::sim {
namespace {

using expressions::Datum;
using expressions::ExpressionError;

/// "512 KiB" and "8" as numbers, "w4a8" as a word.
Datum datum_of(const std::string& label, const std::optional<double>& number) {
  if (!number) return expressions::word_of(label);
  return expressions::evaluate(expressions::parse_expression(label),
                               expressions::ConfigEnvironment(nlohmann::ordered_json::object()));
}

bool is_value(const Axis& axis, const std::string& word) {
  return std::any_of(axis.values.begin(), axis.values.end(),
                     [&](const AxisValue& value) { return value.label == word; });
}

}  // namespace

std::optional<Datum> AxisScope::lookup(const expressions::Path& path) const {
  const std::string name = expressions::to_text(path);
  std::vector<std::string> names;
  for (std::size_t a = 0; a < end_; ++a) {
    names.push_back(spec_.axes[a].name);
    if (name != names.back()) continue;
    if (choices_[a] == kInactive) return std::nullopt;
    return datum_of(value_label(spec_, choices_, a), value_number(spec_, choices_, a));
  }
  for (std::size_t a = 0; a < end_; ++a) {
    if (is_value(spec_.axes[a], name)) return expressions::word_of(name);
  }
  throw ExpressionError(path.front().column,
                        "there is no axis further up, and no value of one, called '" + name + "'",
                        config::suggestion(name, names));
}

bool is_active(const SweepSpec& spec, const Choices& choices, std::size_t axis) {
  const Axis& asked = spec.axes[axis];
  if (asked.times >= 0 && choices[static_cast<std::size_t>(asked.times)] == kInactive) return false;
  if (!asked.when) return true;
  const Condition& condition = *asked.when;
  try {
    return expressions::check(condition.comparison, AxisScope(spec, choices, axis)).holds;
  } catch (const expressions::UnknownFigure&) {
    return false;
  } catch (const ExpressionError& error) {
    refuse(error, condition.comparison.text, condition.position);
  }
}

}  // namespace tessera::sim
