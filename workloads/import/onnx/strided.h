// A value of an ONNX graph as strided elements of a tensor: what layout operators do is arithmetic
// on dimensions, not movement.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph.h"
#include "workloads/import/onnx/values.h"

namespace tessera::workloads::onnx {

/// Steps of one logical dimension, outer first: heads side by side may be two steps.
using Steps = std::vector<Dim>;

struct Strided {
  TensorId tensor = kNoTensor;
  std::string root;  // a constant or an input of the graph that has no tensor yet
  std::int64_t offset = 0;
  std::vector<Steps> dims;  // one list for each logical dimension
};

/// A whole tensor of `shape`, last dimension contiguous.
Strided row_major(const Shape& shape);
Shape shape_of(const Strided& value);

/// False where the elements would have to move.
bool reshape(const Strided& from, const Shape& to, Strided& out);
Strided transpose(const Strided& from, const std::vector<std::size_t>& order);
/// The value whose transpose by `order` is `to`.
Strided untranspose(const Strided& to, const std::vector<std::size_t>& order);
/// `count` elements of dimension `axis` from `start`, `step` apart. False where steps get in the
/// way.
bool slice(const Strided& from, std::size_t axis, std::int64_t start, std::int64_t step,
           std::int64_t count, Strided& out);
/// Broadcast to `to`: new and stretched dimensions have stride 0.
Strided expand(const Strided& from, const Shape& to);

/// The same dimensions of several values, stepped through together: one list of steps for each,
/// equally long, with the same counts, as short as possible. False where steps do not nest.
bool step_together(std::vector<Steps> values, std::vector<Steps>& out);
/// Dimensions [first, last) of `value` as one list.
Steps joined(const Strided& value, std::size_t first, std::size_t last);
/// Whether dimension `axis` is one run of neighbouring elements.
bool is_contiguous(const Strided& value, std::size_t axis);

}  // namespace tessera::workloads::onnx
