// `tessera import onnx MODEL.onnx`.
#pragma once

#include "sim/cli/options.h"

namespace tessera::sim {

/// Writes the model as a graph (YAML) to --out or standard output, and what became of it to
/// standard output or standard error. Nothing is written when the import fails.
void import_onnx_command(const CommandLine& line);

}  // namespace tessera::sim
