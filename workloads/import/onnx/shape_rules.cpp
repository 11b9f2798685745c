#include "workloads/import/onnx/shape_rules.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>

namespace tessera::workloads::onnx {
namespace {

using Shapes = std::vector<Shape>;
using Rule = std::function<Shapes(const Node&, const Inputs&)>;

[[noreturn]] void refuse(const std::string& reason) { throw std::invalid_argument(reason); }

const Value& given(const Inputs& inputs, std::size_t index) {
  if (index >= inputs.size() || inputs[index] == nullptr) {
    refuse("input " + std::to_string(index) + " is missing");
  }
  return *inputs[index];
}

const Shape& shape(const Inputs& inputs, std::size_t index) { return given(inputs, index).shape; }

bool is_given(const Inputs& inputs, std::size_t index) {
  return index < inputs.size() && inputs[index] != nullptr;
}

/// Elements of a shape-giving input; empty optional as false.
bool elements(const Inputs& inputs, std::size_t index, std::vector<std::int64_t>& out) {
  const Value& value = given(inputs, index);
  if (!value.has_elements) {
    if (value.external) refuse("a shape or index lies in an external file, which is not opened");
    return false;
  }
  out = value.integers;
  return true;
}

Shapes same_as_first(const Node& node, const Inputs& inputs) {
  return Shapes(node.outputs.size(), shape(inputs, 0));
}

Shapes broadcast_all(const Node&, const Inputs& inputs) {
  Shape result = shape(inputs, 0);
  for (std::size_t i = 1; i < inputs.size(); ++i) result = broadcast(result, shape(inputs, i));
  return {result};
}

Shapes matmul(const Shape& left, const Shape& right) {
  if (left.empty() || right.empty()) refuse("MatMul of a scalar");
  Shape a = left, b = right;
  if (left.size() == 1) a.insert(a.begin(), 1);
  if (right.size() == 1) b.push_back(1);
  if (a.back() != b[b.size() - 2]) {
    refuse("the inner dimensions of " + shown(left) + " and " + shown(right) + " differ");
  }
  Shape result = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  if (left.size() > 1) result.push_back(a[a.size() - 2]);
  if (right.size() > 1) result.push_back(b.back());
  return {result};
}

Shapes gemm(const Node& node, const Inputs& inputs) {
  Shape a = shape(inputs, 0), b = shape(inputs, 1);
  if (a.size() != 2 || b.size() != 2) refuse("Gemm takes matrices");
  if (integer_of(node, "transA", 0) != 0) std::swap(a[0], a[1]);
  if (integer_of(node, "transB", 0) != 0) std::swap(b[0], b[1]);
  return matmul(a, b);
}

/// Padding before and after spatial axis `i`.
std::int64_t total_pad(const Node& node, std::size_t i, std::size_t spatial) {
  const std::vector<std::int64_t> pads = integers_of(node, "pads");
  return pads.size() == 2 * spatial ? pads[i] + pads[i + spatial] : 0;
}

std::int64_t or_one(const std::vector<std::int64_t>& list, std::size_t i) {
  return i < list.size() ? list[i] : 1;
}

Shapes conv(const Node& node, const Inputs& inputs) {
  const Shape &x = shape(inputs, 0), &w = shape(inputs, 1);
  if (x.size() < 3 || x.size() != w.size()) refuse("input and kernel have different ranks");
  const std::string padding = text_of(node, "auto_pad", "NOTSET");
  const std::int64_t groups = integer_of(node, "group", 1);
  if (groups < 1 || x[1] != w[1] * groups) refuse("the channels of input and kernel differ");
  const auto strides = integers_of(node, "strides"), dilations = integers_of(node, "dilations");
  Shape result{x[0], w[0]};
  for (std::size_t i = 0; i + 2 < x.size(); ++i) {
    const std::int64_t stride = or_one(strides, i);
    if (stride < 1) refuse("strides must be positive");
    const std::int64_t kernel = or_one(dilations, i) * (w[i + 2] - 1) + 1;
    const bool same = padding == "SAME_UPPER" || padding == "SAME_LOWER";
    const std::int64_t room = x[i + 2] + total_pad(node, i, x.size() - 2) - kernel;
    if (!same && room < 0) refuse("the kernel is larger than the input");
    result.push_back(same ? (x[i + 2] + stride - 1) / stride : room / stride + 1);
  }
  return {result};
}

Shapes reshape(const Node& node, const Inputs& inputs) {
  std::vector<std::int64_t> target = integers_of(node, "shape");
  if (inputs.size() > 1 && !elements(inputs, 1, target)) return {};
  const Shape& from = shape(inputs, 0);
  std::int64_t known = 1;
  std::ptrdiff_t open = -1;
  for (std::size_t i = 0; i < target.size(); ++i) {
    const bool copies = target[i] == 0 && integer_of(node, "allowzero", 0) == 0;
    if (copies && i >= from.size()) refuse("a 0 in the shape has no input dimension to copy");
    if (copies) target[i] = from[i];
    if (target[i] < -1 || (target[i] == -1 && open >= 0)) refuse("bad shape " + shown(target));
    if (target[i] == -1) {
      open = static_cast<std::ptrdiff_t>(i);
    } else {
      known = element_count({known, target[i]});
    }
  }
  const std::int64_t count = element_count(from);
  if (open >= 0 && known > 0) target[static_cast<std::size_t>(open)] = count / known;
  if (element_count(target) != count) {
    refuse("a tensor of shape " + shown(from) + " cannot take the shape " + shown(target));
  }
  return {target};
}

Shapes flatten(const Node& node, const Inputs& inputs) {
  const Shape& from = shape(inputs, 0);
  const std::int64_t written = integer_of(node, "axis", 1);
  const auto rank = static_cast<std::int64_t>(from.size());
  const std::int64_t axis = written < 0 ? written + rank : written;
  if (axis < 0 || axis > rank) refuse("bad axis");
  return {{element_count(Shape(from.begin(), from.begin() + axis)),
           element_count(Shape(from.begin() + axis, from.end()))}};
}

Shapes transpose(const Node& node, const Inputs& inputs) {
  const Shape& from = shape(inputs, 0);
  Shape result;
  for (const std::size_t axis : permutation_of(node, from.size())) result.push_back(from[axis]);
  return {result};
}

Shapes squeeze(const Node& node, const Inputs& inputs) {
  const Shape& from = shape(inputs, 0);
  if (!knows_axes(inputs)) return {};
  const std::vector<std::int64_t> axes = axes_of(node, inputs);
  std::set<std::size_t> gone;
  for (const std::int64_t axis : axes) gone.insert(axis_of(axis, from.size()));
  Shape result;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const bool drop = axes.empty() ? from[i] == 1 : gone.count(i) != 0;
    if (drop && from[i] != 1) refuse("squeezes a dimension of " + std::to_string(from[i]));
    if (!drop) result.push_back(from[i]);
  }
  return {result};
}

Shapes unsqueeze(const Node& node, const Inputs& inputs) {
  const Shape& from = shape(inputs, 0);
  if (!knows_axes(inputs)) return {};
  const std::vector<std::int64_t> axes = axes_of(node, inputs);
  const std::size_t rank = from.size() + axes.size();
  std::set<std::size_t> added;
  for (const std::int64_t axis : axes) added.insert(axis_of(axis, rank));
  if (added.size() != axes.size()) refuse("an axis appears twice");
  Shape result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) result.push_back(added.count(i) ? 1 : from[next++]);
  return {result};
}

