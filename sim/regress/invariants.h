// What every report keeps (DESIGN section 6).
#pragma once

#include <string>
#include <vector>

#include "sim/report/report.h"

namespace tessera::sim {

/// The invariants that `report` breaks, one line each: "vision.L3.MLP_FC1: attribution sums to 9,
/// not to its 10 cycles". Empty for a sound report. Of an analytical one, what it knows.
std::vector<std::string> broken_invariants(const Report& report);

}  // namespace tessera::sim
