#include "sim/cli/import_command.h"

#include "sim/cli/import_onnx_command.h"

namespace tessera::sim {

void import_command(const CommandLine& line) { import_onnx_command(line); }

}  // namespace tessera::sim
