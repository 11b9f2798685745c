#include "workloads/import/onnx/map_graph.h"

#include <algorithm>
#include <map>
#include <utility>

#include "workloads/import/onnx/coverage.h"
#include "workloads/import/onnx/operator_table.h"
#include "workloads/import/onnx/placement.h"
#include "workloads/import/onnx/rewrite.h"
#include "workloads/import/onnx/shape_rules.h"

namespace tessera::workloads::onnx {
namespace {

constexpr std::size_t kLongestName = 40;
constexpr std::size_t kMostRowSteps = 4;  // of a MatrixView: two batches, a group, rows

/// The elements that `rows` (outer first) step through, `cols` of each row.
MatrixView rows_view(const Strided& value, const Steps& rows, std::int64_t cols) {
  MatrixView view;
  view.tensor = value.tensor;
  view.offset = value.offset;
  view.rows = rows.empty() ? 1 : rows.back().count;
  view.row_stride = rows.empty() ? cols : rows.back().stride;
  view.cols = cols;
  if (rows.size() > 1) view.batch[0] = rows[0];
  if (rows.size() > 2) view.batch[1] = rows[1];
  if (rows.size() > 3) view.group = rows[2];
  return view;
}

/// The same as one matrix of a plain Gemm: at most two steps.
MatrixView matrix_view(const Strided& value, const Steps& rows, std::int64_t cols) {
  MatrixView view = rows_view(value, rows, cols);
  if (rows.size() > 1) view.group = rows[0];
  view.batch = {};
  return view;
}

Strided without_dims(Strided value, std::size_t first) {
  value.dims.resize(first);
  return value;
}

std::int64_t product_of(const Shape& shape, std::size_t first, std::size_t last) {
  return element_count(Shape(shape.begin() + static_cast<std::ptrdiff_t>(first),
                             shape.begin() + static_cast<std::ptrdiff_t>(last)));
}

/// Steps of the batched dimensions of a product: left, right and result alike.
struct BatchSteps {
  Steps a, b, out;
};

class GraphMapper {
 public:
  GraphMapper(const Network& network, bool allow_unknown)
      : network_(network),
        allow_unknown_(allow_unknown),
        placement_(network, [this](const std::string&, const Shape& shape) {
          return add_tensor("out", shape, TensorClass::kActivations);
        }) {}

  MappedGraph run() {
    refuse_unknown();
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      if (!network_.is_gone(i)) map(i);
    }
    fix_precision();
    return std::move(result_);
  }

 private:
  // ---- what is there --------------------------------------------------------------------------

  void refuse_unknown() const {
    std::vector<std::string> reasons;
    for (std::size_t i = 0; i < network_.nodes().size(); ++i) {
      const Node& node = network_.nodes()[i];
      if (network_.is_gone(i) || is_precomputed(network_, node)) continue;
      const std::string reason = why_unknown(network_, node);
      if (!reason.empty()) reasons.push_back(reason);
    }
    if (!reasons.empty() && !allow_unknown_) {
      throw ImportError(unknown_message(network_, reasons));
    }
  }

  [[noreturn]] void refuse(const Node& node, const std::string& reason) const {
    throw ImportError(network_.file() + ": " + shown(node) + ": " + reason);
  }

  const Shape& shape_of_value(const Node& node, const std::string& name) const {
    const Value& value = network_.value(name);
    if (!value.has_shape) refuse(node, "the shape of '" + name + "' depends on data");
    if (element_count(value.shape) == 0) refuse(node, "'" + name + "' is empty");
    return value.shape;
  }

  Strided operand(const Node& node, const std::string& name) const {
    const auto known = values_.find(name);
    if (known != values_.end()) return known->second;
    Strided value = row_major(shape_of_value(node, name));
    value.root = name;
    return value;
  }

  // ---- tensors --------------------------------------------------------------------------------

  TensorId add_tensor(const std::string& role, const Shape& shape, TensorClass cls) {
    Tensor tensor;
    tensor.name = role;
    tensor.shape = shape.empty() ? Shape{1} : shape;
    tensor.cls = cls;
    result_.graph.tensors.push_back(tensor);
    result_.tensor_owner.push_back(static_cast<int>(result_.graph.operators.size()));
    return static_cast<TensorId>(result_.graph.tensors.size()) - 1;
  }

