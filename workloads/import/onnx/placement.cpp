#include "workloads/import/onnx/placement.h"

#include <algorithm>

#include "workloads/import/onnx/shape_rules.h"

namespace tessera::workloads::onnx {
namespace {

bool regroups(const Node& node) {
  static const char* const types[] = {"Reshape", "Squeeze", "Unsqueeze", "Flatten"};
  return std::find(std::begin(types), std::end(types), node.type) != std::end(types);
}

std::size_t concat_axis(const Network& network, const Node& concat) {
  return axis_of(integer_of(concat, "axis", 1), network.value(concat.outputs[0]).shape.size());
}

bool same_steps(const Strided& a, const Strided& b) {
  if (a.offset != b.offset || a.dims.size() != b.dims.size()) return false;
  for (std::size_t i = 0; i < a.dims.size(); ++i) {
    const bool same = std::equal(
        a.dims[i].begin(), a.dims[i].end(), b.dims[i].begin(), b.dims[i].end(),
        [](const Dim& x, const Dim& y) { return x.count == y.count && x.stride == y.stride; });
    if (!same) return false;
  }
  return true;
}

/// All dimensions in order, `columns` moved to the end.
std::vector<std::size_t> natural_order(std::size_t rank, std::size_t columns) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < rank; ++i) {
    if (i != columns) order.push_back(i);
  }
  if (rank > 0) order.push_back(columns);
  return order;
}

Shape permuted(const Shape& shape, const std::vector<std::size_t>& order) {
  Shape result;
  for (const std::size_t axis : order) result.push_back(shape[axis]);
  return result;
}

}  // namespace

std::int64_t concat_begin(const Network& network, const Node& concat, std::size_t input) {
  const std::size_t axis = concat_axis(network, concat);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < input; ++i) begin += network.value(concat.inputs[i]).shape[axis];
  return begin;
}

std::vector<Placement::Step> Placement::chain_behind(const std::string& name) const {
  std::vector<Step> chain;
  std::string at = name;
  while (const Node* reader = network_.only_consumer(at)) {
    const bool concat = reader->type == "Concat";
    if (!concat && !regroups(*reader) && reader->type != "Transpose") break;
    if (std::count(reader->inputs.begin(), reader->inputs.end(), at) != 1) break;
    if (!concat && reader->inputs[0] != at) break;
    if (!network_.value(reader->outputs[0]).has_shape) break;
    chain.push_back({network_.consumers(at)[0], at, reader->outputs[0]});
    at = reader->outputs[0];
    if (concat) break;
  }
  return chain;
}

bool Placement::part_of_concat(const Step& step, Strided& value) const {
  const Node& concat = network_.nodes()[step.node];
  const std::size_t axis = concat_axis(network_, concat);
  const auto place = std::find(concat.inputs.begin(), concat.inputs.end(), step.from);
  const auto input = static_cast<std::size_t>(place - concat.inputs.begin());
  return slice(row_major(network_.value(step.to).shape), axis,
               concat_begin(network_, concat, input), 1, network_.value(step.from).shape[axis],
               value);
}

/// The result as the value behind `length` steps of the chain would see it in row-major order.
bool Placement::seen_through(const std::vector<Step>& chain, std::size_t length,
                             Strided& value) const {
  std::size_t left = length;
  const Step& last = chain[length - 1];
  if (network_.nodes()[last.node].type == "Concat") {
    if (!part_of_concat(last, value)) return false;
    --left;
  } else {
    value = row_major(network_.value(last.to).shape);
  }
  while (left-- > 0) {
    const Node& node = network_.nodes()[chain[left].node];
    const Shape& before = network_.value(chain[left].from).shape;
    if (node.type == "Transpose") {
      value = untranspose(value, permutation_of(node, before.size()));
    } else if (!reshape(value, before, value)) {
      return false;
    }
  }
  return true;
}

Strided Placement::concatenated(std::size_t node) {
  const std::string& name = network_.nodes()[node].outputs[0];
  const Shape& shape = network_.value(name).shape;
  auto found = concats_.find(node);
  if (found == concats_.end()) found = concats_.emplace(node, make_tensor_(name, shape)).first;
  Strided whole = row_major(shape);
  whole.tensor = found->second;
  return whole;
}

Strided Placement::place(const std::string& name, std::size_t columns, const Accepts& accepts) {
  const Shape& shape = network_.value(name).shape;
  const auto order = natural_order(shape.size(), columns);
  const Shape natural_shape = permuted(shape, order);
  Strided natural = untranspose(row_major(natural_shape), order);
  const std::vector<Step> chain = chain_behind(name);
  for (std::size_t length = chain.size(); length > 0; --length) {
    Strided value;
    if (!seen_through(chain, length, value) || !accepts(value)) continue;
    const Step& last = chain[length - 1];
    if (network_.nodes()[last.node].type == "Concat") {
      const auto& inputs = network_.nodes()[last.node].inputs;
      const auto input = std::find(inputs.begin(), inputs.end(), last.from) - inputs.begin();
      value.tensor = concatenated(last.node).tensor;
      in_place_.insert({last.node, static_cast<std::size_t>(input)});
      return value;
    }
    if (same_steps(value, natural)) break;
    value.tensor = make_tensor_(last.to, network_.value(last.to).shape);
    return value;
  }
  natural.tensor = make_tensor_(name, natural_shape);
  return natural;
}

}  // namespace tessera::workloads::onnx
