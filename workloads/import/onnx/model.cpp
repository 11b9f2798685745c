#include "workloads/import/onnx/model.h"

namespace tessera::workloads::onnx {

std::string shown(const Node& node) {
  const std::string type = node.domain.empty() ? node.type : node.domain + "." + node.type;
  if (!node.name.empty()) return type + " '" + node.name + "'";
  return node.outputs.empty() ? type : type + " of '" + node.outputs.front() + "'";
}

bool has_attribute(const Node& node, const std::string& key) {
  return node.attributes.count(key) != 0;
}

std::int64_t integer_of(const Node& node, const std::string& key, std::int64_t fallback) {
  const auto found = node.attributes.find(key);
  return found == node.attributes.end() ? fallback : found->second.integer;
}

std::vector<std::int64_t> integers_of(const Node& node, const std::string& key) {
  const auto found = node.attributes.find(key);
  return found == node.attributes.end() ? std::vector<std::int64_t>{} : found->second.integers;
}

std::string text_of(const Node& node, const std::string& key, const std::string& fallback) {
  const auto found = node.attributes.find(key);
  return found == node.attributes.end() ? fallback : found->second.text;
}

const std::string& input_of(const Node& node, std::size_t index) {
  static const std::string none;
  return index < node.inputs.size() ? node.inputs[index] : none;
}

}  // namespace tessera::workloads::onnx
