// What a sweep found: the front, what each axis does, knees, and how good the closed forms were.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/report/writers.h"
#include "sim/sweep/results.h"
#include "sim/sweep/selection.h"
#include "sim/sweep/store.h"

namespace tessera::sim {

/// What a limit on time asks of the machine, at the sweep's first point.
struct Need {
  std::string requirement;
  double macs_per_cycle = 0, bytes_per_second = 0;          // at least
  double has_macs_per_cycle = 0, has_bytes_per_second = 0;  // of the first point
};
/// One per requirement that bounds the latency of the run or of a phase.
std::vector<Need> needs_of(const Sweep& sweep);

/// The mean of an objective over all points with one value of an axis.
struct Effect {
  std::string axis;
  std::vector<std::string> values;
  std::vector<std::vector<double>> means;  // by value, by objective
  std::vector<std::int64_t> counts;        // by value
  std::vector<double> shares;  // by objective: of its variance, what the axis alone explains
};

/// An operand that a size first lets stay on chip, all other axes equal.
struct Knee {
  std::string axis, value, operand;  // the smallest value at which it happens
  std::int64_t combinations = 0;     // of the other axes, in which it happens somewhere
  std::int64_t of = 0;               // combinations in all
};

/// Fidelity both: estimates against simulations of the same points.
struct Judgement {
  Selection selection;
  std::int64_t simulated = 0;
  std::int64_t not_on_front = 0;             // on the estimated front, not on the simulated one
  std::int64_t missed = 0;                   // on the simulated front, not on the estimated one
  std::int64_t wrong_feasible = 0;           // requirements judged otherwise
  double mean_error = 0, largest_error = 0;  // of the time, as a share
};

struct SweepReport {
  StoreHead head;
  std::vector<PointRow> rows;       // at the fidelity that counts
  std::vector<std::int64_t> front;  // ids
  std::int64_t failed = 0, feasible = 0;
  std::optional<std::size_t> nearest;  // row, when none is feasible
  Objectives reference;                // of the hypervolume: the worst of the feasible rows
  double hypervolume = 0;              // share of the box between ideal and reference
  std::vector<Need> needs;
  std::vector<Effect> effects;
  std::vector<Knee> knees;
  std::optional<Judgement> judgement;
};

/// Everything from the store: depends on its results alone, not on how they came about.
SweepReport make_sweep_report(const Sweep& sweep, const Store& store);

std::string sweep_text(const Sweep& sweep, const SweepReport& report, const TextOptions& options);
nlohmann::ordered_json sweep_json(const Sweep& sweep, const SweepReport& report);
/// A row per point: id, key, axes, status, objectives, requirements, figures.
std::string sweep_csv(const Sweep& sweep, const SweepReport& report);

/// Points that the sweep's fidelity asks for and the store does not hold.
std::int64_t missing_points(const Sweep& sweep, const Store& store);

/// What each axis does to the objectives of the rows that are done.
std::vector<Effect> effects_of(const Sweep& sweep, const std::vector<PointRow>& rows);
/// Knees along axes that set a capacity.
std::vector<Knee> knees_of(const Sweep& sweep, const Store& store, Fidelity fidelity);

}  // namespace tessera::sim
