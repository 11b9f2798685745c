#include <algorithm>
#include <set>

#include "workloads/import/onnx/rewrite.h"

namespace tessera::workloads::onnx {
namespace {

class Epilogues {
 public:
  explicit Epilogues(Network& network) : network_(network) {}

  void run() {
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (network_.is_gone(i)) continue;
      if (network_.nodes()[i].type == "Softmax") absorb_before_softmax(i);
      if (network_.nodes()[i].type == "Where") absorb_nan_guard(i);
    }
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (network_.is_gone(i)) continue;
      if (network_.nodes()[i].type == "Add") absorb_bias(i);
    }
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (network_.is_gone(i)) continue;
      const std::string& type = network_.nodes()[i].type;
      if (type == "Mul" || type == "Div") absorb_factor(i);
    }
  }

 private:
  /// Scores of attention: a product of two computed values.
  bool is_scores(const std::string& name) const {
    const Node* product = network_.producer(name, "MatMul");
    return product != nullptr && !network_.is_constant(input_of(*product, 1)) &&
           network_.value(name).shape.size() >= 2;
  }

  /// One mask for all heads: it moves with the softmax as in the descriptor families.
  bool is_mask(const std::string& name, const Shape& scores) const {
    const Value& mask = network_.value(name);
    if (!mask.has_shape || mask.shape.size() > scores.size()) return false;
    const std::size_t rank = mask.shape.size();
    return rank < 3 || mask.shape[rank - 3] == 1 || scores[scores.size() - 3] == 1;
  }

  /// The value that `node` scales or masks, and what that is called; empty when it does neither.
  std::string inner_of(const Node& node, const Shape& scores, std::string& what) const {
    const bool scales = node.type == "Mul" || node.type == "Div";
    if (scales && network_.is_single(input_of(node, 1))) {
      what = node.type + " (scale of a softmax)";
      return node.inputs[0];
    }
    if (node.type == "Mul" && network_.is_single(input_of(node, 0))) {
      what = "Mul (scale of a softmax)";
      return node.inputs[1];
    }
    what = node.type + " (mask of a softmax)";
    const std::size_t first = node.type == "Where" ? 1 : 0;
    if (node.type != "Add" && node.type != "Where") return {};
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string& inner = input_of(node, first + i);
      if (leads_to_scores(inner) && is_mask(input_of(node, first + 1 - i), scores)) return inner;
    }
    return {};
  }

  bool leads_to_scores(const std::string& name, int depth = 0) const {
    if (is_scores(name)) return true;
    const Node* node = network_.producer(name);
    if (node == nullptr || depth > 4) return false;
    const bool passes =
        node->type == "Mul" || node->type == "Div" || node->type == "Add" || node->type == "Where";
    return passes &&
           std::any_of(node->inputs.begin(), node->inputs.end(),
                       [&](const std::string& input) { return leads_to_scores(input, depth + 1); });
  }

  /// Positions compared with positions, or a triangle: somewhere in what makes the mask.
  bool is_causal(const std::string& mask, std::set<std::string>& seen) const {
    const Node* node = network_.producer(mask);
    if (node == nullptr || !seen.insert(mask).second) return false;
    if (node->type == "Trilu" || compares_positions(*node)) return true;
    return std::any_of(node->inputs.begin(), node->inputs.end(),
                       [&](const std::string& input) { return is_causal(input, seen); });
  }

  bool compares_positions(const Node& node) const {
    static const char* const types[] = {"Less", "LessOrEqual", "Greater", "GreaterOrEqual"};
    const bool compares =
        std::find(std::begin(types), std::end(types), node.type) != std::end(types);
    return compares && std::all_of(node.inputs.begin(), node.inputs.end(),
                                   [&](const std::string& input) { return is_ascending(input); });
  }

  bool is_ascending(const std::string& name) const {
    const std::vector<std::int64_t>& positions = network_.value(name).integers;
    return positions.size() > 1 && std::is_sorted(positions.begin(), positions.end()) &&
           positions.front() < positions.back();
  }

  /// `node` masks the scores of the softmax `index` with everything but `inner`.
  void note_causal(std::size_t index, const Node& node, const std::string& inner) {
    std::set<std::string> seen;
    for (const std::string& input : node.inputs) {
      const bool causal = input != inner && is_causal(input, seen);
      if (causal) network_.nodes()[index].attributes["causal"].integer = 1;
    }
  }

  void absorb_before_softmax(std::size_t index) {
    while (true) {
      const std::string name = input_of(network_.nodes()[index], 0);
      const Node* node = network_.producer(name);
      if (node == nullptr || is_scores(name) || network_.only_consumer(name) == nullptr) return;
      std::string what;
      const std::string inner = inner_of(*node, network_.value(name).shape, what);
      if (inner.empty() || !leads_to_scores(inner)) return;
      if (network_.value(inner).shape != network_.value(name).shape) return;
      ++network_.absorbed[what];
      note_causal(index, *node, inner);
      network_.bypass(network_.producer_index(name), name, inner);
    }
  }

  /// where(isnan(p), 0, p) behind a softmax.
  void absorb_nan_guard(std::size_t index) {
    const Node node = network_.nodes()[index];
    const Node* test = network_.producer(input_of(node, 0), "IsNaN");
    const std::string& guarded = input_of(node, 2);
    if (test == nullptr || test->inputs[0] != guarded) return;
    ++network_.absorbed["Where (guard of a softmax)"];
    network_.bypass(index, node.outputs[0], guarded);
  }

  bool is_bias(const std::string& name, const Shape& result) const {
    const Value& bias = network_.value(name);
    return bias.constant && bias.has_shape && !bias.shape.empty() && !result.empty() &&
           bias.shape.back() == result.back() && element_count(bias.shape) == result.back();
  }

  void absorb_bias(std::size_t index) {
    const Node node = network_.nodes()[index];
    if (node.inputs.size() != 2) return;
    for (std::size_t i = 0; i < 2; ++i) {
      const std::string& product = node.inputs[i];
      const Node* producer = network_.producer(product);
      if (producer == nullptr || !is_product(*producer)) continue;
      if (network_.only_consumer(product) == nullptr) continue;
      if (!is_bias(node.inputs[1 - i], network_.value(product).shape)) continue;
      if (network_.value(product).shape != network_.value(node.outputs[0]).shape) continue;
      ++network_.absorbed["Add (bias of a Gemm)"];
      take_bits(node.outputs[0], product);
      return network_.bypass(index, node.outputs[0], product);
    }
  }

  /// The product now leaves what the absorbed node left.
  void take_bits(const std::string& from, const std::string& to) {
    if (network_.bits(from) != 0) network_.set_bits(to, network_.bits(from));
  }

  bool comes_from_product(const std::string& name) const {
    const Node* node = network_.producer(name);
    while (node != nullptr && is_layout(*node)) node = network_.producer(node->inputs[0]);
    return node != nullptr && is_product(*node);
  }

  bool goes_to_products(const std::string& name) const {
    const auto& readers = network_.consumers(name);
    if (readers.empty() || network_.is_output(name)) return false;
    return std::all_of(readers.begin(), readers.end(), [&](std::size_t reader) {
      const Node& node = network_.nodes()[reader];
      if (is_layout(node)) return goes_to_products(node.outputs[0]);
      return is_product(node);
    });
  }

  /// One factor for all elements, right behind or in front of Gemms: part of their requantisation.
  void absorb_factor(std::size_t index) {
    const Node node = network_.nodes()[index];
    if (node.inputs.size() != 2) return;
    const std::size_t factor = network_.is_single(node.inputs[1]) ? 1 : 0;
    if (!network_.is_single(node.inputs[factor]) || (factor == 0 && node.type == "Div")) return;
    const std::string& x = node.inputs[1 - factor];
    if (network_.is_constant(x)) return;
    if (network_.value(x).shape != network_.value(node.outputs[0]).shape) return;
    if (!comes_from_product(x) && !goes_to_products(node.outputs[0])) return;
    ++network_.absorbed[node.type + " (factor of a Gemm)"];
    take_bits(node.outputs[0], x);
    network_.bypass(index, node.outputs[0], x);
  }

  Network& network_;
};

}  // namespace

void rewrite_epilogues(Network& network) { Epilogues(network).run(); }

}  // namespace tessera::workloads::onnx
