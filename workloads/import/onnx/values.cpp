#include "workloads/import/onnx/values.h"

#include <algorithm>
#include <stdexcept>

#include "workloads/import/onnx/fold.h"
#include "workloads/import/onnx/shape_rules.h"

namespace tessera::workloads::onnx {
namespace {

constexpr std::int64_t kMostElements = 1'000'000'000'000;  // of one tensor, as in descriptors
constexpr std::int64_t kMostBound = 1'000'000'000;

/// What `--bind` calls dimension `axis` of `input`.
std::string symbol_of(const ValueInfo& input, std::size_t axis) {
  const std::string& symbol = input.dims[axis].symbol;
  return symbol.empty() ? input.name + "." + std::to_string(axis) : symbol;
}

void check_bindings(const Model& model, const Bindings& bindings) {
  std::map<std::string, std::string> unbound;  // symbol -> where it stands
  std::map<std::string, bool> used;
  for (const auto& [symbol, size] : bindings) used[symbol] = false;
  for (const ValueInfo& input : model.inputs) {
    for (std::size_t i = 0; i < input.dims.size(); ++i) {
      if (input.dims[i].size >= 0) continue;
      const std::string symbol = symbol_of(input, i);
      if (bindings.count(symbol) != 0) {
        used[symbol] = true;
      } else if (unbound.count(symbol) == 0) {
        unbound[symbol] = input.name;
      }
    }
  }
  std::string missing, hint;
  for (const auto& [symbol, where] : unbound) {
    missing += (missing.empty() ? "" : ", ") + symbol + " (of " + where + ")";
    hint += " --bind " + symbol + "=N";
  }
  if (!missing.empty()) {
    throw ImportError(model.file + ": unbound symbols: " + missing + "; give" + hint);
  }
  for (const auto& [symbol, is_used] : used) {
    if (is_used) continue;
    throw ImportError(model.file + ": no input has a dimension '" + symbol + "' to bind");
  }
}

Value constant_value(const Constant& constant) {
  Value value;
  value.type = constant.type;
  value.has_shape = true;
  value.shape = constant.dims;
  value.constant = true;
  value.external = constant.external;
  value.has_elements = constant.has_elements;
  value.integers = constant.integers;
  value.reals = constant.reals;
  return value;
}

/// A value as the file describes it; without shape when a dimension is open.
Value described_value(const ValueInfo& info, const Bindings& bindings) {
  Value value;
  value.type = info.type;
  value.has_shape = info.has_shape;
  for (std::size_t i = 0; i < info.dims.size(); ++i) {
    std::int64_t size = info.dims[i].size;
    const auto bound = bindings.find(symbol_of(info, i));
    if (size < 0 && bound != bindings.end()) size = bound->second;
    value.has_shape = value.has_shape && size >= 0;
    value.shape.push_back(size);
  }
  return value;
}

void check_size(const Model& model, const std::string& name, const Value& value) {
  std::int64_t count = 1;
  for (const std::int64_t dim : value.shape) {
    if (dim < 0)
      throw ImportError(model.file + ": '" + name + "' has the shape " + shown(value.shape));
    if (dim > 0 && count > kMostElements / dim) {
      throw ImportError(model.file + ": '" + name + "' of shape " + shown(value.shape) +
                        " has more than 10^12 elements");
    }
    count *= dim;
  }
}

ElementType integer_type() { return {ElementClass::kInteger, 64}; }

/// By the numbers of onnx.proto's TensorProto.DataType.
ElementType cast_type(std::int64_t to, ElementType from) {
  const bool real = to == 1 || to == 10 || to == 11 || to == 16 || (to >= 17 && to <= 20);
  if (real) return {ElementClass::kFloat, to == 1 ? 32 : to == 11 ? 64 : to >= 17 ? 8 : 16};
  if (to == 9) return {ElementClass::kBool, 8};
  return to > 0 ? integer_type() : from;
}

/// Roughly: integer or real, which is what folding asks.
ElementType output_type(const Node& node, const Inputs& inputs) {
  const ElementType first = inputs.empty() || !inputs[0] ? ElementType{} : inputs[0]->type;
  if (node.type == "Shape" || node.type == "Size" || node.type == "ArgMax") return integer_type();
  if (node.type == "Cast") return cast_type(integer_of(node, "to", 0), first);
  if (node.type == "Where" && inputs.size() > 1 && inputs[1]) return inputs[1]->type;
  if (node.type == "ConstantOfShape") {
    const auto found = node.attributes.find("value");
    return found == node.attributes.end() ? ElementType{} : found->second.tensor.type;
  }
  if (node.type == "Constant") {
    for (const auto& [key, attribute] : node.attributes) {
      if (key == "value") return attribute.tensor.type;
      if (key == "value_int" || key == "value_ints") return integer_type();
    }
    return {};
  }
  return first;
}

class Inference {
 public:
  Inference(const Model& model, const Bindings& bindings, bool assume_unknown)
      : model_(model), assume_unknown_(assume_unknown) {
    for (const Constant& constant : model.initializers) {
      values_[constant.name] = constant_value(constant);
      check_size(model, constant.name, values_[constant.name]);
    }
    for (const ValueInfo& input : model.inputs) {
      values_[input.name] = described_value(input, bindings);
      if (!values_[input.name].has_shape) {
        throw ImportError(model.file + ": the input '" + input.name + "' has no shape");
      }
      check_size(model, input.name, values_[input.name]);
    }
    for (const ValueInfo& info : model.values)
      annotated_[info.name] = described_value(info, bindings);
    for (const ValueInfo& info : model.outputs)
      annotated_[info.name] = described_value(info, bindings);
  }

