// One point: from its settings to the figures that are kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/store.h"
#include "sim/sweep/sweep.h"

namespace tessera::sim {

/// Answers to the sweep's questions, objectives as asked (not turned round to be minimised).
struct Answers {
  std::vector<double> objectives;
  std::vector<double> requirements;  // their left sides
  std::vector<double> misses;        // 0: met; else how far beyond, as a share of the limit
};

/// What is kept of an operand of an operator (all layers together).
struct Residence {
  std::string operand;     // "vision.MLP_FC2 weights"
  std::int64_t loads = 0;  // passes over it: 1 when it stays on chip until it is not needed again
};

/// What is kept of a point.
struct PointFigures {
  double time_s = 0;
  std::int64_t cycles = 0, macs = 0, dram_bytes = 0, least_dram_bytes = 0, lower_bound_bytes = 0;
  double utilization = 0;
  std::string bound;
  Answers answers;
  /// Analytical points of fidelity both: what no simulation of the point can beat.
  std::optional<Answers> optimistic;
  std::vector<Residence> residence;
};

/// As PointResult::figures holds it, and back.
std::string write_figures(const PointFigures& figures);
/// `with_residence`: the bulk of it is left out unless asked for.
PointFigures read_figures(const std::string& json, bool with_residence);

/// The figures of a report and its plan. Throws std::runtime_error for a question without answer.
PointFigures point_figures(const SweepSpec& spec, const PreparedRun& run, const Report& report);

/// Key, a newline and the figures of a point; simulates in this process unless analytical. Throws.
std::string evaluate_point(const Sweep& sweep, std::int64_t id, Fidelity fidelity);

/// `$TESSERA_SWEEP_FAULT`, for tests: "segfault:3,hang:5,memory:7" makes points crash, loop for
/// ever or exhaust memory where they would be simulated.
void act_on_fault(std::int64_t id);

}  // namespace tessera::sim
