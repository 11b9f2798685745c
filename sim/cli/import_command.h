// `tessera import`: models of other formats as model files.
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// Dispatches on the format, the first subject.
void import_command(const CommandLine& line);

}  // namespace tessera::sim
