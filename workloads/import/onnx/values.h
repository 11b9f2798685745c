// What is known of every value of an ONNX graph: shape, constancy, elements where they are small.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workloads/import/onnx/model.h"

namespace tessera::workloads::onnx {

struct Value {
  ElementType type;
  bool has_shape = false;
  Shape shape;
  bool constant = false;      // the same in every execution: a weight or computed from weights
  bool has_elements = false;  // `integers` or `reals` hold all of them
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  bool external = false;
};

using Values = std::map<std::string, Value>;
using Bindings = std::map<std::string, std::int64_t>;

std::int64_t element_count(const Shape& shape);
std::string shown(const Shape& shape);  // "[1, 50, 768]"
/// Counts from the end for negative axes. Throws std::invalid_argument outside -rank .. rank-1.
std::size_t axis_of(std::int64_t axis, std::size_t rank);
/// The only element of a known one-element constant.
bool scalar_of(const Value& value, double& scalar);

/// Shapes of all values with every symbol bound. `model`'s nodes come in topological order. Values
/// behind an operator without a shape rule have no shape unless the file says it; with
/// `assume_unknown` they take the shape of the operator's first input. Throws ImportError: unbound
/// symbols (all of them), bindings that nothing needs, shapes that do not fit.
Values infer_values(const Model& model, const Bindings& bindings, bool assume_unknown);

}  // namespace tessera::workloads::onnx
