// `tessera gemm`: one matrix product, without a workload file.
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// Throws what run_command_line() turns into messages and exit codes.
void gemm_command(const CommandLine& line);

}  // namespace tessera::sim
