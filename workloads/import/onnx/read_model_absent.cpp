// In place of protobuf/read_model.cpp where libonnx is missing.
#include "workloads/import/onnx/read_model.h"

namespace tessera::workloads::onnx {

bool can_read_models() { return false; }

Model read_model(const std::string& path) {
  throw ImportError(path + ": this build of tessera has no ONNX support: install libonnx-dev and " +
                    "libprotobuf-dev, then configure with -DTESSERA_ONNX=ON");
}

}  // namespace tessera::workloads::onnx