  Values run() {
    for (const Node& node : model_.nodes) infer(node);
    return std::move(values_);
  }

 private:
  Inputs inputs_of(const Node& node) const {
    Inputs inputs;
    for (const std::string& name : node.inputs) {
      if (name.empty()) {
        inputs.push_back(nullptr);
        continue;
      }
      const auto found = values_.find(name);
      if (found == values_.end()) {
        throw ImportError(model_.file + ": " + shown(node) + " reads '" + name +
                          "', which nothing in front of it produces");
      }
      inputs.push_back(&found->second);
    }
    return inputs;
  }

  std::vector<Shape> shapes_of(const Node& node, const Inputs& inputs) const {
    const bool ready = std::all_of(inputs.begin(), inputs.end(), [](const Value* value) {
      return value == nullptr || value->has_shape;
    });
    if (!ready || !has_shape_rule(node)) return {};
    try {
      return output_shapes(node, inputs);
    } catch (const std::invalid_argument& error) {
      throw ImportError(model_.file + ": " + shown(node) + ": " + error.what());
    }
  }

  void infer(const Node& node) {
    const Inputs inputs = inputs_of(node);
    const std::vector<Shape> shapes = shapes_of(node, inputs);
    const bool constant = std::all_of(inputs.begin(), inputs.end(), [](const Value* value) {
      return value == nullptr || value->constant;
    });
    std::vector<Value> outputs(node.outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      outputs[i].type = output_type(node, inputs);
      outputs[i].constant = constant;
      if (i < shapes.size()) {
        outputs[i].has_shape = true;
        outputs[i].shape = shapes[i];
      } else {
        fall_back(node.outputs[i], inputs, outputs[i]);
      }
    }
    for (std::size_t i = 0; i < outputs.size(); ++i)
      check_size(model_, node.outputs[i], outputs[i]);
    if (!shapes.empty()) fold(node, inputs, outputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!node.outputs[i].empty()) values_[node.outputs[i]] = std::move(outputs[i]);
    }
  }

  void fold(const Node& node, const Inputs& inputs, std::vector<Value>& outputs) const {
    try {
      fold_elements(node, inputs, outputs);
    } catch (const std::logic_error& error) {
      throw ImportError(model_.file + ": " + shown(node) +
                        ": its constants do not fit their shapes");
    }
  }

  /// The file's own word, else with --allow-unknown the first input's shape.
  void fall_back(const std::string& name, const Inputs& inputs, Value& out) const {
    const auto known = annotated_.find(name);
    if (known != annotated_.end() && known->second.has_shape) {
      out.has_shape = true;
      out.shape = known->second.shape;
    } else if (assume_unknown_ && !inputs.empty() && inputs[0] && inputs[0]->has_shape) {
      out.has_shape = true;
      out.shape = inputs[0]->shape;
    }
  }

  const Model& model_;
  bool assume_unknown_;
  Values values_;
  Values annotated_;
};

}  // namespace

std::int64_t element_count(const Shape& shape) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 60;  // no tensor: refused by its size
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (dim > 0 && count > kHuge / dim) return kHuge;
    count *= std::max<std::int64_t>(dim, 0);
  }
  return count;
}

std::string shown(const Shape& shape) {
  std::string text;
  for (const std::int64_t dim : shape) text += (text.empty() ? "" : ", ") + std::to_string(dim);
  return "[" + text + "]";
}

std::size_t axis_of(std::int64_t axis, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) {
    throw std::invalid_argument("axis " + std::to_string(axis) + " of a tensor of rank " +
                                std::to_string(rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

bool scalar_of(const Value& value, double& scalar) {
  if (!value.has_elements || value.integers.size() + value.reals.size() != 1) return false;
  scalar = value.reals.empty() ? static_cast<double>(value.integers[0]) : value.reals[0];
  return true;
}

Values infer_values(const Model& model, const Bindings& bindings, bool assume_unknown) {
  for (const auto& [symbol, size] : bindings) {
    if (size >= 1 && size <= kMostBound) continue;
    throw ImportError(model.file + ": " + symbol + "=" + std::to_string(size) +
                      " is not allowed (1 .. 1000000000)");
  }
  check_bindings(model, bindings);
  return Inference(model, bindings, assume_unknown).run();
}

}  // namespace tessera::workloads::onnx
