#include "workloads/import/onnx/fold.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tessera::workloads::onnx {
namespace {

constexpr std::int64_t kMostFolded = 1 << 16;

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// Calls `visit(index)` for every element of `shape`, last dimension fastest.
void for_each_index(const Shape& shape, const std::function<void(const Shape&)>& visit) {
  Shape index(shape.size(), 0);
  for (std::int64_t left = element_count(shape); left > 0; --left) {
    visit(index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

/// Position in a tensor of shape `from` of broadcast index `index`.
std::int64_t broadcast_position(const Shape& from, const Shape& index) {
  const std::vector<std::int64_t> strides = strides_of(from);
  std::int64_t at = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t coordinate = index[index.size() - from.size() + i];
    at += from[i] == 1 ? 0 : coordinate * strides[i];
  }
  return at;
}

bool is_real(const Value& value) { return value.type.cls == ElementClass::kFloat; }

double real_at(const Value& value, std::int64_t at) {
  const auto i = static_cast<std::size_t>(at);
  return is_real(value) ? value.reals.at(i) : static_cast<double>(value.integers.at(i));
}

void append_from(const Value& from, std::int64_t at, Value& to) {
  const auto i = static_cast<std::size_t>(at);
  if (is_real(from)) {
    to.reals.push_back(from.reals.at(i));
  } else {
    to.integers.push_back(from.integers.at(i));
  }
}

void copy_elements(const Value& from, Value& to) {
  to.integers = from.integers;
  to.reals = from.reals;
}

void cast(const Value& from, Value& to) {
  const std::int64_t count = element_count(from.shape);
  for (std::int64_t i = 0; i < count; ++i) {
    if (is_real(to)) {
      to.reals.push_back(real_at(from, i));
    } else {
      to.integers.push_back(is_real(from) ? static_cast<std::int64_t>(real_at(from, i))
                                          : from.integers[static_cast<std::size_t>(i)]);
    }
  }
}

std::int64_t integer_result(const std::string& type, std::int64_t a, std::int64_t b) {
  if (type == "Add") return a + b;
  if (type == "Sub") return a - b;
  if (type == "Mul") return a * b;
  if (type == "Div") return b == 0 ? 0 : a / b;
  if (type == "Mod") return b == 0 ? 0 : ((a % b) + b) % b;
  if (type == "Min") return std::min(a, b);
  if (type == "Max") return std::max(a, b);
  if (type == "Equal") return a == b;
  if (type == "Less") return a < b;
  if (type == "Greater") return a > b;
  if (type == "LessOrEqual") return a <= b;
  if (type == "GreaterOrEqual") return a >= b;
  if (type == "And") return (a != 0) && (b != 0);
  if (type == "Or") return (a != 0) || (b != 0);
  return static_cast<std::int64_t>(std::pow(static_cast<double>(a), static_cast<double>(b)));
}

double real_result(const std::string& type, double a, double b) {
  if (type == "Add") return a + b;
  if (type == "Sub") return a - b;
  if (type == "Mul") return a * b;
  if (type == "Div") return a / b;
  if (type == "Min") return std::min(a, b);
  if (type == "Max") return std::max(a, b);
  return std::pow(a, b);
}

bool is_binary(const std::string& type) {
  static const char* const types[] = {
      "Add",   "Sub",  "Mul",     "Div", "Mod", "Min",         "Max",
      "Equal", "Less", "Greater", "Pow", "And", "LessOrEqual", "GreaterOrEqual",
      "Or"};
  return std::find(std::begin(types), std::end(types), type) != std::end(types);
}

bool compares(const std::string& type) {
  return type == "Equal" || type == "Mod" || type == "And" || type == "Or" ||
         type.compare(0, 4, "Less") == 0 || type.compare(0, 7, "Greater") == 0;
}

bool fold_binary(const Node& node, const Inputs& inputs, Value& out) {
  const Value &a = *inputs[0], &b = *inputs[1];
  if (is_real(a) && compares(node.type)) return false;
  for_each_index(out.shape, [&](const Shape& index) {
    const std::int64_t i = broadcast_position(a.shape, index);
    const std::int64_t j = broadcast_position(b.shape, index);
    if (is_real(a)) {
      out.reals.push_back(real_result(node.type, real_at(a, i), real_at(b, j)));
    } else {
      out.integers.push_back(integer_result(node.type, a.integers.at(static_cast<std::size_t>(i)),
                                            b.integers.at(static_cast<std::size_t>(j))));
    }
  });
  return true;
}

bool fold_unary(const Node& node, const Value& in, Value& out) {
  static const std::map<std::string, double (*)(double)> functions{
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Neg", [](double x) { return -x; }},
      {"Abs", [](double x) { return std::fabs(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Not", [](double x) { return x == 0 ? 1.0 : 0.0; }}};
  const auto found = functions.find(node.type);
  if (found == functions.end()) return false;
  for (std::int64_t i = 0; i < element_count(in.shape); ++i) {
    const double result = found->second(real_at(in, i));
    if (is_real(out)) {
      out.reals.push_back(result);
    } else {
      out.integers.push_back(static_cast<std::int64_t>(result));
    }
  }
  return true;
}

void fold_transpose(const Node& node, const Value& in, Value& out) {
  const auto order = permutation_of(node, in.shape.size());
  const auto strides = strides_of(in.shape);
  for_each_index(out.shape, [&](const Shape& index) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < order.size(); ++i) at += index[i] * strides[order[i]];
    append_from(in, at, out);
  });
}

void fold_slice(const Node& node, const Inputs& inputs, Value& out) {
  const Value& in = *inputs[0];
  const auto strides = strides_of(in.shape);
  const auto ranges = slice_ranges(node, inputs);
  for_each_index(out.shape, [&](const Shape& index) {
    Shape place = index;
    for (const SliceRange& range : ranges) {
      place[range.axis] = range.start + index[range.axis] * range.step;
    }
    std::int64_t at = 0;
    for (std::size_t i = 0; i < place.size(); ++i) at += place[i] * strides[i];
    append_from(in, at, out);
  });
}

bool fold_gather(const Node& node, const Inputs& inputs, Value& out) {
  const Value &in = *inputs[0], &indices = *inputs[1];
  const std::size_t axis = axis_of(integer_of(node, "axis", 0), in.shape.size());
  const std::int64_t size = in.shape[axis];
  for (const std::int64_t index : indices.integers) {
    if (index < -size || index >= size) return false;
  }
  const auto strides = strides_of(in.shape), index_strides = strides_of(indices.shape);
  for_each_index(out.shape, [&](const Shape& place) {
    std::int64_t which = 0, at = 0;
    const std::size_t wide = indices.shape.size();
    for (std::size_t i = 0; i < wide; ++i) which += place[axis + i] * index_strides[i];
    const std::int64_t index = indices.integers[static_cast<std::size_t>(which)];
    for (std::size_t i = 0; i < in.shape.size(); ++i) {
      const std::int64_t coordinate = i < axis    ? place[i]
                                      : i > axis  ? place[i + wide - 1]
                                      : index < 0 ? index + size
                                                  : index;
      at += coordinate * strides[i];
    }
    append_from(in, at, out);
  });
  return true;
}

bool fold_concat(const Node& node, const Inputs& inputs, Value& out) {
  if (axis_of(integer_of(node, "axis", 0), out.shape.size()) != 0) return false;
  for (const Value* input : inputs) {
    for (std::int64_t i = 0; i < element_count(input->shape); ++i) append_from(*input, i, out);
  }
  return true;
}

void fold_broadcast(const Value& in, Value& out) {
  for_each_index(out.shape, [&](const Shape& index) {
    append_from(in, broadcast_position(in.shape, index), out);
  });
}

void fold_where(const Inputs& inputs, Value& out) {
  for_each_index(out.shape, [&](const Shape& index) {
    const auto at = [&](std::size_t i) { return broadcast_position(inputs[i]->shape, index); };
    const bool yes = real_at(*inputs[0], at(0)) != 0;
    append_from(*inputs[yes ? 1 : 2], at(yes ? 1 : 2), out);
  });
}

bool fold_constant(const Node& node, Value& out) {
  for (const auto& [key, attribute] : node.attributes) {
    if (key == "value_int") out.integers = {attribute.integer};
    if (key == "value_ints") out.integers = attribute.integers;
    if (key == "value_float") out.reals = {attribute.real};
    if (key == "value_floats") out.reals = attribute.reals;
    if (key != "value") continue;
    if (!attribute.tensor.has_elements) return false;
    out.integers = attribute.tensor.integers;
    out.reals = attribute.tensor.reals;
  }
  return true;
}

bool fold_filled(const Node& node, Value& out) {
  const auto count = static_cast<std::size_t>(element_count(out.shape));
  const auto found = node.attributes.find("value");
  const bool written = found != node.attributes.end() && found->second.tensor.has_elements;
  if (is_real(out)) {
    out.reals.assign(count, written ? found->second.tensor.reals.at(0) : 0.0);
  } else {
    out.integers.assign(count, written ? found->second.tensor.integers.at(0) : 0);
  }
  return true;
}

bool fold_shape(const Node& node, const Value& in, Value& out) {
  const auto rank = static_cast<std::int64_t>(in.shape.size());
  const std::int64_t start = integer_of(node, "start", 0);
  const std::int64_t first = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
  for (std::int64_t i = 0; i < out.shape[0]; ++i) {
    out.integers.push_back(in.shape[static_cast<std::size_t>(first + i)]);
  }
  return true;
}

bool fold_range(const Inputs& inputs, Value& out) {
  for (std::int64_t i = 0; i < out.shape[0]; ++i) {
    out.integers.push_back(inputs[0]->integers[0] + i * inputs[2]->integers[0]);
  }
  return !is_real(out);
}

bool fold_layout(const Node& node, const Inputs& inputs, Value& out) {
  const std::string& type = node.type;
  if (type == "Transpose") return fold_transpose(node, *inputs[0], out), true;
  if (type == "Slice") return fold_slice(node, inputs, out), true;
  if (type == "Gather") return fold_gather(node, inputs, out);
  if (type == "Concat") return fold_concat(node, inputs, out);
  if (type == "Expand") return fold_broadcast(*inputs[0], out), true;
  if (type == "Where") return fold_where(inputs, out), true;
  static const char* const same[] = {"Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"};
  if (std::find(std::begin(same), std::end(same), type) == std::end(same)) return false;
  copy_elements(*inputs[0], out);
  return true;
}

/// Whether `out` now holds its elements.
bool fold(const Node& node, const Inputs& inputs, Value& out) {
  if (node.type == "Constant") return fold_constant(node, out);
  if (node.type == "Shape") return fold_shape(node, *inputs[0], out);
  if (node.type == "Size") return out.integers.push_back(element_count(inputs[0]->shape)), true;
  const bool known = std::all_of(inputs.begin(), inputs.end(), [](const Value* input) {
    return input == nullptr || input->has_elements;
  });
  if (!known) return false;
  if (inputs.empty() || inputs[0] == nullptr) return false;
  if (node.type == "ConstantOfShape") return fold_filled(node, out);
  if (node.type == "Range") return fold_range(inputs, out);
  if (node.type == "Cast") return cast(*inputs[0], out), true;
  const bool pair = inputs.size() == 2 && inputs[1] != nullptr;
  if (is_binary(node.type)) return pair && fold_binary(node, inputs, out);
  if (inputs.size() == 1 && fold_unary(node, *inputs[0], out)) return true;
  return fold_layout(node, inputs, out);
}

}  // namespace

void fold_elements(const Node& node, const Inputs& inputs, std::vector<Value>& outputs) {
  if (outputs.size() != 1 || !node.domain.empty()) return;
  Value& out = outputs.front();
  if (!out.has_shape || element_count(out.shape) > kMostFolded) return;
  out.has_elements = fold(node, inputs, out);
  if (out.has_elements) {
    out.constant = true;
  } else {
    out.integers.clear();
    out.reals.clear();
  }
}

}  // namespace tessera::workloads::onnx
