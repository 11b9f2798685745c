#include <algorithm>
#include <cmath>

#include "workloads/import/onnx/rewrite.h"

namespace tessera::workloads::onnx {
namespace {

/// The input of a two-input node that is not `name`; empty when neither is.
std::string other_input(const Node& node, const std::string& name) {
  if (node.inputs.size() != 2) return {};
  if (node.inputs[0] == name) return node.inputs[1];
  return node.inputs[1] == name ? node.inputs[0] : std::string{};
}

/// The inputs of a two-input node, the one for which `is` holds second; empty when none does.
template <class Predicate>
bool ordered_inputs(const Node& node, Predicate is, std::string& rest, std::string& chosen) {
  if (node.inputs.size() != 2) return false;
  for (std::size_t i = 0; i < 2; ++i) {
    if (!is(node.inputs[1 - i])) continue;
    rest = node.inputs[i];
    chosen = node.inputs[1 - i];
    return true;
  }
  return false;
}

class Norms {
 public:
  explicit Norms(Network& network) : network_(network) {}

  void run() {
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (!network_.is_gone(i)) try_norm(i);
    }
  }

 private:
  bool reduces_rows(const Node& node) const {
    const Value& in = network_.value(input_of(node, 0));
    std::vector<std::int64_t> axes = integers_of(node, "axes");
    if (!input_of(node, 1).empty()) axes = network_.value(node.inputs[1]).integers;
    const auto last = static_cast<std::int64_t>(in.shape.size()) - 1;
    return in.has_shape && axes.size() == 1 && (axes[0] == -1 || axes[0] == last);
  }

  /// d of mean(d * d) over rows; empty when `name` is none.
  std::string squared(const std::string& name) const {
    const Node* mean = network_.producer(name, "ReduceMean");
    if (mean == nullptr || !reduces_rows(*mean)) return {};
    const Node* square = network_.producer(mean->inputs[0]);
    if (square == nullptr || square->inputs.size() != 2) return {};
    const bool power = square->type == "Pow" && network_.is_scalar_near(square->inputs[1], 2);
    const bool product = square->type == "Mul" && square->inputs[0] == square->inputs[1];
    return power || product ? square->inputs[0] : std::string{};
  }

  /// d of sqrt(mean(d * d) + epsilon), `power` 0.5 or -0.5.
  std::string deviation(const std::string& name, double power) const {
    const Node* node = network_.producer(name);
    if (node == nullptr) return {};
    const bool root = node->type == "Sqrt" && power > 0;
    const bool raised = node->type == "Pow" && network_.is_scalar_near(input_of(*node, 1), power);
    if (!root && !raised) return {};
    const Node* sum = network_.producer(node->inputs[0], "Add");
    std::string variance = node->inputs[0], epsilon;
    const auto single = [&](const std::string& each) {
      return network_.is_constant(each) && network_.is_single(each);
    };
    if (sum != nullptr && !ordered_inputs(*sum, single, variance, epsilon)) return {};
    return squared(variance);
  }

  /// d of 1 / sqrt(...), in any form.
  std::string inverse_deviation(const std::string& name) const {
    const Node* node = network_.producer(name);
    if (node == nullptr) return {};
    if (node->type == "Reciprocal") return deviation(node->inputs[0], 0.5);
    if (node->type == "Div" && network_.is_scalar_near(node->inputs[0], 1)) {
      return deviation(node->inputs[1], 0.5);
    }
    return deviation(name, -0.5);
  }

  /// x of x - mean(x) over rows; empty when `name` is none.
  std::string centred(const std::string& name) const {
    const Node* difference = network_.producer(name, "Sub");
    if (difference == nullptr || difference->inputs.size() != 2) return {};
    const Node* mean = network_.producer(difference->inputs[1], "ReduceMean");
    const bool rows = mean != nullptr && reduces_rows(*mean);
    return rows && mean->inputs[0] == difference->inputs[0] ? mean->inputs[0] : std::string{};
  }

