// One run of a suite against its goldens.
#pragma once

#include "sim/regress/run_suites.h"

namespace tessera::sim {

/// Figures of `report` that differ from those of `golden` (null: there are none yet).
std::vector<GoldenChange> golden_changes(const SuiteRun& run, const Goldens& golden,
                                         const nlohmann::ordered_json& report);
/// Why: both as golden_entry() makes them.
Cause cause_of(const std::string& name, const Goldens& before, const Goldens& now);

}  // namespace tessera::sim
