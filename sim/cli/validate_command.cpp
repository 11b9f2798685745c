#include "sim/cli/validate_command.h"

namespace tessera::sim {

int validate_command(const CommandLine&) { throw UsageError("'validate' is not built yet"); }

}  // namespace tessera::sim