  void try_norm(std::size_t index) {
    const Node& node = network_.nodes()[index];
    if (node.inputs.size() != 2) return;
    std::string numerator, squares;
    if (node.type == "Div") {
      numerator = node.inputs[0];
      squares = deviation(node.inputs[1], 0.5);
    } else if (node.type == "Mul") {
      for (std::size_t i = 0; i < 2 && squares.empty(); ++i) {
        numerator = node.inputs[i];
        squares = inverse_deviation(node.inputs[1 - i]);
      }
    }
    if (squares.empty()) return;
    const std::string x = centred(numerator);
    const bool same = squares == numerator || (!x.empty() && centred(squares) == x);
    if (same)
      put_norm(index, x.empty() ? "RMSNormalization" : "LayerNormalization",
               x.empty() ? numerator : x);
  }

  /// A weight of one element for each column.
  bool is_column_weight(const std::string& name, const Shape& shape) const {
    const Value& value = network_.value(name);
    return value.constant && value.has_shape && !value.shape.empty() && !shape.empty() &&
           value.shape.back() == shape.back() && element_count(value.shape) == shape.back();
  }

  /// The index of the only reader of `name`, if it is `type` with a column weight, which goes to
  /// `weight`.
  bool next_affine(const std::string& name, const std::string& type, std::size_t& next,
                   std::string& weight) const {
    const Node* reader = network_.only_consumer(name);
    if (reader == nullptr || reader->type != type) return false;
    weight = other_input(*reader, name);
    if (weight.empty() || !is_column_weight(weight, network_.value(name).shape)) return false;
    next = network_.consumers(name)[0];
    return true;
  }

  void put_norm(std::size_t index, const std::string& type, const std::string& x) {
    Node norm;
    norm.type = type;
    norm.inputs = {x};
    std::size_t last = index, next = 0;
    std::string weight;
    const auto result = [&] { return network_.nodes()[last].outputs[0]; };
    if (next_affine(result(), "Mul", next, weight)) {
      norm.inputs.push_back(weight);
      last = next;
      if (next_affine(result(), "Add", next, weight)) {
        norm.inputs.push_back(weight);
        last = next;
      }
    }
    norm.name = network_.nodes()[last].name;
    norm.outputs = {result()};
    network_.replace(last, norm);
    ++network_.recognised[type];
  }

  Network& network_;
};

class Activations {
 public:
  explicit Activations(Network& network) : network_(network) {}

