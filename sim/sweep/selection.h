// Fidelity both: which points are worth a simulation, from closed forms alone.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/sweep/results.h"

namespace tessera::sim {

/// How far an estimate may be above what a simulation finds; see docs/validation.md.
constexpr double kEstimateMargin = 0.05;

struct Selection {
  std::vector<std::int64_t> simulate;  // ascending
  std::vector<std::int64_t> front;     // of the estimates
  std::int64_t out_of_reach = 0;       // not even their bounds meet the requirements or the front
  std::int64_t left_out = 0;           // could, but the estimate says they are far from the front
};

/// The front of the estimates, what lies within the margin of it, and what differs from a point of
/// it by one step of one axis; without points out of reach: whose bounds miss a requirement, or
/// which some point dominates at its estimate plus margin even if they ran at their bounds.
/// Depends on the rows alone, so that every shard finds the same. `rows`: analytical, all of them.
Selection select_points(const Sweep& sweep, const std::vector<PointRow>& rows);

}  // namespace tessera::sim
