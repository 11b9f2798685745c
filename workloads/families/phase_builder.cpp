#include "workloads/families/phase_builder.h"

#include <utility>

namespace tessera::workloads {

MatrixView whole(const Matrix& matrix) {
  MatrixView view;
  view.tensor = matrix.tensor;
  view.rows = matrix.rows;
  view.row_stride = matrix.cols;
  view.cols = matrix.cols;
  return view;
}

MatrixView row_of_each_request(const Matrix& matrix, std::int64_t batch, std::int64_t tokens,
                               std::int64_t row) {
  MatrixView view = whole(matrix);
  view.offset = row * matrix.cols;
  view.rows = batch;
  view.row_stride = tokens * matrix.cols;
  return view;
}

MatrixView rows_per_request(TensorId tensor, std::int64_t offset, Dim requests, std::int64_t rows,
                            std::int64_t cols) {
  MatrixView view = whole({tensor, rows, cols});
  view.offset = offset;
  view.batch[0] = requests;
  return view;
}

std::int64_t matrix_rows(const MatrixView& view) { return view.group.count * view.rows; }

std::int64_t all_rows(const MatrixView& view) {
  return view.batch[0].count * view.batch[1].count * matrix_rows(view);
}

PhaseBuilder::PhaseBuilder(Graph& graph, const PhaseRequest& request, std::int64_t tokens)
    : graph_(graph), request_(request), tokens_(tokens) {}

std::int64_t PhaseBuilder::group() const {
  return model().num_attention_heads / model().num_key_value_heads;
}

TensorId PhaseBuilder::add_tensor(const std::string& stem, std::vector<std::int64_t> shape,
                                  TensorClass cls, bool is_state) {
  const std::string layer = layer_ < 0 ? "" : ".L" + std::to_string(layer_);
  Tensor tensor;
  tensor.name = request_.phase + layer + "." + stem;
  tensor.shape = std::move(shape);
  tensor.cls = cls;
  tensor.is_state = is_state;
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph_.tensors.size()) - 1;
}

TensorId PhaseBuilder::add_weight(const std::string& stem, std::vector<std::int64_t> shape) {
  return add_tensor(stem, std::move(shape), TensorClass::kWeights);
}

TensorId PhaseBuilder::shared_weight(const std::string& stem, std::vector<std::int64_t> shape) {
  const auto known = shared_.find(stem);
  if (known != shared_.end()) return known->second;
  const int layer = std::exchange(layer_, -1);
  const TensorId tensor = add_weight(stem, std::move(shape));
  layer_ = layer;
  return shared_[stem] = tensor;
}

TensorId PhaseBuilder::add_table(const std::string& stem, std::vector<std::int64_t> shape) {
  const TensorId table = add_weight(stem, std::move(shape));
  graph_.tensors.back().is_table = true;
  return table;
}

Matrix PhaseBuilder::add_activation(const std::string& stem, std::int64_t rows, std::int64_t cols) {
  return {add_tensor(stem, {rows, cols}, TensorClass::kActivations), rows, cols};
}

Operator PhaseBuilder::make(const std::string& name, OperatorKind kind,
                            const std::string& operation) const {
  Operator op;
  op.name = name;
  op.phase = request_.phase;
  op.layer = layer_;
  op.kind = kind;
  op.operation = operation;
  op.members = {name};
  return op;
}

void PhaseBuilder::append(Operator op) { graph_.operators.push_back(std::move(op)); }

}  // namespace tessera::workloads
