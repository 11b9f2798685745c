// tessera sweep: run, report, show, merge, submit.
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// The exit code.
int sweep_command(const CommandLine& line);

}  // namespace tessera::sim
