// Runs regression suites: simulates, judges, and holds figures against the goldens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "sim/expressions/expectations.h"
#include "sim/regress/golden.h"
#include "sim/regress/suite.h"

namespace tessera::sim {

/// A golden figure that came out otherwise. `old_value` is null where there is no golden yet.
struct GoldenChange {
  std::string figure;
  nlohmann::ordered_json old_value, new_value;  // numbers in base units, words, or null
  std::string old_text, new_text;
  std::string tolerance;  // as written; empty: exact
};

/// Why figures moved: what the run and the goldens differ in, and what moved most.
struct Cause {
  std::vector<std::string> reasons;  // "hardware.dram.channels: 2 -> 1"
  std::vector<std::string> moved;    // "vision.MLP_FC1: wait_weights +12,345 cycles"
};

struct RunOutcome {
  std::string name;
  std::string error;  // why there is no report; empty: there is one
  nlohmann::ordered_json report;
  double seconds = 0;               // of the host
  std::vector<std::string> broken;  // invariants
  std::vector<expressions::ExpectationResult> expectations;
  std::vector<GoldenChange> changes;
  Cause cause;        // of changes
  Goldens new_entry;  // for --update

  /// `with_goldens`: changes of golden figures count.
  bool holds(bool with_goldens = true) const;
};

/// An engine of `tessera validate`.
struct EngineOutcome {
  std::string name, target;
  bool holds = false;
  std::vector<std::string> missed;  // limits
};

struct SuiteOutcome {
  std::string name, file, path;
  std::vector<RunOutcome> runs;
  std::vector<expressions::ExpectationResult> relations;
  std::vector<EngineOutcome> engines;

  bool holds(bool with_goldens = true) const;
};

struct RegressOptions {
  int jobs = 1;              // runs at once
  std::string filter = "*";  // of NAME or SUITE.NAME; engines: SUITE.validate
};

/// The outcome does not depend on the number of jobs. Throws ConfigError for figures without
/// meaning and std::invalid_argument for a filter that matches nothing.
std::vector<SuiteOutcome> run_suites(const std::vector<Suite>& suites,
                                     const RegressOptions& options);

/// The goldens of a suite with what came out now; runs that did not run keep theirs, those that the
/// suite has no more are dropped.
Goldens updated_goldens(const Suite& suite, const SuiteOutcome& outcome);

}  // namespace tessera::sim
