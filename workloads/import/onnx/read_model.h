// From an .onnx file to a Model. The only place that knows protobuf.
#pragma once

#include <string>

#include "workloads/import/onnx/model.h"

namespace tessera::workloads::onnx {

/// Whether this build can read .onnx files (CMake component `onnx`).
bool can_read_models();

/// Reads `path`. Any IR version and opset: nothing is checked against the installed library's own.
/// Never opens files with external weights. Throws ImportError: no such file, not an ONNX model,
/// truncated, or a build without the component.
Model read_model(const std::string& path);

}  // namespace tessera::workloads::onnx
