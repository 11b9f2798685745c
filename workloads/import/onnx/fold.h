// Elements of small constants: shapes, indices, scales.
#pragma once

#include "workloads/import/onnx/shape_rules.h"

namespace tessera::workloads::onnx {

/// Fills the elements of `outputs` (their shapes are set) where the inputs' elements suffice.
void fold_elements(const Node& node, const Inputs& inputs, std::vector<Value>& outputs);

}  // namespace tessera::workloads::onnx
