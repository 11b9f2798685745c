// All reference figures against the machine: who is how far off, and whether the targets hold.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/validation/case_run.h"
#include "sim/validation/dram_rows.h"
#include "sim/validation/statistics.h"

namespace tessera::sim {

struct ValidateRequest {
  std::vector<ReferenceCase> cases;
  std::vector<HardwareOverride> overrides;
  std::string engine = "*";  // pattern of the engines to run
};

/// A figure and ours.
struct CaseResult {
  ReferenceCase reference;
  hw::Cycles ours = 0;
  std::string reason;   // why it was not compared; empty: it was
  bool failed = false;  // the simulation itself failed: `reason` says how
  std::optional<DramOutcome> dram = std::nullopt;  // memories: instead of `ours`
  bool compared() const { return reason.empty(); }
  double error() const;  // percent, signed; memories: of the bandwidth
};

/// One limit of a target, as it came out.
struct LimitResult {
  std::string text;  // "worst <= 15 %: 16.8 %"
  bool holds = true;
};

enum class Verdict { kHolds, kMissed, kNoTarget };
const char* to_string(Verdict verdict);  // "holds", "MISSED", "no target"

/// One line of the error table: an engine, one of its dataflows, a memory of a simulator.
struct EngineResult {
  std::string name;               // "gemmini16_array WS", "dramsys ddr4-3200"
  std::vector<CaseResult> cases;  // compared or failed, in the order of the files
  ErrorStatistics statistics;     // of those compared
  std::string target;             // empty: none is set
  std::vector<LimitResult> limits;
  Verdict verdict = Verdict::kNoTarget;
};

/// Figures of one engine that were not compared, for one reason.
struct Omission {
  std::string engine, reason;
  std::size_t count = 0;
};

struct Validation {
  std::vector<EngineResult> engines;  // in the order of their first figure
  std::vector<Omission> omissions;    // likewise
  std::size_t compared = 0;
  bool holds() const;  // no target of compared figures is missed
};

/// Joins figures and ours: pure. `results` in the order of the files.
Validation judge_results(const std::vector<CaseResult>& results);

/// Simulates every figure, in processes of their own (memories: threads), as many at once as there
/// are processors. The result does not depend on how many.
Validation validate(const ValidateRequest& request);

}  // namespace tessera::sim
