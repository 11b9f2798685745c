#include "sim/sweep/sweep_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "sim/sweep/workers.h"

namespace tessera::sim {
namespace {

/// Volume dominated by the front, as a share of the box between the best value of each objective
/// and the worst among feasible rows. An objective that does not vary has no extent.
void measure_front(SweepReport& report) {
  if (report.front.empty()) return;
  const std::size_t count = report.rows.front().objectives.size();
  std::vector<std::size_t> varying;
  std::vector<Objectives> feasible;
  for (const PointRow& row : report.rows) {
    if (row.feasible()) feasible.push_back(row.objectives);
  }
  Objectives ideal = feasible.front();
  report.reference = feasible.front();
  for (const Objectives& each : feasible) {
    for (std::size_t o = 0; o < each.size(); ++o) {
      ideal[o] = std::min(ideal[o], each[o]);
      report.reference[o] = std::max(report.reference[o], each[o]);
    }
  }
  for (std::size_t o = 0; o < ideal.size(); ++o) {
    if (report.reference[o] > ideal[o]) varying.push_back(o);
  }
  if (varying.size() < 2 || count < 2) return;
  std::vector<Objectives> shares;
  for (const Objectives& each : feasible) {
    Objectives share;
    for (const std::size_t o : varying) {
      share.push_back((each[o] - ideal[o]) / (report.reference[o] - ideal[o]));
    }
    shares.push_back(std::move(share));
  }
  report.hypervolume = hypervolume(std::move(shares), Objectives(varying.size(), 1.0));
}

/// Members of `a` that are not in `b`.
std::int64_t missing_from(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  return std::count_if(a.begin(), a.end(), [&](std::int64_t id) {
    return !std::binary_search(b.begin(), b.end(), id);
  });
}

Judgement judge(const Sweep& sweep, const std::vector<PointRow>& estimated,
                const SweepReport& report) {
  Judgement judgement;
  judgement.selection = select_points(sweep, estimated);
  judgement.not_on_front = missing_from(judgement.selection.front, report.front);
  judgement.missed = missing_from(report.front, judgement.selection.front);
  std::map<std::int64_t, const PointRow*> estimates;
  for (const PointRow& row : estimated) estimates[row.id] = &row;
  for (const PointRow& row : report.rows) {
    const auto found = estimates.find(row.id);
    if (!row.done() || found == estimates.end() || !found->second->done()) continue;
    const PointRow* const estimate = found->second;
    ++judgement.simulated;
    if (row.feasible() != estimate->feasible()) ++judgement.wrong_feasible;
    const double error = std::abs(estimate->figures.time_s / row.figures.time_s - 1);
    judgement.mean_error += error;
    judgement.largest_error = std::max(judgement.largest_error, error);
  }
  if (judgement.simulated > 0) {
    judgement.mean_error /= static_cast<double>(judgement.simulated);
  }
  return judgement;
}

}  // namespace

SweepReport make_sweep_report(const Sweep& sweep, const Store& store) {
  const SweepSpec& spec = sweep.spec();
  const bool analytical = spec.fidelity == SweepFidelity::kAnalytical;
  const bool both = spec.fidelity == SweepFidelity::kBoth;
  SweepReport report;
  report.head = store.head();
  report.rows = read_rows(store, spec, analytical ? Fidelity::kAnalytical : Fidelity::kTransaction);
  for (const PointRow& row : report.rows) {
    report.failed += row.done() ? 0 : 1;
    report.feasible += row.feasible() ? 1 : 0;
  }
  report.front = front_of(report.rows);
  if (report.feasible == 0) report.nearest = nearest_miss(report.rows);
  measure_front(report);
  report.needs = needs_of(sweep);
  if (both) {
    // Effects and knees need the whole grid.
    const auto estimated = read_rows(store, spec, Fidelity::kAnalytical);
    report.judgement = judge(sweep, estimated, report);
    report.effects = effects_of(sweep, estimated);
  } else {
    report.effects = effects_of(sweep, report.rows);
  }
  report.knees =
      knees_of(sweep, store, both || analytical ? Fidelity::kAnalytical : Fidelity::kTransaction);
  return report;
}

std::int64_t missing_points(const Sweep& sweep, const Store& store) {
  const auto missing = [&](Fidelity fidelity, std::int64_t wanted) {
    const auto done = store.done(to_string(fidelity), kKilled);
    return wanted - static_cast<std::int64_t>(done.size());
  };
  const SweepFidelity fidelity = sweep.spec().fidelity;
  if (fidelity == SweepFidelity::kTransaction) return missing(Fidelity::kTransaction, sweep.size());
  const std::int64_t estimates = missing(Fidelity::kAnalytical, sweep.size());
  if (fidelity == SweepFidelity::kAnalytical || estimates > 0) return estimates;
  const auto rows = read_rows(store, sweep.spec(), Fidelity::kAnalytical);
  const auto wanted = static_cast<std::int64_t>(select_points(sweep, rows).simulate.size());
  return missing(Fidelity::kTransaction, wanted);
}

}  // namespace tessera::sim