Shapes concat(const Node& node, const Inputs& inputs) {
  Shape result = shape(inputs, 0);
  const std::size_t axis = axis_of(integer_of(node, "axis", 1), result.size());
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    const Shape& next = shape(inputs, i);
    if (next.size() != result.size()) refuse("inputs of different ranks");
    for (std::size_t d = 0; d < next.size(); ++d) {
      if (d != axis && next[d] != result[d]) {
        refuse(shown(next) + " does not go beside " + shown(shape(inputs, 0)));
      }
    }
    result[axis] += next[axis];
  }
  return {result};
}

Shapes split(const Node& node, const Inputs& inputs) {
  if (is_given(inputs, 1) && !inputs[1]->has_elements) return {};
  const Shape& from = shape(inputs, 0);
  const std::size_t axis = axis_of(integer_of(node, "axis", 0), from.size());
  Shapes results;
  for (const std::int64_t size : split_sizes(node, inputs)) {
    results.push_back(from);
    results.back()[axis] = size;
  }
  return results;
}

Shapes slice(const Node& node, const Inputs& inputs) {
  if (!knows_slice(node, inputs)) return {};
  Shape result = shape(inputs, 0);
  for (const SliceRange& range : slice_ranges(node, inputs)) result[range.axis] = range.count;
  return {result};
}

