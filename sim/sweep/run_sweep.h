// Carries a sweep out: every point that its store does not hold yet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/sweep/sweep.h"
#include "sim/sweep/workers.h"

namespace tessera::sim {

/// One of `count` equal parts of a sweep, from 0.
struct Shard {
  std::int64_t index = 0, count = 1;
};

struct SweepOptions {
  std::string store;  // file
  bool resume = false;
  bool retry_failed = false;
  WorkerLimits limits;
  Shard shard;
  std::vector<std::string> sets;
  bool shows_progress = false;  // a line on standard error
};

enum class SweepEnd { kDone, kStopped };

/// Evaluates what is missing. A signal (SIGINT, SIGTERM) ends it: what is done is in the store.
/// Throws StoreError.
SweepEnd run_sweep(const Sweep& sweep, const SweepOptions& options);

/// "3/8" is the third of eight. Throws std::invalid_argument.
Shard parse_shard(const std::string& text);
/// The index of the array task or rank that this process is, from 0, as Slurm, LSF, PBS or Open MPI
/// say it; -1 when none does. `source` becomes the variable's name.
std::int64_t shard_index_from_environment(std::string& source);

}  // namespace tessera::sim