  void run() {
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (network_.is_gone(i)) continue;
      const std::string& type = network_.nodes()[i].type;
      if (type == "Erf") try_erf(i);
      if (type == "Tanh") try_tanh(i);
      if (type == "Sigmoid") try_sigmoid(i);
    }
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (!network_.is_gone(i)) try_gate(i);
    }
  }

 private:
  /// x of x * factor, in any order or as a division.
  std::string scaled(const std::string& name, double factor) const {
    const Node* node = network_.producer(name);
    if (node == nullptr || node->inputs.size() != 2) return {};
    if (node->type == "Div" && network_.is_scalar_near(node->inputs[1], 1 / factor)) {
      return node->inputs[0];
    }
    if (node->type != "Mul") return {};
    if (network_.is_scalar_near(node->inputs[1], factor)) return node->inputs[0];
    return network_.is_scalar_near(node->inputs[0], factor) ? node->inputs[1] : std::string{};
  }

  void put(std::size_t index, const std::string& type, std::vector<std::string> inputs) {
    Node node;
    node.type = type;
    node.name = network_.nodes()[index].name;
    node.inputs = std::move(inputs);
    node.outputs = network_.nodes()[index].outputs;
    network_.replace(index, node);
    ++network_.recognised[type];
  }

  void try_erf(std::size_t index) {
    const Node& erf = network_.nodes()[index];
    const std::string x = scaled(input_of(erf, 0), std::sqrt(0.5));
    if (!x.empty()) try_half_product(erf.outputs[0], x);
  }

  /// x of tanh(c * (x + c' * x^3)): what the argument is made of, beside constants.
  std::string tanh_variable(const std::string& name, int depth = 0) const {
    const Node* node = network_.producer(name);
    const bool arithmetic = node != nullptr && depth < 6 &&
                            (node->type == "Mul" || node->type == "Add" || node->type == "Pow");
    if (!arithmetic) return network_.is_constant(name) ? std::string{} : name;
    std::string variable;
    for (const std::string& input : node->inputs) {
      const std::string found = tanh_variable(input, depth + 1);
      if (found.empty()) continue;
      if (!variable.empty() && variable != found) return {};
      variable = found;
    }
    return variable;
  }

  bool has_cube(const std::string& name, int depth = 0) const {
    const Node* node = network_.producer(name);
    if (node == nullptr || depth > 6) return false;
    if (node->type == "Pow") return network_.is_scalar_near(input_of(*node, 1), 3);
    if (node->type == "Mul" && node->inputs[0] == node->inputs[1]) return true;
    if (node->type != "Mul" && node->type != "Add") return false;
    return std::any_of(node->inputs.begin(), node->inputs.end(),
                       [&](const std::string& input) { return has_cube(input, depth + 1); });
  }

  /// The variable is looked for where the result is multiplied with it: x itself may be a product.
  void try_tanh(std::size_t index) {
    const Node& tanh = network_.nodes()[index];
    if (!has_cube(input_of(tanh, 0))) return;
    const std::string x = tanh_variable(tanh.inputs[0]);
    if (!x.empty() && try_half_product(tanh.outputs[0], x)) return;
    const Node* sum = network_.only_consumer(tanh.outputs[0]);
    if (sum == nullptr || sum->type != "Add") return;
    for (const std::string& candidate : factors(sum->outputs[0])) {
      if (feeds(candidate, tanh.inputs[0]) && try_half_product(tanh.outputs[0], candidate)) return;
    }
  }

  /// What `name` is multiplied with, and those factors' own.
  std::vector<std::string> factors(const std::string& name) const {
    const Node* product = network_.only_consumer(name);
    if (product == nullptr || product->type != "Mul") return {};
    std::vector<std::string> all{other_input(*product, name)};
    const std::string half = scaled(all[0], 0.5);
    if (!half.empty()) all.push_back(half);
    const std::vector<std::string> more = factors(product->outputs[0]);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  bool feeds(const std::string& from, const std::string& to, int depth = 0) const {
    if (from == to) return true;
    const Node* node = network_.producer(to);
    if (node == nullptr || depth > 6) return false;
    return std::any_of(node->inputs.begin(), node->inputs.end(),
                       [&](const std::string& input) { return feeds(from, input, depth + 1); });
  }

  /// 0.5 * x * (inner + 1), multiplied in any order: its last product becomes a GELU.
  bool try_half_product(const std::string& inner, const std::string& x) {
    const Node* sum = network_.only_consumer(inner);
    if (sum == nullptr || sum->type != "Add") return false;
    if (!network_.is_scalar_near(other_input(*sum, inner), 1)) return false;
    std::string product = sum->outputs[0];
    bool has_half = false, has_x = false;
    while (!has_half || !has_x) {
      const Node* next = network_.only_consumer(product);
      if (next == nullptr) return false;
      const std::string factor = other_input(*next, product);
      const bool halves = (next->type == "Mul" && network_.is_scalar_near(factor, 0.5)) ||
                          (next->type == "Div" && network_.is_scalar_near(factor, 2));
      if (!halves && next->type != "Mul") return false;
      const bool both = !halves && scaled(factor, 0.5) == x;
      if (!halves && !both && factor != x) return false;
      has_half = has_half || halves || both;
      has_x = has_x || both || factor == x;
      product = next->outputs[0];
    }
    put(network_.producer_index(product), "Gelu", {x});
    return true;
  }

  void try_sigmoid(std::size_t index) {
    const Node& sigmoid = network_.nodes()[index];
    const Node* product = network_.only_consumer(sigmoid.outputs[0]);
    if (product == nullptr || product->type != "Mul") return;
    const std::string x = other_input(*product, sigmoid.outputs[0]);
    const bool silu = x == sigmoid.inputs[0];
    const bool quick = !silu && !x.empty() && scaled(sigmoid.inputs[0], 1.702) == x;
    if (silu || quick) {
      put(network_.consumers(sigmoid.outputs[0])[0], silu ? "Silu" : "QuickGelu", {x});
    }
  }

  /// act(gate) * up, both computed.
  void try_gate(std::size_t index) {
    const Node& act = network_.nodes()[index];
    const bool silu = act.type == "Silu" || act.type == "Swish";
    if ((!silu && act.type != "Gelu") || act.inputs.size() != 1) return;
    const Node* product = network_.only_consumer(act.outputs[0]);
    if (product == nullptr || product->type != "Mul") return;
    const std::string up = other_input(*product, act.outputs[0]);
    if (up.empty() || network_.is_constant(up)) return;
    if (network_.value(up).shape != network_.value(act.outputs[0]).shape) return;
    put(network_.consumers(act.outputs[0])[0], silu ? "SiluMul" : "GeluMul", {act.inputs[0], up});
  }

  Network& network_;
};

