#include "sim/sweep/results.h"

#include <algorithm>

namespace tessera::sim {
namespace {

Objectives minimised(const SweepSpec& spec, const Answers& answers) {
  Objectives objectives = answers.objectives;
  for (std::size_t i = 0; i < objectives.size(); ++i) {
    if (spec.objectives[i].maximize) objectives[i] = -objectives[i];
  }
  return objectives;
}

double miss_of(const Answers& answers) {
  double miss = 0;
  for (const double each : answers.misses) miss = std::max(miss, each);
  return miss;
}

PointRow row_of(const SweepSpec& spec, const PointResult& result) {
  PointRow row;
  row.id = result.id;
  row.key = result.key;
  row.failure = result.failure;
  if (!row.done()) return row;
  row.figures = read_figures(result.figures, false);
  row.objectives = minimised(spec, row.figures.answers);
  row.miss = miss_of(row.figures.answers);
  if (!row.figures.optimistic) return row;
  row.optimistic = minimised(spec, *row.figures.optimistic);
  row.optimistic_miss = miss_of(*row.figures.optimistic);
  return row;
}

}  // namespace

std::vector<PointRow> read_rows(const Store& store, const SweepSpec& spec, Fidelity fidelity) {
  std::vector<PointRow> rows;
  store.each(to_string(fidelity),
             [&](const PointResult& result) { rows.push_back(row_of(spec, result)); });
  return rows;
}

std::vector<std::int64_t> front_of(const std::vector<PointRow>& rows) {
  std::vector<Objectives> objectives;
  std::vector<std::int64_t> ids;
  for (const PointRow& row : rows) {
    if (!row.feasible()) continue;
    objectives.push_back(row.objectives);
    ids.push_back(row.id);
  }
  std::vector<std::int64_t> front;
  for (const std::size_t i : pareto_front(objectives)) front.push_back(ids[i]);
  return front;
}

std::optional<std::size_t> nearest_miss(const std::vector<PointRow>& rows) {
  std::optional<std::size_t> nearest;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].done() && (!nearest || rows[i].miss < rows[*nearest].miss)) nearest = i;
  }
  return nearest;
}

}  // namespace tessera::sim