  /// A weight or an input of the graph gets its tensor when it is first used.
  void realise(Strided& value) {
    if (value.tensor != kNoTensor) return;
    const auto known = roots_.find(value.root);
    if (known != roots_.end()) {
      value.tensor = known->second;
      return;
    }
    const bool constant = network_.is_constant(value.root);
    const Shape& shape = network_.value(value.root).shape;
    value.tensor = constant ? add_tensor("weight", shape, TensorClass::kWeights)
                            : add_tensor("in", shape, TensorClass::kActivations);
    roots_[value.root] = value.tensor;
  }

  /// The weight of a Gemm as [k, n]: its transposition happens before the run.
  TensorId gemm_weight(const std::string& name, std::int64_t k, std::int64_t n) {
    const std::string key = name + " " + std::to_string(k) + "x" + std::to_string(n);
    const auto known = roots_.find(key);
    if (known != roots_.end()) return known->second;
    const TensorId id = add_tensor("weight", {k, n}, TensorClass::kWeights);
    set_tensor_bits(id, weight_bits(name));
    roots_[key] = id;
    return id;
  }

  int weight_bits(const std::string& name) const {
    std::string root = name;
    while (network_.bits(root) == 0) {
      const Node* node = network_.producer(root);
      if (node == nullptr || !is_layout(*node)) break;
      root = node->inputs[0];
    }
    const ElementType& type = network_.value(root).type;
    const bool stored = type.cls == ElementClass::kInteger && type.bits > 0 && type.bits <= 16;
    return network_.bits(root) != 0 ? network_.bits(root) : stored ? type.bits : 0;
  }

  void set_tensor_bits(TensorId id, int bits) {
    if (bits == 0) return;
    Tensor& tensor = result_.graph.tensors.at(static_cast<std::size_t>(id));
    tensor.format.bits = bits;
    tensor.own_bits = true;
  }

  /// Quantised values give their bits to the tensors that hold them.
  void fix_precision() {
    for (const auto& [name, value] : values_) set_tensor_bits(value.tensor, network_.bits(name));
    for (const auto& [name, id] : roots_) set_tensor_bits(id, network_.bits(name));
  }

  // ---- operators ------------------------------------------------------------------------------

  static Operator make(OperatorKind kind, const std::string& name, const std::string& operation) {
    Operator op;
    op.name = name;
    op.kind = kind;
    op.operation = operation;
    return op;
  }

  void append(const Node& node, Operator op) {
    op.members = {op.name};
    result_.graph.operators.push_back(std::move(op));
    result_.sources.push_back(node.name.empty() ? node.type : node.name);
  }

  /// Copies the elements of `from`, in their logical order, to where `to` says.
  void append_copy(const Node& node, const Strided& from, const Strided& to) {
    std::vector<Steps> steps;
    const bool nest =
        step_together({joined(from, 0, from.dims.size()), joined(to, 0, to.dims.size())}, steps);
    if (!nest) refuse(node, "a change of layout that no strided copy can make");
    std::int64_t cols = 1;
    if (!steps[0].empty() && steps[0].back().stride == 1 && steps[1].back().stride == 1) {
      cols = steps[0].back().count;
      for (Steps& each : steps) each.pop_back();
    }
    if (steps[0].size() > kMostRowSteps)
      refuse(node, "a change of layout over too many dimensions");
    Operator op = make(OperatorKind::kCopy, "Copy", "");
    op.m = element_count(shape_of(from)) / cols;
    op.n = cols;
    op.inputs = {rows_view(from, steps[0], cols)};
    op.outputs = {rows_view(to, steps[1], cols)};
    append(node, std::move(op));
  }

  Strided copied(const Node& node, Strided value) {
    realise(value);
    Strided copy = row_major(shape_of(value));
    copy.tensor = add_tensor("out", shape_of(value), TensorClass::kActivations);
    append_copy(node, value, copy);
    return copy;
  }

