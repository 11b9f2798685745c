// The values of an axis: a list as written, or a range.
#pragma once

#include <string>
#include <vector>

#include "sim/config/value.h"
#include "sim/sweep/sweep_spec.h"

namespace tessera::sim {

enum class AxisScale { kLinear, kLog2, kLog10 };

/// An axis as written, before its values are known.
struct AxisText {
  config::Value values;    // a list; nothing: a range
  config::Value from, to;  // quantities of one kind
  config::Value step;      // linear: a quantity
  std::int64_t points = 0;
  AxisScale scale = AxisScale::kLinear;
  config::Value sets;  // a key or a list of keys
  std::string times, when;
  config::Position when_position, times_position;
};

constexpr std::size_t kMostAxisValues = 100'000;

/// Values of the list, or of the range: linear by `step` or `points` evenly spaced; log2 doubles
/// and log10 takes powers of ten from `from` on, or `points` spaced evenly on that scale. The range
/// ends at `to`, which it includes where it meets it. `keys` is how many keys the axis sets: a list
/// of that many values gives each key its own. Throws ConfigError.
std::vector<AxisValue> axis_values(const AxisText& text, std::size_t keys,
                                   const config::Position& position, const std::string& path);

/// Factors of an axis with `times`: "1/8", "0.5", "3".
std::vector<AxisValue> axis_factors(const AxisText& text, const std::string& path);

}  // namespace tessera::sim
