// The points of a sweep: which combinations of values are tried, and in what order.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/config/resolve.h"
#include "sim/sweep/sweep_spec.h"

namespace tessera::sim {

/// One choice per axis: the index of its value, or kInactive where its condition does not hold.
using Choices = std::vector<std::int32_t>;
constexpr std::int32_t kInactive = -1;

/// Distinct combinations in a fixed order, the same for the same spec on every host: the whole grid
/// with the last axis running fastest, or a sample of it. A combination that differs only in axes
/// whose condition does not hold is one point. Throws ConfigError when the grid has more than
/// `kMostPoints` combinations.
std::vector<Choices> sweep_points(const SweepSpec& spec);
constexpr std::int64_t kMostPoints = 1'000'000;

/// What the run becomes at a point: one setting per key of every active axis, in their order.
std::vector<config::Setting> settings_of(const SweepSpec& spec, const Choices& choices);
/// "8", "512 KiB": the value of an axis at a point; empty where it is inactive.
std::string value_label(const SweepSpec& spec, const Choices& choices, std::size_t axis);
/// The value as a number in base units, where it is one.
std::optional<double> value_number(const SweepSpec& spec, const Choices& choices, std::size_t axis);

}  // namespace tessera::sim
