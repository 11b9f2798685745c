// Main effects of axes, and the knees along axes of capacities.
#include <algorithm>
#include <map>
#include <set>

#include "sim/sweep/sweep_report.h"

namespace tessera::sim {
namespace {

/// Values of an axis by label, in the order in which points first have them.
class Groups {
 public:
  std::size_t of(const std::string& label) {
    const auto [at, is_new] = places_.emplace(label, labels.size());
    if (is_new) labels.push_back(label);
    return at->second;
  }
  std::vector<std::string> labels;

 private:
  std::map<std::string, std::size_t> places_;
};

double mean_of(const std::vector<PointRow>& rows, std::size_t objective) {
  double sum = 0;
  std::int64_t count = 0;
  for (const PointRow& row : rows) {
    if (!row.done()) continue;
    sum += row.figures.answers.objectives[objective];
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

/// Sum of squares between the groups' means and the mean of all, over that of all rows.
double share_of_variance(const std::vector<PointRow>& rows, std::size_t objective,
                         const Effect& effect) {
  const double mean = mean_of(rows, objective);
  double total = 0, between = 0;
  for (const PointRow& row : rows) {
    if (!row.done()) continue;
    const double off = row.figures.answers.objectives[objective] - mean;
    total += off * off;
  }
  for (std::size_t v = 0; v < effect.values.size(); ++v) {
    const double off = effect.means[v][objective] - mean;
    between += static_cast<double>(effect.counts[v]) * off * off;
  }
  return total > 0 ? between / total : 0;
}

Effect effect_of(const Sweep& sweep, const std::vector<PointRow>& rows, std::size_t axis) {
  const std::size_t objectives = sweep.spec().objectives.size();
  Effect effect;
  effect.axis = sweep.spec().axes[axis].name;
  Groups groups;
  for (const PointRow& row : rows) {
    if (!row.done()) continue;
    const Choices& choices = sweep.points()[static_cast<std::size_t>(row.id)];
    const std::string label =
        choices[axis] == kInactive ? "(none)" : value_label(sweep.spec(), choices, axis);
    const std::size_t group = groups.of(label);
    if (group == effect.means.size()) {
      effect.means.emplace_back(objectives);
      effect.counts.push_back(0);
    }
    ++effect.counts[group];
    for (std::size_t o = 0; o < objectives; ++o) {
      effect.means[group][o] += row.figures.answers.objectives[o];
    }
  }
  effect.values = groups.labels;
  for (std::size_t g = 0; g < effect.means.size(); ++g) {
    for (double& each : effect.means[g]) each /= static_cast<double>(effect.counts[g]);
  }
  for (std::size_t o = 0; o < objectives; ++o) {
    effect.shares.push_back(share_of_variance(rows, o, effect));
  }
  return effect;
}

bool is_capacity(const Axis& axis) {
  const std::string ending = ".capacity";
  return std::any_of(axis.keys.begin(), axis.keys.end(), [&](const std::string& key) {
    return key.size() > ending.size() &&
           key.compare(key.size() - ending.size(), ending.size(), ending) == 0;
  });
}

/// Loads of every operand, by point.
class Residences {
 public:
  Residences(const Store& store, Fidelity fidelity) {
    store.each(to_string(fidelity), [&](const PointResult& result) {
      if (!result.failure.empty()) return;
      for (const Residence& each : read_figures(result.figures, true).residence) {
        loads_[{result.id, operands.of(each.operand)}] = each.loads;
      }
    });
  }
  /// 0: unknown.
  std::int64_t loads(std::int64_t id, std::size_t operand) const {
    const auto found = loads_.find({id, operand});
    return found == loads_.end() ? 0 : found->second;
  }
  Groups operands;

 private:
  std::map<std::pair<std::int64_t, std::size_t>, std::int64_t> loads_;
};

/// The points that differ in one axis only, by its value.
std::vector<std::vector<std::int64_t>> lines_along(const Sweep& sweep, std::size_t axis) {
  std::map<Choices, std::vector<std::int64_t>> lines;
  for (std::int64_t id = 0; id < sweep.size(); ++id) {
    Choices others = sweep.points()[static_cast<std::size_t>(id)];
    if (others[axis] == kInactive) continue;
    others[axis] = 0;
    lines[others].push_back(id);
  }
  std::vector<std::vector<std::int64_t>> all;
  for (auto& [others, ids] : lines) {
    if (ids.size() > 1) all.push_back(std::move(ids));
  }
  const auto number = [&](std::int64_t id) {
    return value_number(sweep.spec(), sweep.points()[static_cast<std::size_t>(id)], axis)
        .value_or(0);
  };
  for (auto& ids : all) {
    std::stable_sort(ids.begin(), ids.end(),
                     [&](std::int64_t a, std::int64_t b) { return number(a) < number(b); });
  }
  return all;
}

/// Where along a line of points an operand is loaded once for the first time, having been loaded
/// more often at the size before; -1: nowhere.
std::int64_t knee_on(const std::vector<std::int64_t>& line, const Residences& residences,
                     std::size_t operand) {
  for (std::size_t i = 1; i < line.size(); ++i) {
    const std::int64_t before = residences.loads(line[i - 1], operand);
    if (residences.loads(line[i], operand) == 1 && before > 1) return line[i];
  }
  return -1;
}

void add_knees(const Sweep& sweep, std::size_t axis, const Residences& residences,
               std::vector<Knee>& knees) {
  const auto lines = lines_along(sweep, axis);
  const auto number = [&](std::int64_t id) {
    return value_number(sweep.spec(), sweep.points()[static_cast<std::size_t>(id)], axis)
        .value_or(0);
  };
  for (std::size_t operand = 0; operand < residences.operands.labels.size(); ++operand) {
    Knee knee;
    knee.axis = sweep.spec().axes[axis].name;
    knee.operand = residences.operands.labels[operand];
    knee.of = static_cast<std::int64_t>(lines.size());
    std::int64_t first = -1;
    for (const auto& line : lines) {
      const std::int64_t at = knee_on(line, residences, operand);
      if (at < 0) continue;
      ++knee.combinations;
      if (first < 0 || number(at) < number(first)) first = at;
    }
    if (first < 0) continue;
    knee.value = value_label(sweep.spec(), sweep.points()[static_cast<std::size_t>(first)], axis);
    knees.push_back(std::move(knee));
  }
}

}  // namespace

std::vector<Effect> effects_of(const Sweep& sweep, const std::vector<PointRow>& rows) {
  std::vector<Effect> effects;
  for (std::size_t axis = 0; axis < sweep.spec().axes.size(); ++axis) {
    effects.push_back(effect_of(sweep, rows, axis));
  }
  return effects;
}

std::vector<Knee> knees_of(const Sweep& sweep, const Store& store, Fidelity fidelity) {
  std::vector<std::size_t> capacities;
  for (std::size_t axis = 0; axis < sweep.spec().axes.size(); ++axis) {
    if (is_capacity(sweep.spec().axes[axis])) capacities.push_back(axis);
  }
  std::vector<Knee> knees;
  if (capacities.empty()) return knees;
  const Residences residences(store, fidelity);
  for (const std::size_t axis : capacities) add_knees(sweep, axis, residences, knees);
  return knees;
}

}  // namespace tessera::sim
