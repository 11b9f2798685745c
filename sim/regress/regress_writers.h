// What regression suites came to, for people, programs and CI.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/regress/run_suites.h"
#include "sim/report/writers.h"

namespace tessera::sim {

/// Suites and runs, a table of what differs from the goldens with its causes, and what failed.
std::string regress_text(const std::vector<SuiteOutcome>& outcomes, const TextOptions& options);
nlohmann::ordered_json regress_json(const std::vector<SuiteOutcome>& outcomes);
/// JUnit XML: a test suite per suite, a test case per run, relation and engine.
std::string regress_junit(const std::vector<SuiteOutcome>& outcomes);

/// Why a run fails, a line each; empty when it holds.
std::vector<std::string> failure_lines(const RunOutcome& run);

}  // namespace tessera::sim
