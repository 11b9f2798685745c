// `tessera check`: does the program of a run compute the right thing?
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// Prints the verdict; false when a check failed.
bool check_command(const CommandLine& line);

}  // namespace tessera::sim
