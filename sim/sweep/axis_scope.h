// What paths mean in the condition of an axis: the axes before it.
#pragma once

#include <optional>

#include "sim/expressions/expression.h"
#include "sim/sweep/points.h"

namespace tessera::sim {

/// Axes by name, words that are values of one as themselves.
class AxisScope : public expressions::Environment {
 public:
  /// Axes before `end`. All have to stay.
  AxisScope(const SweepSpec& spec, const Choices& choices, std::size_t end)
      : spec_(spec), choices_(choices), end_(end) {}
  /// Empty: an axis that is inactive itself.
  std::optional<expressions::Datum> lookup(const expressions::Path& path) const override;

 private:
  const SweepSpec& spec_;
  const Choices& choices_;
  std::size_t end_;
};

/// Does the axis take a value at `choices`? Not when its condition fails, and not when that is
/// about an axis that takes none. Throws ConfigError.
bool is_active(const SweepSpec& spec, const Choices& choices, std::size_t axis);

}  // namespace tessera::sim
