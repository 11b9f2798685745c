// The nodes of an ONNX graph with what is known of their values, to be rewritten.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "workloads/import/onnx/values.h"

namespace tessera::workloads::onnx {

/// Rewriting renames values and marks nodes as gone; indices of nodes stay.
class Network {
 public:
  Network(const Model& model, Values values);

  const std::string& file() const { return file_; }
  std::vector<Node>& nodes() { return nodes_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  bool is_gone(std::size_t node) const { return gone_[node]; }
  const std::vector<std::string>& outputs() const { return outputs_; }

  const Value& value(const std::string& name) const;
  /// Gives the value `name` the shape and type of `like`. For nodes that rewriting made.
  void set_value(const std::string& name, const Value& value) { values_[name] = value; }
  bool is_constant(const std::string& name) const { return !name.empty() && value(name).constant; }
  /// One element, known before the run.
  bool is_scalar_near(const std::string& name, double expected) const;
  bool is_single(const std::string& name) const;

  /// The live node that produces `name`, or nullptr. Only of type `type` where that is given.
  const Node* producer(const std::string& name, const std::string& type = {}) const;
  std::size_t producer_index(const std::string& name) const;  // REQUIRES: producer(name)
  const std::vector<std::size_t>& consumers(const std::string& name) const;
  /// The only reader of `name`, which is no output of the graph; nullptr otherwise.
  const Node* only_consumer(const std::string& name) const;
  bool is_output(const std::string& name) const;

  /// Everyone who reads `name` reads `instead`; the node that made it goes.
  void bypass(std::size_t node, const std::string& name, const std::string& instead);
  void remove(std::size_t node);
  /// Replaces a live node by one with the same outputs.
  void replace(std::size_t node, Node by);
  /// Removes nodes whose results nobody reads; counts them by type.
  std::map<std::string, int> remove_unread();

  /// Storage bits of values that quantisation fixes.
  void set_bits(const std::string& name, int bits) { bits_[name] = bits; }
  int bits(const std::string& name) const;  // 0: the run's

  /// "Add (bias)" and how often: nodes that became part of another operator.
  std::map<std::string, int> absorbed;
  /// "LayerNorm" and how often: operators put together from simpler ones.
  std::map<std::string, int> recognised;

 private:
  void link(std::size_t node);
  void unlink(std::size_t node);

  std::string file_;
  std::vector<Node> nodes_;
  std::vector<bool> gone_;
  std::vector<std::string> outputs_;
  Values values_;
  std::map<std::string, std::size_t> producer_;
  std::map<std::string, std::vector<std::size_t>> consumers_;
  std::map<std::string, int> bits_;
};

}  // namespace tessera::workloads::onnx
