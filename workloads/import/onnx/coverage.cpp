#include "workloads/import/onnx/coverage.h"

#include <algorithm>
#include <map>

#include "workloads/import/onnx/operator_table.h"
#include "workloads/import/onnx/rewrite.h"

namespace tessera::workloads::onnx {
namespace {

std::string by(const Shape& sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::string why_no_row_operator(const Network& network, const Node& node) {
  const std::size_t rank = network.value(input_of(node, 0)).shape.size();
  const std::int64_t axis = integer_of(node, "axis", -1);
  const bool last = axis == -1 || axis + 1 == static_cast<std::int64_t>(rank);
  return last ? std::string{} : node.type + " (along an axis that is not the last)";
}

std::string why_no_gather(const Network& network, const Node& node) {
  const Value &data = network.value(input_of(node, 0)), &indices = network.value(input_of(node, 1));
  const std::size_t axis =
      axis_of(integer_of(node, "axis", 0), std::max<std::size_t>(1, data.shape.size()));
  EvenIndices even;
  if (even_indices(indices, data.shape.empty() ? 0 : data.shape[axis], even)) return {};
  if (data.constant && axis == 0) return {};  // an embedding
  return "Gather (rows chosen by data from an activation)";
}

std::string why_no_conv(const Network& network, const Node& node) {
  if (is_patch_embedding(network, node)) return {};
  const Shape kernel = network.value(input_of(node, 1)).shape;
  const Shape sizes(
      kernel.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(kernel.size())),
      kernel.end());
  const auto strides = integers_of(node, "strides");
  return "Conv (kernel " + by(sizes) + ", stride " + (strides.empty() ? "1" : by(strides)) +
         ": no patch embedding)";
}

}  // namespace

Inputs inputs_of(const Network& network, const Node& node) {
  Inputs inputs;
  for (const std::string& name : node.inputs) {
    inputs.push_back(name.empty() ? nullptr : &network.value(name));
  }
  return inputs;
}

bool is_precomputed(const Network& network, const Node& node) {
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& name) {
    return name.empty() || network.is_constant(name);
  });
}

bool even_indices(const Value& indices, std::int64_t size, EvenIndices& out) {
  if (!indices.has_elements || indices.integers.empty()) return false;
  std::vector<std::int64_t> list = indices.integers;
  for (std::int64_t& index : list) {
    if (index < -size || index >= size) return false;
    index += index < 0 ? size : 0;
  }
  out.start = list[0];
  out.count = static_cast<std::int64_t>(list.size());
  out.step = list.size() > 1 ? list[1] - list[0] : 1;
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (list[i] - list[i - 1] != out.step) return false;
  }
  return true;
}

bool is_patch_embedding(const Network& network, const Node& node) {
  const Value &image = network.value(input_of(node, 0)), &kernel = network.value(input_of(node, 1));
  if (node.type != "Conv" || kernel.shape.size() < 3 || !kernel.constant) return false;
  const auto strides = integers_of(node, "strides"), pads = integers_of(node, "pads");
  const auto dilations = integers_of(node, "dilations");
  const auto is_one = [](std::int64_t each) { return each == 1; };
  const auto is_zero = [](std::int64_t each) { return each == 0; };
  const Shape sizes(kernel.shape.begin() + 2, kernel.shape.end());
  const bool steps =
      strides.empty() ? std::all_of(sizes.begin(), sizes.end(), is_one) : sizes == strides;
  const bool pointwise = std::all_of(sizes.begin(), sizes.end(), is_one);
  const bool cut_outside = network.producer(node.inputs[0]) == nullptr && !image.constant;
  const std::string padding = text_of(node, "auto_pad", "NOTSET");
  return steps && (pointwise || cut_outside) && integer_of(node, "group", 1) == 1 &&
         std::all_of(pads.begin(), pads.end(), is_zero) &&
         std::all_of(dilations.begin(), dilations.end(), is_one) &&
         (padding == "NOTSET" || padding == "VALID");
}

std::string why_unknown(const Network& network, const Node& node) {
  const bool known_domain = node.domain.empty() || node.domain == "com.microsoft";
  const std::string type = (node.domain.empty() ? "" : node.domain + ".") + node.type;
  if (!known_domain) return type;
  if (node.type == "Conv") return why_no_conv(network, node);
  if (is_product(node) || is_layout(node) || node.type == "Concat") return {};
  if (elementwise_rule(node) != nullptr) return {};
  if (row_rule(node) != nullptr) return why_no_row_operator(network, node);
  if (node.type == "Gather") return why_no_gather(network, node);
  return type;
}

std::string unknown_message(const Network& network, const std::vector<std::string>& reasons) {
  std::map<std::string, int> counts;
  for (const std::string& reason : reasons) ++counts[reason];
  std::string list;
  for (const auto& [reason, count] : counts) {
    list += (list.empty() ? "" : ", ") + std::to_string(count) + " x " + reason;
  }
  return network.file() + ": cannot cost " + list +
         "; --allow-unknown costs each one pass over its first input";
}

std::int64_t unknown_macs(const Network& network, const Node& node) {
  if (node.type != "Conv" || !node.domain.empty()) return -1;
  const Shape& kernel = network.value(input_of(node, 1)).shape;
  const Value& out = network.value(node.outputs.at(0));
  if (kernel.empty() || !out.has_shape) return -1;
  return element_count(out.shape) * (element_count(kernel) / std::max<std::int64_t>(1, kernel[0]));
}

}  // namespace tessera::workloads::onnx