Shapes gather(const Node& node, const Inputs& inputs) {
  const Shape &from = shape(inputs, 0), &indices = shape(inputs, 1);
  const std::size_t axis = axis_of(integer_of(node, "axis", 0), from.size());
  Shape result(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.end(), indices.begin(), indices.end());
  result.insert(result.end(), from.begin() + static_cast<std::ptrdiff_t>(axis) + 1, from.end());
  return {result};
}

Shapes expand(const Node&, const Inputs& inputs) {
  std::vector<std::int64_t> target;
  if (!elements(inputs, 1, target)) return {};
  return {broadcast(shape(inputs, 0), target)};
}

Shapes tile(const Node&, const Inputs& inputs) {
  std::vector<std::int64_t> repeats;
  if (!elements(inputs, 1, repeats)) return {};
  Shape result = shape(inputs, 0);
  if (repeats.size() != result.size()) refuse("one repeat for each dimension is needed");
  for (std::size_t i = 0; i < result.size(); ++i) result[i] *= repeats[i];
  return {result};
}

Shapes shape_of_shape(const Node& node, const Inputs& inputs) {
  const auto rank = static_cast<std::int64_t>(shape(inputs, 0).size());
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t first = place(integer_of(node, "start", 0));
  return {{std::max<std::int64_t>(0, place(integer_of(node, "end", rank)) - first)}};
}

Shapes constant(const Node& node, const Inputs&) {
  for (const auto& [key, attribute] : node.attributes) {
    if (key == "value") return {attribute.tensor.dims};
    if (key == "value_int" || key == "value_float" || key == "value_string") return {Shape{}};
    const auto count =
        static_cast<std::int64_t>(std::max(attribute.integers.size(), attribute.reals.size()));
    if (key == "value_ints" || key == "value_floats") return {{count}};
  }
  return {};
}

Shapes constant_of_shape(const Node&, const Inputs& inputs) {
  std::vector<std::int64_t> target;
  if (!elements(inputs, 0, target)) return {};
  return {target};
}

Shapes range(const Node&, const Inputs& inputs) {
  std::vector<std::int64_t> start, limit, delta;
  const bool known = elements(inputs, 0, start) && elements(inputs, 1, limit) &&
                     elements(inputs, 2, delta) && !start.empty() && !limit.empty() &&
                     !delta.empty();
  if (!known) return {};
  if (delta[0] == 0) refuse("a step of 0");
  const std::int64_t span = limit[0] - start[0];
  const std::int64_t count = (span + delta[0] - (delta[0] > 0 ? 1 : -1)) / delta[0];
  return {{std::max<std::int64_t>(0, count)}};
}

Shapes reduce(const Node& node, const Inputs& inputs) {
  const Shape& from = shape(inputs, 0);
  if (!knows_axes(inputs)) return {};
  std::set<std::size_t> gone;
  for (const std::int64_t axis : axes_of(node, inputs)) gone.insert(axis_of(axis, from.size()));
  const bool all = gone.empty() && integer_of(node, "noop_with_empty_axes", 0) == 0;
  Shape result;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!all && gone.count(i) == 0) {
      result.push_back(from[i]);
    } else if (integer_of(node, "keepdims", 1) != 0) {
      result.push_back(1);
    }
  }
  return {result};
}

