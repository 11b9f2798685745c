// Shapes of an operator's outputs from its inputs, over all opsets.
#pragma once

#include <string>
#include <vector>

#include "workloads/import/onnx/values.h"

namespace tessera::workloads::onnx {

/// Inputs of a node; null where left out.
using Inputs = std::vector<const Value*>;

bool has_shape_rule(const Node& node);
/// One shape for each output. REQUIRES: has_shape_rule, all given inputs have shapes. Throws
/// std::invalid_argument with a reason; returns nothing when a shape depends on data.
std::vector<Shape> output_shapes(const Node& node, const Inputs& inputs);

/// Numpy broadcasting.
Shape broadcast(const Shape& a, const Shape& b);
/// The axes of Reduce*, Squeeze, Unsqueeze: an attribute up to opset 12, an input since.
std::vector<std::int64_t> axes_of(const Node& node, const Inputs& inputs);
/// Whether the axes can be told: no axes input, or one whose elements are known.
bool knows_axes(const Inputs& inputs);

/// One axis of a Slice: `count` elements from `start`, `step` apart.
struct SliceRange {
  std::size_t axis = 0;
  std::int64_t start = 0, step = 1, count = 0;
};
/// REQUIRES: knows_slice.
std::vector<SliceRange> slice_ranges(const Node& node, const Inputs& inputs);
bool knows_slice(const Node& node, const Inputs& inputs);
/// Sizes along the axis of a Split.
std::vector<std::int64_t> split_sizes(const Node& node, const Inputs& inputs);
/// The order of a Transpose's input axes.
std::vector<std::size_t> permutation_of(const Node& node, std::size_t rank);

}  // namespace tessera::workloads::onnx
