// `tessera dram`: a reference pattern on the DRAM of a machine.
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

void dram_command(const CommandLine& line);

}  // namespace tessera::sim