Shapes arg_reduce(const Node& node, const Inputs& inputs) {
  Shape result = shape(inputs, 0);
  const std::size_t axis = axis_of(integer_of(node, "axis", 0), result.size());
  result[axis] = 1;
  if (integer_of(node, "keepdims", 1) == 0) {
    result.erase(result.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return {result};
}

Shapes normalisation(const Node& node, const Inputs& inputs) {
  if (shape(inputs, 0).empty()) refuse("a norm of a scalar");
  const Shape& from = shape(inputs, 0);
  const std::size_t axis = axis_of(integer_of(node, "axis", -1), from.size());
  Shape statistics = from;
  std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(axis), statistics.end(), 1);
  Shapes results(node.outputs.size(), statistics);
  results.at(0) = from;
  return results;
}

Shapes same_as_second(const Node&, const Inputs& inputs) { return {shape(inputs, 1)}; }

Shapes quantised_matmul(const Node&, const Inputs& inputs) {
  return matmul(shape(inputs, 0), shape(inputs, 3));
}

Shapes dynamic_quantise(const Node&, const Inputs& inputs) {
  return {shape(inputs, 0), Shape{}, Shape{}};
}

using Rules = std::map<std::string, Rule>;

/// `types`: separated by blanks.
void add_rule(Rules& all, const char* types, const Rule& rule) {
  std::istringstream words(types);
  for (std::string type; words >> type;) all[type] = rule;
}

Shapes product(const Node&, const Inputs& inputs) {
  return matmul(shape(inputs, 0), shape(inputs, 1));
}

Shapes scalar(const Node&, const Inputs&) { return {Shape{}}; }

void add_arithmetic(Rules& all) {
  add_rule(all,
           "Relu Gelu Erf Tanh Sigmoid Sqrt Exp Log Neg Abs Reciprocal Identity Cast Dropout Floor "
           "Ceil Round Sign Not Softmax LogSoftmax Clip Sin Cos Softplus Elu Mish LeakyRelu "
           "CastLike IsNaN IsInf Trilu CumSum HardSwish HardSigmoid Swish FastGelu QuickGelu Rope "
           "ScatterND ScatterElements QuantizeLinear DequantizeLinear",
           same_as_first);
  add_rule(all,
           "Add Sub Mul Div Pow Mod Min Max Equal Less Greater LessOrEqual GreaterOrEqual And Or "
           "Xor Where Sum Mean",
           broadcast_all);
  add_rule(all, "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL2 ReduceSumSquare",
           reduce);
  add_rule(all, "LayerNormalization RMSNormalization SimplifiedLayerNormalization", normalisation);
  add_rule(all, "MatMul MatMulInteger", product);
  add_rule(all, "ArgMax ArgMin", arg_reduce);
}

const Rules& rules() {
  static const Rules table = [] {
    Rules all{{"QLinearMatMul", quantised_matmul},
              {"DynamicQuantizeLinear", dynamic_quantise},
              {"Gemm", gemm},
              {"Conv", conv},
              {"Reshape", reshape},
              {"Flatten", flatten},
              {"Transpose", transpose},
              {"Squeeze", squeeze},
              {"Unsqueeze", unsqueeze},
              {"Concat", concat},
              {"Split", split},
              {"Slice", slice},
              {"Gather", gather},
              {"GatherElements", same_as_second},
              {"Expand", expand},
              {"Tile", tile},
              {"Shape", shape_of_shape},
              {"Size", scalar},
              {"Constant", constant},
              {"ConstantOfShape", constant_of_shape},
              {"Range", range}};
    add_arithmetic(all);
    return all;
  }();
  return table;
}

}  // namespace

Shape broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) refuse(shown(a) + " does not broadcast with " + shown(b));
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

bool knows_axes(const Inputs& inputs) { return !is_given(inputs, 1) || inputs[1]->has_elements; }