  void map(std::size_t index) {
    const Node& node = network_.nodes()[index];
    if (is_precomputed(network_, node)) return map_constant(node);
    for (const std::string& output : node.outputs) {
      if (!output.empty() && (network_.is_output(output) || !network_.consumers(output).empty())) {
        shape_of_value(node, output);
      }
    }
    if (!why_unknown(network_, node).empty()) return map_unknown(node);
    if (is_layout(node)) return map_layout(node);
    if (node.type == "Concat") return map_concat(node, index);
    if (node.type == "Gather") return map_gather(node);
    if (node.type == "Conv") return map_conv(node);
    if (is_product(node)) return map_product(node);
    if (row_rule(node) != nullptr) return map_row_operator(node, *row_rule(node));
    map_elementwise(node, *elementwise_rule(node));
  }

  /// Views of weights stay views; what is computed from weights is a weight itself.
  void map_constant(const Node& node) {
    const bool folded =
        std::all_of(node.outputs.begin(), node.outputs.end(),
                    [&](const auto& name) { return network_.value(name).has_elements; });
    if (folded) return;
    if (is_layout(node)) return map_layout(node);
    EvenIndices even;
    if (node.type != "Gather" || !network_.value(node.inputs[0]).has_shape) return;
    if (gather_is_view(node, even)) map_even_gather(node, even);
  }

  // ---- layout ---------------------------------------------------------------------------------

  void map_layout(const Node& node) {
    Strided in = operand(node, node.inputs[0]);
    if (node.type == "Split") return map_split(node, in);
    const std::string& name = node.outputs[0];
    Strided out;
    if (view_of(node, in, out)) {
      values_[name] = out;
      return;
    }
    in = copied(node, in);
    if (!view_of(node, in, out)) refuse(node, "a change of layout that is not understood");
    values_[name] = out;
  }

  bool view_of(const Node& node, const Strided& in, Strided& out) const {
    const Shape& to = network_.value(node.outputs[0]).shape;
    if (node.type == "Transpose") {
      out = transpose(in, permutation_of(node, in.dims.size()));
      return true;
    }
    if (node.type == "Expand") {
      out = expand(in, to);
      return true;
    }
    if (node.type != "Slice") return reshape(in, to, out);
    out = in;
    for (const SliceRange& range : slice_ranges(node, inputs_of(network_, node))) {
      if (!slice(out, range.axis, range.start, range.step, range.count, out)) return false;
    }
    return true;
  }

  void map_split(const Node& node, Strided in) {
    const std::size_t axis = axis_of(integer_of(node, "axis", 0), in.dims.size());
    std::int64_t begin = 0;
    const auto sizes = split_sizes(node, inputs_of(network_, node));
    Strided part;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (!slice(in, axis, begin, 1, sizes[i], part)) {
        in = copied(node, in);
        slice(in, axis, begin, 1, sizes[i], part);
      }
      values_[node.outputs[i]] = part;
      begin += sizes[i];
    }
  }

  void map_concat(const Node& node, std::size_t index) {
    const Strided whole = placement_.concatenated(index);
    values_[node.outputs[0]] = whole;
    const std::size_t axis = axis_of(integer_of(node, "axis", 1), whole.dims.size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (placement_.in_place(index, i)) continue;
      Strided from = operand(node, node.inputs[i]), to;
      const std::int64_t width = network_.value(node.inputs[i]).shape[axis];
      if (width == 0) continue;
      const bool fresh = from.tensor == kNoTensor && roots_.count(from.root) == 0;
      realise(from);
      // A row such as CLS counts as gathered, not as a weight (operators.csv).
      Tensor& tensor = result_.graph.tensors.at(static_cast<std::size_t>(from.tensor));
      if (fresh && tensor.cls == TensorClass::kWeights) tensor.is_table = true;
      slice(whole, axis, concat_begin(network_, node, i), 1, width, to);
      append_copy(node, from, to);
    }
  }

  // ---- Gather ---------------------------------------------------------------------------------

  bool gather_is_view(const Node& node, EvenIndices& even) const {
    const Shape& from = network_.value(node.inputs[0]).shape;
    const std::size_t axis = axis_of(integer_of(node, "axis", 0), from.size());
    return even_indices(network_.value(input_of(node, 1)), from[axis], even);
  }

