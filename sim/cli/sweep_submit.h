// tessera sweep submit: a job script for a batch system or MPI.
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// The exit code.
int submit_sweep(const CommandLine& line);

}  // namespace tessera::sim
