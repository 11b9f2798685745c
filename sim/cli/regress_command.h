// `tessera regress`: has anything changed?
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// Returns the exit code: 0, or 1 when something failed. Throws what run_command_line() turns into
/// messages and exit codes.
int regress_command(const CommandLine& line);

}  // namespace tessera::sim