  void map_gather(const Node& node) {
    EvenIndices even;
    if (gather_is_view(node, even)) return map_even_gather(node, even);
    const Shape& table = shape_of_value(node, node.inputs[0]);
    const std::string& name = node.outputs[0];
    const Shape& shape = shape_of_value(node, name);
    const Shape& ids = network_.value(node.inputs[1]).shape;
    const std::int64_t rows = ids.empty() ? 1 : ids.back();
    const std::int64_t width = product_of(table, 1, table.size());
    // Which rows is not modelled: the view walks the first rows of the table, for each request.
    Strided gathered = operand(node, node.inputs[0]);
    gathered.dims.assign(shape.size(), {});
    if (!ids.empty()) gathered.dims[ids.size() - 1] = {{rows, rows > table[0] ? 0 : width}};
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) gathered.dims[i] = {{ids[i], 0}};
    for (std::size_t i = ids.size(); i < shape.size(); ++i) {
      gathered.dims[i] = {{shape[i], product_of(shape, i + 1, shape.size())}};
    }
    values_[name] = gathered;
    if (!joins_addition(node)) append_embedding(node, gathered, width);
  }

  void map_even_gather(const Node& node, const EvenIndices& even) {
    const Strided in = operand(node, node.inputs[0]);
    const std::size_t axis = axis_of(integer_of(node, "axis", 0), in.dims.size());
    Strided out;
    if (!slice(in, axis, even.start, even.step, even.count, out)) {
      slice(copied(node, in), axis, even.start, even.step, even.count, out);
    }
    reshape_axis(out, axis, network_.value(node.inputs[1]).shape);
    values_[node.outputs[0]] = out;
  }

  /// Dimension `axis` becomes the dimensions of `shape`, which have as many elements.
  static void reshape_axis(Strided& value, std::size_t axis, const Shape& shape) {
    Strided line = value, parts;
    line.dims = {value.dims[axis]};
    reshape(line, shape, parts);
    const auto at = value.dims.begin() + static_cast<std::ptrdiff_t>(axis);
    value.dims.insert(value.dims.erase(at), parts.dims.begin(), parts.dims.end());
  }

  /// A gather whose rows an addition alone reads: of two, the one from the smaller table is read by
  /// the addition itself, as positions and types are in the descriptor families.
  bool joins_addition(const Node& node) const {
    const std::string& name = node.outputs[0];
    const Node* sum = network_.only_consumer(name);
    if (sum == nullptr || sum->type != "Add" || sum->inputs.size() != 2) return false;
    const std::string& other = sum->inputs[sum->inputs[0] == name ? 1 : 0];
    if (other == name || network_.is_constant(other)) return false;
    if (network_.value(other).shape != network_.value(name).shape) return false;
    const Node* rival = network_.producer(other, "Gather");
    if (rival == nullptr) return true;
    const auto rows = [&](const Node& gather) { return network_.value(gather.inputs[0]).shape[0]; };
    return rows(node) < rows(*rival);
  }

  void append_embedding(const Node& node, Strided table, std::int64_t width) {
    const std::string& name = node.outputs[0];
    realise(table);
    result_.graph.tensors.at(static_cast<std::size_t>(table.tensor)).is_table = true;
    const std::size_t last = table.dims.size() - 1;
    const Strided out = placement_.place(
        name, last, [&](const Strided& value) { return is_contiguous(value, last); });
    std::vector<Steps> rows;
    if (!step_together({joined(table, 0, last), joined(out, 0, last)}, rows) ||
        rows[0].size() > 2) {
      refuse(node, "an embedding of this shape is not understood");
    }
    Operator op = make(OperatorKind::kEmbedding, "Embedding", "");
    op.m = element_count(shape_of(table)) / width;
    op.n = width;
    op.inputs = {rows_view(table, rows[0], width)};
    op.outputs = {rows_view(out, rows[1], width)};
    append(node, std::move(op));
    values_[name] = out;
  }

  // ---- products -------------------------------------------------------------------------------

  /// A Gemm over patches that are already cut, [batch, patches, values].
  void map_conv(const Node& node) {
    const std::string& name = node.outputs[0];
    const Shape &image = shape_of_value(node, node.inputs[0]),
                &kernel = shape_of_value(node, node.inputs[1]), &out = shape_of_value(node, name);
    const std::int64_t k = product_of(kernel, 1, kernel.size());
    const bool pointwise = k == kernel[1];
    Strided patches;
    if (pointwise) {
      std::vector<std::size_t> order{0};
      for (std::size_t i = 2; i < image.size(); ++i) order.push_back(i);
      order.push_back(1);
      patches = transpose(operand(node, node.inputs[0]), order);
      if (!is_contiguous(patches, patches.dims.size() - 1)) patches = copied(node, patches);
    } else {
      patches = patches_of(node, out, k);
    }
    realise(patches);
    std::vector<std::size_t> channels_last{0};
    for (std::size_t i = 2; i < out.size(); ++i) channels_last.push_back(i);
    channels_last.push_back(1);
    const Strided placed = placement_.place(name, 1, [&](const Strided& value) {
      return gemm_accepts(patches, transpose(value, channels_last));
    });
    append_gemm(node, pointwise ? "Gemm" : "PatchEmbed", patches, transpose(placed, channels_last),
                node.inputs[1]);
    values_[name] = placed;
  }

  Strided patches_of(const Node& node, const Shape& out, std::int64_t k) {
    Shape shape{out[0]};
    shape.insert(shape.end(), out.begin() + 2, out.end());
    shape.push_back(k);
    Strided patches = row_major(shape);
    const std::string key = node.inputs[0] + " cut " + shown(shape);
    const auto known = roots_.find(key);
    const std::int64_t rows = element_count(shape) / k;
    patches.tensor = known != roots_.end() ? known->second
                                           : add_tensor("in", {rows, k}, TensorClass::kActivations);
    set_tensor_bits(patches.tensor, network_.bits(node.inputs[0]));
    roots_[key] = patches.tensor;
    return patches;
  }

  static bool gemm_accepts(const Strided& a, const Strided& out) {
    const std::size_t last = out.dims.size() - 1;
    std::vector<Steps> rows;
    return is_contiguous(out, last) &&
           step_together({joined(a, 0, a.dims.size() - 1), joined(out, 0, last)}, rows) &&
           rows[0].size() <= 2;
  }

  /// out = a * weight; rows over all dimensions but the last.
  void append_gemm(const Node& node, const std::string& name, const Strided& a, const Strided& out,
                   const std::string& weight) {
    Operator op = gemm_operator(node, a, out);
    op.name = name;
    MatrixView b;
    b.tensor = gemm_weight(weight, op.k, op.n);
    b.rows = op.k;
    b.row_stride = b.cols = op.n;
    op.inputs.push_back(b);
    append(node, std::move(op));
  }

  Operator gemm_operator(const Node& node, const Strided& a, const Strided& out) const {
    std::vector<Steps> rows;
    const std::size_t last = out.dims.size() - 1;
    const bool nest = step_together({joined(a, 0, a.dims.size() - 1), joined(out, 0, last)}, rows);
    if (!nest || rows[0].size() > 2) refuse(node, "rows that no Gemm can walk");
    const Shape shape = shape_of(out);
    Operator op = make(OperatorKind::kGemm, "Gemm", "");
    op.m = product_of(shape, 0, last);
    op.k = shape_of(a).back();
    op.n = shape.back();
    op.inputs = {matrix_view(a, rows[0], op.k)};
    op.outputs = {matrix_view(out, rows[1], op.n)};
    return op;
  }

  void map_product(const Node& node) {
    const std::size_t right = node.type == "QLinearMatMul" ? 3 : 1;
    Strided a = operand(node, input_of(node, 0)), b = operand(node, input_of(node, right));
    if (integer_of(node, "transA", 0) != 0) a = transpose(a, {1, 0});
    if (integer_of(node, "transB", 0) != 0) b = transpose(b, {1, 0});
    if (a.dims.size() == 1) a.dims.insert(a.dims.begin(), Steps{});
    if (b.dims.size() == 1) b.dims.push_back({});
    const Shape shape = shape_of(b);
    const bool plain = product_of(shape, 0, shape.size() - 2) == 1;
    if (plain && network_.is_constant(node.inputs[right])) {
      return map_gemm(node, a, node.inputs[right]);
    }
    map_batched(node, a, b);
  }

  bool rows_are_walkable(const Strided& a) const {
    return is_contiguous(a, a.dims.size() - 1) &&
           joined_compactly(a, a.dims.size() - 1).size() <= 2;
  }

  static Steps joined_compactly(const Strided& value, std::size_t last) {
    std::vector<Steps> steps;
    step_together({joined(value, 0, last)}, steps);
    return steps[0];
  }

  /// The result with dimensions [.., m, n] even where ONNX dropped one of them.
  Strided with_matrix_dims(const Node& node, Strided out) const {
    const bool row = network_.value(node.inputs[0]).shape.size() == 1;
    const std::size_t right = node.type == "QLinearMatMul" ? 3 : 1;
    const bool column = network_.value(node.inputs[right]).shape.size() == 1;
    if (column) out.dims.push_back({});
    if (row) out.dims.insert(out.dims.end() - 1, Steps{});
    return out;
  }

  void map_gemm(const Node& node, Strided a, const std::string& weight) {
    const std::string& name = node.outputs[0];
    if (!rows_are_walkable(a)) a = copied(node, a);
    realise(a);
    const std::size_t rank = network_.value(name).shape.size();
    const Strided placed = placement_.place(
        name, rank == 0 ? 0 : rank - 1,
        [&](const Strided& value) { return gemm_accepts(a, with_matrix_dims(node, value)); });
    append_gemm(node, "Gemm", a, with_matrix_dims(node, placed), weight);
    values_[name] = placed;
  }

  // ---- products of two computed values --------------------------------------------------------

  static bool batch_steps(const Strided& a, const Strided& b, const Strided& out,
                          BatchSteps& steps) {
    const std::size_t rank = out.dims.size() - 2;
    Shape batch = shape_of(out);
    batch.resize(rank);
    const Strided left = expand(without_dims(a, a.dims.size() - 2), batch);
    const Strided right = expand(without_dims(b, b.dims.size() - 2), batch);
    std::vector<Steps> each;
    if (!step_together({joined(left, 0, rank), joined(right, 0, rank), joined(out, 0, rank)},
                       each)) {
      return false;
    }
    steps = {each[0], each[1], each[2]};
    return true;
  }

  static bool is_shared(const BatchSteps& steps) {
    return !steps.b.empty() && steps.b.back().stride == 0 && steps.a.back().stride != 0;
  }

  static bool batched_accepts(const Strided& a, const Strided& b, const Strided& out) {
    const std::size_t rank = out.dims.size();
    BatchSteps steps;
    if (!is_contiguous(out, rank - 1) || out.dims[rank - 2].size() > 1) return false;
    return batch_steps(a, b, out, steps) && steps.a.size() <= (is_shared(steps) ? 3U : 2U);
  }

  static bool is_matrix(const Strided& value, bool may_be_transposed) {
    const std::size_t rank = value.dims.size();
    const bool single = value.dims[rank - 1].size() <= 1 && value.dims[rank - 2].size() <= 1;
    const bool transposed = may_be_transposed && is_contiguous(value, rank - 2);
    return single && (is_contiguous(value, rank - 1) || transposed);
  }

  void map_batched(const Node& node, Strided a, Strided b) {
    const std::string& name = node.outputs[0];
    if (!is_matrix(a, false)) a = copied(node, a);
    if (!is_matrix(b, true)) b = copied(node, b);
    realise(a);
    realise(b);
    const std::size_t rank = network_.value(name).shape.size();
    const Strided placed = placement_.place(
        name, rank == 0 ? 0 : rank - 1,
        [&](const Strided& value) { return batched_accepts(a, b, with_matrix_dims(node, value)); });
    const Strided out = with_matrix_dims(node, placed);
    if (!batched_accepts(a, b, out)) {
      a = copied(node, a);
      b = copied(node, b);
    }
    append_batched(node, a, b, out);
    values_[name] = placed;
  }

  static void set_batch(MatrixView& view, const Steps& batch) {
    if (!batch.empty()) view.batch[1] = batch.back();
    if (batch.size() > 1) view.batch[0] = batch[batch.size() - 2];
  }

  static MatrixView one_matrix(const Strided& value) {
    const std::size_t rank = value.dims.size();
    const Steps &rows = value.dims[rank - 2], &cols = value.dims[rank - 1];
    return rows_view(value, rows, cols.empty() ? 1 : cols[0].count);
  }

  /// [k, n] as it lies: rows of n, or rows of k used transposed.
  static MatrixView right_matrix(const Strided& b) {
    const std::size_t rank = b.dims.size();
    if (is_contiguous(b, rank - 1)) return one_matrix(b);
    Strided turned = b;
    std::swap(turned.dims[rank - 1], turned.dims[rank - 2]);
    MatrixView view = one_matrix(turned);
    view.transposed = true;
    return view;
  }

  void append_batched(const Node& node, const Strided& a, const Strided& b, const Strided& out) {
    BatchSteps steps;
    const bool walkable = batched_accepts(a, b, out) && batch_steps(a, b, out, steps);
    if (!walkable) refuse(node, "a batch of matrices that no Gemm can walk");
    const Shape shape = shape_of(out);
    const std::size_t rank = shape.size();
    Operator op = make(OperatorKind::kBatchedGemm, "BatchedGemm", "");
    op.m = shape[rank - 2];
    op.k = shape_of(a).back();
    op.n = shape[rank - 1];
    op.instances = product_of(shape, 0, rank - 2);
    MatrixView left = one_matrix(a), right = right_matrix(b), result = one_matrix(out);
    if (is_shared(steps)) {
      op.group = steps.a.back().count;
      left.group = steps.a.back();
      result.group = steps.out.back();
      steps.a.pop_back();
      steps.b.pop_back();
      steps.out.pop_back();
    }
    set_batch(left, steps.a);
    set_batch(right, steps.b);
    set_batch(result, steps.out);
    op.inputs = {left, right};
    op.outputs = {result};
    append(node, std::move(op));
  }

  // ---- vector operators -----------------------------------------------------------------------

  Strided place_rows(const std::string& name) {
    const std::size_t rank = network_.value(name).shape.size();
    const std::size_t last = rank == 0 ? 0 : rank - 1;
    return placement_.place(name, last,
                            [&](const Strided& value) { return is_contiguous(value, last); });
  }

  void map_row_operator(const Node& node, const VectorRule& rule) {
    const std::string& name = node.outputs[0];
    Strided in = operand(node, node.inputs[0]);
    if (!is_contiguous(in, in.dims.size() - 1)) in = copied(node, in);
    realise(in);
    const Strided out = place_rows(name);
    Operator op = make(rule.kind, rule.name, rule.operation);
    if (integer_of(node, "causal", 0) != 0) op.mask = Mask::kCausal;
    for (std::size_t i = 1; rule.kind != OperatorKind::kSoftmax && i < node.inputs.size(); ++i) {
      if (node.inputs[i].empty()) continue;
      Strided parameter = row_major(shape_of_value(node, node.inputs[i]));
      parameter.root = node.inputs[i];
      realise(parameter);
      op.parameters.push_back(parameter.tensor);
    }
    append_rows(node, std::move(op), {in}, out);
    values_[name] = out;
  }

  /// Appends `op` over all rows of `out`; the operands have its shape.
  void append_rows(const Node& node, Operator op, std::vector<Strided> operands,
                   const Strided& out) {
    const std::size_t last = out.dims.empty() ? 0 : out.dims.size() - 1;
    std::vector<Steps> rows;
    if (!row_steps(operands, out, last, rows)) {
      for (Strided& each : operands) each = copied(node, each);
      if (!row_steps(operands, out, last, rows)) refuse(node, "rows that no operator can walk");
    }
    const Shape shape = shape_of(out);
    op.n = shape.empty() ? 1 : shape.back();
    op.m = element_count(shape) / op.n;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      op.inputs.push_back(rows_view(operands[i], rows[i], op.n));
    }
    op.outputs = {rows_view(out, rows.back(), op.n)};
    append(node, std::move(op));
  }

  static bool row_steps(const std::vector<Strided>& operands, const Strided& out, std::size_t last,
                        std::vector<Steps>& rows) {
    std::vector<Steps> each;
    for (const Strided& operand : operands) each.push_back(joined(operand, 0, last));
    each.push_back(joined(out, 0, last));
    return step_together(each, rows) && rows[0].size() <= kMostRowSteps;
  }

  /// Who was there first comes first: the residual stream in front of its branch, weights last.
  int rank_of(const Strided& value) const {
    if (value.tensor == kNoTensor) return network_.is_constant(value.root) ? INT32_MAX : -1;
    const auto id = static_cast<std::size_t>(value.tensor);
    const bool weight = result_.graph.tensors[id].cls == TensorClass::kWeights;
    return weight ? INT32_MAX : result_.tensor_owner[id];
  }

  /// Operands that are read element by element; one value for a whole row comes for free beside
  /// them.
  std::vector<Strided> row_operands(const Node& node, const Shape& shape) {
    std::vector<Strided> operands;
    for (const std::string& name : node.inputs) {
      if (name.empty()) continue;
      Strided value = expand(operand(node, name), shape);
      const Steps& cols = value.dims.empty() ? Steps{} : value.dims.back();
      if (!cols.empty() && cols.back().stride == 0) continue;
      if (network_.is_single(name) && element_count(shape) > 1) continue;
      operands.push_back(value);
    }
    return operands;
  }

  void map_elementwise(const Node& node, const VectorRule& rule) {
    const std::string& name = node.outputs[0];
    const Shape& shape = shape_of_value(node, name);
    const bool commutes = rule.kind == OperatorKind::kAdd;
    std::vector<Strided> operands = row_operands(node, shape);
    if (operands.empty()) operands = {copied(node, expand(operand(node, node.inputs[0]), shape))};
    if (commutes) {
      std::stable_sort(operands.begin(), operands.end(),
                       [&](const Strided& x, const Strided& y) { return rank_of(x) < rank_of(y); });
    }
    for (Strided& each : operands) {
      realise(each);
      if (!shape.empty() && !is_contiguous(each, shape.size() - 1)) each = copied(node, each);
    }
    const Strided out = place_rows(name);
    append_rows(node, make(rule.kind, rule.name, rule.operation), operands, out);
    values_[name] = out;
  }

  // ---- with --allow-unknown -------------------------------------------------------------------

  /// One elementwise pass over the first input that is computed.
  void map_unknown(const Node& node) {
    const auto computed = std::find_if(
        node.inputs.begin(), node.inputs.end(),
        [&](const auto& name) { return !name.empty() && !network_.is_constant(name); });
    const std::string& first = computed == node.inputs.end() ? node.inputs.at(0) : *computed;
    Strided in = operand(node, first);
    realise(in);
    if (!in.dims.empty() && !is_contiguous(in, in.dims.size() - 1)) in = copied(node, in);
    const Shape shape = shape_of(in);
    Strided pass = row_major(shape);
    pass.tensor = add_tensor("out", shape, TensorClass::kActivations);
    append_rows(node, make(OperatorKind::kAdd, node.type.substr(0, kLongestName), "add"), {in},
                pass);
    for (const std::string& name : node.outputs) {
      if (name.empty() || !network_.value(name).has_shape) continue;
      const Shape& to = shape_of_value(node, name);
      Strided out = row_major(to);
      out.tensor = to == shape ? pass.tensor : add_tensor("result", to, TensorClass::kActivations);
      values_[name] = out;
    }
    note_unknown(node, shape);
  }

  void note_unknown(const Node& node, const Shape& shape) {
    const std::int64_t macs = unknown_macs(network_, node);
    if (macs >= 0) {
      result_.uncovered_macs += macs;
    } else {
      ++result_.uncountable;
    }
    result_.assumed.push_back(
        shown(node) + ": one elementwise pass over " + shown_shape(shape) +
        (macs >= 0 ? ", its " + std::to_string(macs) + " MACs not covered" : ""));
  }

  static std::string shown_shape(const Shape& shape) { return onnx::shown(shape); }
  static std::string shown(const Node& node) { return onnx::shown(node); }
  static std::string shown(const Shape& shape) { return onnx::shown(shape); }

  const Network& network_;
  bool allow_unknown_;
  MappedGraph result_;
  Placement placement_;
  std::map<std::string, Strided> values_;
  std::map<std::string, TensorId> roots_;
};

}  // namespace

MappedGraph map_graph(const Network& network, bool allow_unknown) {
  return GraphMapper(network, allow_unknown).run();
}

}  // namespace tessera::workloads::onnx
