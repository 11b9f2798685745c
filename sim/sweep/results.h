// The results of a sweep as its reports and its selection read them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/evaluate.h"
#include "sim/sweep/pareto.h"
#include "sim/sweep/store.h"

namespace tessera::sim {

/// A point at one fidelity.
struct PointRow {
  std::int64_t id = 0;
  std::string key, failure;  // failure empty: there are figures
  PointFigures figures;      // without residence
  Objectives objectives;     // all to be minimised: what is maximised has its sign changed
  Objectives optimistic;     // the same of PointFigures::optimistic; empty: unknown
  double miss = 0;           // the farthest requirement's; 0: all are met
  double optimistic_miss = 0;

  bool done() const { return failure.empty(); }
  bool feasible() const { return done() && miss == 0; }
};

/// In the order of points; those that have no result of the fidelity are left out.
std::vector<PointRow> read_rows(const Store& store, const SweepSpec& spec, Fidelity fidelity);

/// Ids of the feasible rows that no other feasible row dominates, ascending.
std::vector<std::int64_t> front_of(const std::vector<PointRow>& rows);
/// Index of the row that comes nearest to meeting every requirement; nothing when none was done.
std::optional<std::size_t> nearest_miss(const std::vector<PointRow>& rows);

}  // namespace tessera::sim
