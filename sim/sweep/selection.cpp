#include "sim/sweep/selection.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace tessera::sim {
namespace {

/// What an estimate may turn out to be at worst.
Objectives with_margin(Objectives objectives) {
  for (double& each : objectives) each += std::abs(each) * kEstimateMargin;
  return objectives;
}

class Selector {
 public:
  Selector(const Sweep& sweep, const std::vector<PointRow>& rows) : sweep_(sweep), rows_(rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) index_[rows[i].id] = i;
    for (std::int64_t id = 0; id < sweep.size(); ++id) {
      places_[sweep.points()[static_cast<std::size_t>(id)]] = id;
    }
  }

  Selection select() {
    Selection selection;
    selection.front = front_of(rows_);
    for (const std::int64_t id : selection.front) {
      bars_.push_back(with_margin(rows_[index_.at(id)].objectives));
      add_neighbours(id);
    }
    // Nothing meets the requirements by estimate: what comes nearest may.
    if (selection.front.empty()) add_nearest();
    for (const PointRow& row : rows_) {
      if (!row.done()) continue;
      if (out_of_reach(row)) {
        ++selection.out_of_reach;
      } else if (wanted_.count(row.id) > 0 || near_front(row)) {
        selection.simulate.push_back(row.id);
      } else {
        ++selection.left_out;
      }
    }
    return selection;
  }

 private:
  void add_neighbours(std::int64_t id) {
    wanted_.insert(id);
    const Choices& at = sweep_.points()[static_cast<std::size_t>(id)];
    for (std::size_t a = 0; a < at.size(); ++a) {
      for (const std::int32_t step : {-1, 1}) {
        Choices next = at;
        next[a] += step;
        const auto found = places_.find(next);
        if (next[a] >= 0 && found != places_.end()) wanted_.insert(found->second);
      }
    }
  }

  void add_nearest() {
    if (const auto nearest = nearest_miss(rows_)) add_neighbours(rows_[*nearest].id);
  }

  bool beaten(const Objectives& objectives) const {
    return std::any_of(bars_.begin(), bars_.end(),
                       [&](const Objectives& bar) { return dominates(bar, objectives); });
  }

  bool out_of_reach(const PointRow& row) const {
    return row.optimistic_miss > 0 || beaten(row.optimistic);
  }

  /// Estimates that the margin could carry to the front.
  bool near_front(const PointRow& row) const {
    return row.miss <= kEstimateMargin && !beaten(row.objectives);
  }

  const Sweep& sweep_;
  const std::vector<PointRow>& rows_;
  std::map<std::int64_t, std::size_t> index_;
  std::map<Choices, std::int64_t> places_;
  std::vector<Objectives> bars_;  // the front's estimates at worst
  std::set<std::int64_t> wanted_;
};

}  // namespace

Selection select_points(const Sweep& sweep, const std::vector<PointRow>& rows) {
  return Selector(sweep, rows).select();
}

}  // namespace tessera::sim
