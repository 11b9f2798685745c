#include <algorithm>

#include "workloads/import/onnx/rewrite.h"

namespace tessera::workloads::onnx {
namespace {

/// Bits of a quantised value: of its zero point, else the attribute output_dtype, else 8.
int quantised_bits(const Network& network, const Node& node) {
  const std::string& zero_point = input_of(node, 2);
  if (!zero_point.empty()) return network.value(zero_point).type.bits;
  const std::int64_t type = integer_of(node, "output_dtype", 0);
  if (type == 4 || type == 5) return 16;    // UINT16, INT16
  return type >= 21 && type <= 23 ? 4 : 8;  // UINT4, INT4, FLOAT4E2M1
}

bool keeps_value(const Node& node) {
  static const char* const types[] = {"Identity", "Cast", "CastLike", "Dropout"};
  return std::find(std::begin(types), std::end(types), node.type) != std::end(types);
}

void drop_quantisation(Network& network, std::size_t index) {
  const Node node = network.nodes()[index];
  const std::string from = input_of(node, 0);
  if (node.type == "QuantizeLinear") {
    network.set_bits(from, quantised_bits(network, node));
  } else if (node.type == "DynamicQuantizeLinear") {
    network.set_bits(from, 8);
  } else if (network.bits(from) == 0) {  // stored as integers: a weight, or an input of the graph
    const ElementType& type = network.value(from).type;
    if (type.bits > 0 && type.bits <= 16) network.set_bits(from, type.bits);
  }
  network.bypass(index, node.outputs.at(0), from);
}

}  // namespace

void rewrite_precision(Network& network) {
  for (std::size_t i = 0; i < network.nodes().size(); ++i) {
    const Node& node = network.nodes()[i];
    if (node.outputs.empty() || node.inputs.empty() || node.inputs[0].empty()) continue;
    const std::string& type = node.type;
    if (type == "QuantizeLinear" || type == "DequantizeLinear" ||
        (type == "DynamicQuantizeLinear" && node.outputs.size() == 3)) {
      ++network.absorbed[type + " (precision)"];
      drop_quantisation(network, i);
    } else if (keeps_value(node) && !network.value(node.outputs[0]).has_elements) {
      ++network.absorbed[type];
      network.bypass(i, std::string(node.outputs[0]), std::string(node.inputs[0]));
    }
  }
}

bool is_layout(const Node& node) {
  static const char* const types[] = {"Reshape", "Transpose", "Squeeze", "Unsqueeze",
                                      "Flatten", "Slice",     "Split",   "Expand"};
  return node.domain.empty() &&
         std::find(std::begin(types), std::end(types), node.type) != std::end(types);
}

bool is_product(const Node& node) {
  static const char* const types[] = {"MatMul", "Gemm", "Conv", "MatMulInteger", "QLinearMatMul"};
  return node.domain.empty() &&
         std::find(std::begin(types), std::end(types), node.type) != std::end(types);
}

namespace {

void drop_unread(Network& network, const std::string& why) {
  for (const auto& [type, count] : network.remove_unread()) {
    network.absorbed[type + " (" + why + ")"] += count;
  }
}

}  // namespace

void rewrite(Network& network) {
  drop_unread(network, "read by nobody");
  rewrite_precision(network);
  drop_unread(network, "part of quantisation");
  rewrite_decomposed(network);
  drop_unread(network, "part of an operator put together");
  rewrite_epilogues(network);
  drop_unread(network, "prepares a mask or factor");
}

}  // namespace tessera::workloads::onnx
