// Memories: their rows through the DRAM model, and what the targets say of them.
#pragma once

#include <string>
#include <vector>

#include "sim/validation/validate.h"

namespace tessera::sim {

/// Runs the rows of memories among `results`, in as many threads as there are processors.
void run_dram_rows(std::vector<CaseResult>& results);

/// One figure of a row, theirs and ours.
struct DramFigure {
  std::string name;  // "bandwidth", "mean latency", "p99"
  double theirs = 0, ours = 0;
  double most = -1;  // target: error in percent; negative: none
  double error() const { return error_percent(ours, theirs); }
  bool holds() const;
};

/// Those that the row gives, bandwidth first. REQUIRES: a compared row of a memory.
std::vector<DramFigure> dram_figures(const CaseResult& result);

/// What the row misses, in words; empty: nothing. REQUIRES: a compared row of a memory.
std::vector<std::string> dram_misses(const CaseResult& result);

/// Adds target and limits of an engine whose rows are a memory's.
void judge_dram(EngineResult& engine);

}  // namespace tessera::sim
