// The changes that `tessera run --what-if` tries.
#pragma once

#include <string>
#include <vector>

#include "sim/config/run_config.h"
#include "sim/report/report.h"

namespace tessera::sim {

/// One step of every resource that the resolved configuration has a key for, as --set writes it:
/// twice the lanes, the array's columns, the DRAM channels, each buffer; half the weight bits when
/// the array runs them.
std::vector<std::string> what_if_changes(const RunConfig& config);

/// The operator and cause that moved most from `base` to `changed`: "Softmax: wait_vector -8.10 M"
/// (cycles).
std::string what_moved(const Report& base, const Report& changed);

/// A change and its report; `report` without operators and a reason when it cannot run.
struct TriedChange {
  std::string change, reason;
  Report report;
};

/// Simulates `subject` with `sets` and each of `changes`, in processes of their own, as many at
/// once as there are processors.
std::vector<TriedChange> try_changes(const std::string& subject,
                                     const std::vector<std::string>& sets,
                                     const std::vector<std::string>& changes);

/// The lines of the report, those that save most time first.
std::vector<WhatIf> what_if_lines(const std::vector<TriedChange>& tried, const Report& base);

}  // namespace tessera::sim