/// x * cos + rotate_half(x) * sin, rotate_half(x) = concat(-x[half:], x[:half]).
class Rotations {
 public:
  explicit Rotations(Network& network) : network_(network) {}

  void run() {
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (!network_.is_gone(i) && network_.nodes()[i].type == "Add") try_rotation(i);
    }
  }

 private:
  /// x where `name` is rotate_half(x) or its slices; empty otherwise.
  std::string rotated(const std::string& name) const {
    const Node* halves = network_.producer(name, "Concat");
    if (halves == nullptr || halves->inputs.size() != 2) return {};
    const Node* negated = network_.producer(halves->inputs[0], "Neg");
    if (negated == nullptr) return {};
    const Node* upper = half_of(negated->inputs[0]);
    const Node* lower = half_of(halves->inputs[1]);
    const bool same = upper != nullptr && lower != nullptr && upper->inputs[0] == lower->inputs[0];
    return same ? upper->inputs[0] : std::string{};
  }

  const Node* half_of(const std::string& name) const {
    const Node* node = network_.producer(name);
    return node != nullptr && (node->type == "Slice" || node->type == "Split") ? node : nullptr;
  }

  /// Whether `name` is a product with `factor`.
  bool has_factor(const std::string& name, const std::string& factor) const {
    const Node* product = network_.producer(name, "Mul");
    return product != nullptr && !other_input(*product, factor).empty();
  }

  void try_rotation(std::size_t index) {
    const Node sum = network_.nodes()[index];
    for (std::size_t i = 0; i < sum.inputs.size() && i < 2; ++i) {
      const Node* product = network_.producer(sum.inputs[i], "Mul");
      if (product == nullptr || sum.inputs.size() != 2) continue;
      for (const std::string& factor : product->inputs) {
        const std::string x = rotated(factor);
        if (x.empty() || !has_factor(sum.inputs[1 - i], x)) continue;
        Node rope;
        rope.type = "Rope";
        rope.name = sum.name;
        rope.inputs = {x};
        rope.outputs = sum.outputs;
        network_.replace(index, rope);
        ++network_.recognised["RoPE"];
        return;
      }
    }
  }

  Network& network_;
};

}  // namespace

void rewrite_decomposed(Network& network) {
  Norms(network).run();
  Activations(network).run();
  Rotations(network).run();
}

}  // namespace tessera::workloads::onnx
