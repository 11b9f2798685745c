#include "workloads/import/onnx/network.h"

#include <algorithm>
#include <cmath>

namespace tessera::workloads::onnx {

Network::Network(const Model& model, Values values)
    : file_(model.file),
      nodes_(model.nodes),
      gone_(nodes_.size(), false),
      values_(std::move(values)) {
  for (const ValueInfo& output : model.outputs) outputs_.push_back(output.name);
  for (std::size_t i = 0; i < nodes_.size(); ++i) link(i);
}

const Value& Network::value(const std::string& name) const {
  static const Value none;
  const auto found = values_.find(name);
  return found == values_.end() ? none : found->second;
}

bool Network::is_scalar_near(const std::string& name, double expected) const {
  double scalar = 0;
  return scalar_of(value(name), scalar) &&
         std::fabs(scalar - expected) <= 1e-3 * std::fabs(expected);
}

bool Network::is_single(const std::string& name) const {
  const Value& known = value(name);
  return known.has_shape && element_count(known.shape) == 1;
}

const Node* Network::producer(const std::string& name, const std::string& type) const {
  const auto found = producer_.find(name);
  if (found == producer_.end()) return nullptr;
  const Node& node = nodes_[found->second];
  return type.empty() || node.type == type ? &node : nullptr;
}

std::size_t Network::producer_index(const std::string& name) const { return producer_.at(name); }

const std::vector<std::size_t>& Network::consumers(const std::string& name) const {
  static const std::vector<std::size_t> none;
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? none : found->second;
}

const Node* Network::only_consumer(const std::string& name) const {
  const auto& readers = consumers(name);
  return readers.size() == 1 && !is_output(name) ? &nodes_[readers[0]] : nullptr;
}

bool Network::is_output(const std::string& name) const {
  return std::find(outputs_.begin(), outputs_.end(), name) != outputs_.end();
}

void Network::bypass(std::size_t node, const std::string& name, const std::string& instead) {
  const std::vector<std::size_t> readers = consumers(name);
  for (const std::size_t reader : readers) {
    unlink(reader);
    std::replace(nodes_[reader].inputs.begin(), nodes_[reader].inputs.end(), name, instead);
    link(reader);
  }
  std::replace(outputs_.begin(), outputs_.end(), name, instead);
  remove(node);
}

void Network::remove(std::size_t node) {
  if (gone_[node]) return;
  unlink(node);
  gone_[node] = true;
}

void Network::replace(std::size_t node, Node by) {
  unlink(node);
  nodes_[node] = std::move(by);
  link(node);
}

std::map<std::string, int> Network::remove_unread() {
  std::map<std::string, int> removed;
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (gone_[i]) continue;
    const auto& results = nodes_[i].outputs;
    const bool read = std::any_of(results.begin(), results.end(), [&](const std::string& name) {
      return is_output(name) || !consumers(name).empty();
    });
    if (read) continue;
    ++removed[nodes_[i].type];
    remove(i);
  }
  return removed;
}

int Network::bits(const std::string& name) const {
  const auto found = bits_.find(name);
  return found == bits_.end() ? 0 : found->second;
}

void Network::link(std::size_t node) {
  const Node& linked = nodes_[node];
  for (const std::string& output : linked.outputs) {
    if (!output.empty()) producer_[output] = node;
  }
  for (const std::string& input :
       std::set<std::string>(linked.inputs.begin(), linked.inputs.end())) {
    if (input.empty()) continue;
    auto& readers = consumers_[input];
    readers.insert(std::upper_bound(readers.begin(), readers.end(), node), node);
  }
}

void Network::unlink(std::size_t node) {
  for (const std::string& output : nodes_[node].outputs) producer_.erase(output);
  for (const std::string& input : nodes_[node].inputs) {
    auto& readers = consumers_[input];
    readers.erase(std::remove(readers.begin(), readers.end(), node), readers.end());
  }
}

}  // namespace tessera::workloads::onnx
