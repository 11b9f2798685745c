// `tessera validate`: how far the numbers can be trusted.
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// Returns the exit code: 0, or 1 when a target is missed. Throws what run_command_line() turns
/// into messages and exit codes.
int validate_command(const CommandLine& line);

}  // namespace tessera::sim
