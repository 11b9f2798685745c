#include "sim/sweep/points.h"

#include <random>
#include <set>

#include <fmt/format.h>
#include <boost/random/sobol.hpp>

#include "sim/sweep/axis_scope.h"

namespace tessera::sim {
namespace {

std::int32_t value_count(const Axis& axis) { return static_cast<std::int32_t>(axis.values.size()); }

/// Axes whose condition does not hold take no value.
Choices settled(const SweepSpec& spec, Choices choices) {
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    if (!is_active(spec, choices, a)) choices[a] = kInactive;
  }
  return choices;
}

std::int64_t grid_size(const SweepSpec& spec) {
  std::int64_t size = 1;
  for (const Axis& axis : spec.axes) {
    size *= value_count(axis);
    if (size > kMostPoints) {
      config::fail({}, spec.name, fmt::format("the axes span more than {} points", kMostPoints),
                   {"strategy: {kind: random, points: 1000} takes a sample of smaller axes"});
    }
  }
  return size;
}

/// Combination `index` of the grid, the last axis running fastest.
Choices combination(const SweepSpec& spec, std::int64_t index) {
  Choices choices(spec.axes.size());
  for (std::size_t a = spec.axes.size(); a-- > 0;) {
    choices[a] = static_cast<std::int32_t>(index % value_count(spec.axes[a]));
    index /= value_count(spec.axes[a]);
  }
  return choices;
}

/// Of the combinations that differ in inactive axes only, the one with their first values.
bool is_first_of_its_kind(const Choices& raw, const Choices& choices) {
  for (std::size_t a = 0; a < raw.size(); ++a) {
    if (choices[a] == kInactive && raw[a] != 0) return false;
  }
  return true;
}

/// Points as they come, each once.
class Distinct {
 public:
  void add(const Choices& choices) {
    if (known_.insert(choices).second) points.push_back(choices);
  }
  std::vector<Choices> points;

 private:
  std::set<Choices> known_;
};

std::vector<Choices> whole_grid(const SweepSpec& spec) {
  const std::int64_t size = grid_size(spec);
  std::vector<Choices> points;
  for (std::int64_t i = 0; i < size; ++i) {
    const Choices raw = combination(spec, i);
    Choices choices = settled(spec, raw);
    if (is_first_of_its_kind(raw, choices)) points.push_back(std::move(choices));
  }
  return points;
}

/// Draws until there are as many distinct points as asked for, or draws bring nothing new.
template <class Draw>
std::vector<Choices> sampled(const SweepSpec& spec, Draw draw) {
  constexpr std::int64_t kPatience = 1000;  // draws a point
  Distinct distinct;
  const auto wanted = static_cast<std::size_t>(spec.points);
  for (std::int64_t i = 0; i < kPatience * spec.points && distinct.points.size() < wanted; ++i) {
    distinct.add(settled(spec, draw()));
  }
  return std::move(distinct.points);
}

std::vector<Choices> random_points(const SweepSpec& spec) {
  std::mt19937_64 random(spec.seed);
  return sampled(spec, [&] {
    Choices choices;
    for (const Axis& axis : spec.axes) {  // the engine's own bits: distributions differ by library
      choices.push_back(static_cast<std::int32_t>(random() % axis.values.size()));
    }
    return choices;
  });
}

std::vector<Choices> sobol_points(const SweepSpec& spec) {
  boost::random::sobol sequence(spec.axes.size());
  const double range = static_cast<double>(sequence.max()) + 1.0;
  return sampled(spec, [&] {
    Choices choices;
    for (const Axis& axis : spec.axes) {
      const double share = static_cast<double>(sequence()) / range;
      choices.push_back(
          std::min(value_count(axis) - 1, static_cast<std::int32_t>(share * value_count(axis))));
    }
    return choices;
  });
}

/// The value that `axis` derives from another one.
Amount product(const SweepSpec& spec, const Choices& choices, std::size_t axis) {
  const Axis& derived = spec.axes[axis];
  const auto source = static_cast<std::size_t>(derived.times);
  const double factor = *derived.values[static_cast<std::size_t>(choices[axis])].number;
  return {factor * *value_number(spec, choices, source), derived.measure};
}

}  // namespace

std::vector<Choices> sweep_points(const SweepSpec& spec) {
  // A sample no smaller than the grid is the grid.
  if (spec.strategy == SweepStrategy::kGrid) return whole_grid(spec);
  double combinations = 1;
  for (const Axis& axis : spec.axes) combinations *= value_count(axis);
  if (combinations <= static_cast<double>(spec.points)) return whole_grid(spec);
  return spec.strategy == SweepStrategy::kRandom ? random_points(spec) : sobol_points(spec);
}

std::vector<config::Setting> settings_of(const SweepSpec& spec, const Choices& choices) {
  std::vector<config::Setting> settings;
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    const Axis& axis = spec.axes[a];
    if (choices[a] == kInactive) continue;
    const AxisValue& value = axis.values[static_cast<std::size_t>(choices[a])];
    for (std::size_t k = 0; k < axis.paths.size(); ++k) {
      settings.push_back({axis.paths[k], axis.times < 0
                                             ? value.values[k]
                                             : config::make_scalar(value_label(spec, choices, a),
                                                                   value.values[0].position)});
    }
  }
  return settings;
}

std::string value_label(const SweepSpec& spec, const Choices& choices, std::size_t axis) {
  if (choices[axis] == kInactive) return "";
  if (spec.axes[axis].times >= 0) return amount_text(product(spec, choices, axis));
  return spec.axes[axis].values[static_cast<std::size_t>(choices[axis])].label;
}

std::optional<double> value_number(const SweepSpec& spec, const Choices& choices,
                                   std::size_t axis) {
  if (choices[axis] == kInactive) return std::nullopt;
  if (spec.axes[axis].times >= 0) return product(spec, choices, axis).value;
  return spec.axes[axis].values[static_cast<std::size_t>(choices[axis])].number;
}

}  // namespace tessera::sim