std::vector<std::int64_t> axes_of(const Node& node, const Inputs& inputs) {
  return is_given(inputs, 1) ? inputs[1]->integers : integers_of(node, "axes");
}

bool knows_slice(const Node& node, const Inputs& inputs) {
  if (has_attribute(node, "starts")) return true;
  if (!is_given(inputs, 1) || !is_given(inputs, 2)) refuse("starts and ends are missing");
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (is_given(inputs, i) && !inputs[i]->has_elements) return false;
  }
  return true;
}

std::vector<SliceRange> slice_ranges(const Node& node, const Inputs& inputs) {
  const bool old = has_attribute(node, "starts");
  const auto list = [&](const char* key, std::size_t index) {
    if (old) return integers_of(node, key);
    return is_given(inputs, index) ? inputs[index]->integers : std::vector<std::int64_t>{};
  };
  const auto starts = list("starts", 1), ends = list("ends", 2), axes = list("axes", 3);
  const auto steps = old ? std::vector<std::int64_t>{} : list("steps", 4);
  const Shape& from = shape(inputs, 0);
  if (starts.size() != ends.size()) refuse("starts and ends differ in number");
  std::vector<SliceRange> ranges;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    SliceRange range;
    range.axis = axis_of(i < axes.size() ? axes[i] : static_cast<std::int64_t>(i), from.size());
    range.step = or_one(steps, i);
    const std::int64_t size = from[range.axis];
    if (range.step == 0) refuse("a step of 0");
    const bool forward = range.step > 0;
    const auto place = [&](std::int64_t at) {
      const std::int64_t positive = at < 0 ? at + size : at;
      return forward ? std::clamp<std::int64_t>(positive, 0, size)
                     : std::clamp<std::int64_t>(positive, -1, size - 1);
    };
    range.start = place(starts[i]);
    const std::int64_t end = !forward && ends[i] < -size ? -1 : place(ends[i]);
    const std::int64_t span = forward ? end - range.start : range.start - end;
    const std::int64_t width = forward ? range.step : -range.step;
    range.count = span <= 0 ? 0 : (span - 1) / width + 1;
    ranges.push_back(range);
  }
  return ranges;
}

std::vector<std::int64_t> split_sizes(const Node& node, const Inputs& inputs) {
  const Shape& from = shape(inputs, 0);
  const std::int64_t size = from[axis_of(integer_of(node, "axis", 0), from.size())];
  const auto parts = static_cast<std::int64_t>(node.outputs.size());
  std::vector<std::int64_t> sizes =
      is_given(inputs, 1) ? inputs[1]->integers : integers_of(node, "split");
  if (sizes.empty()) {
    const std::int64_t each = (size + parts - 1) / std::max<std::int64_t>(1, parts);
    for (std::int64_t i = 0; i < parts; ++i) sizes.push_back(std::min(each, size - i * each));
  }
  const bool positive = std::all_of(sizes.begin(), sizes.end(), [](auto s) { return s >= 0; });
  if (!positive || std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) != size ||
      static_cast<std::int64_t>(sizes.size()) != parts) {
    refuse("the parts " + shown(sizes) + " do not make up " + std::to_string(size));
  }
  return sizes;
}

std::vector<std::size_t> permutation_of(const Node& node, std::size_t rank) {
  std::vector<std::size_t> order;
  if (!has_attribute(node, "perm")) {
    for (std::size_t i = rank; i > 0; --i) order.push_back(i - 1);
    return order;
  }
  for (const std::int64_t axis : integers_of(node, "perm")) order.push_back(axis_of(axis, rank));
  const std::set<std::size_t> distinct(order.begin(), order.end());
  if (order.size() != rank || distinct.size() != rank) refuse("perm is no permutation");
  return order;
}

bool has_shape_rule(const Node& node) {
  const bool known_domain = node.domain.empty() || node.domain == "com.microsoft";
  return known_domain && rules().count(node.type) != 0;
}

std::vector<Shape> output_shapes(const Node& node, const Inputs& inputs) {
  return rules().at(node.type)(node, inputs);
}

}  // namespace tessera::workloads::onnx
