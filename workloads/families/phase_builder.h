// Appends operators and tensors of one phase to a graph, naming them
// "phase[.Llayer].operator.role".
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// A whole row-major matrix in one tensor: what one operator hands to the next. Rows of all
/// requests of the batch follow each other.
struct Matrix {
  TensorId tensor = kNoTensor;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// Every element of `matrix`, as one matrix.
MatrixView whole(const Matrix& matrix);
/// Row `row` of each request: `batch` rows spaced by `tokens` rows.
MatrixView row_of_each_request(const Matrix& matrix, std::int64_t batch, std::int64_t tokens,
                               std::int64_t row);
/// The rows of a [rows, cols] matrix at `offset`, again for each request, `stride` elements apart
/// (0: the same rows for all).
MatrixView rows_per_request(TensorId tensor, std::int64_t offset, Dim requests, std::int64_t rows,
                            std::int64_t cols);
/// Rows of the one matrix that `view` is to a plain Gemm.
std::int64_t matrix_rows(const MatrixView& view);
/// Rows over all matrices: what a vector operator sees.
std::int64_t all_rows(const MatrixView& view);

/// The phase under construction: what every block needs to know. Does no shape arithmetic of its
/// own and never reads the graph.
class PhaseBuilder {
 public:
  /// `tokens`: rows of one request. REQUIRES: `request` is valid; it and `graph` outlive the
  /// builder.
  PhaseBuilder(Graph& graph, const PhaseRequest& request, std::int64_t tokens);

  const ModelDescriptor& model() const { return request_.model; }
  std::int64_t batch() const { return request_.batch; }
  /// Keys that the last token sees: the tokens and those in the cache before them.
  std::int64_t kv_length() const { return std::max(request_.kv_length, tokens_); }
  bool skips_causal_half() const { return request_.causal_half == Effort::kSkipped; }
  std::int64_t tokens() const { return tokens_; }
  std::int64_t rows() const { return batch() * tokens_; }
  /// Query heads that share one KV head.
  std::int64_t group() const;

  /// Names and operators that follow belong to `layer`; -1: to none.
  void enter_layer(int layer) { layer_ = layer; }

  TensorId add_tensor(const std::string& stem, std::vector<std::int64_t> shape, TensorClass cls,
                      bool is_state = false);
  TensorId add_weight(const std::string& stem, std::vector<std::int64_t> shape);
  /// The same weight for all layers: added when first asked for.
  TensorId shared_weight(const std::string& stem, std::vector<std::int64_t> shape);
  /// A weight of which only gathered rows move.
  TensorId add_table(const std::string& stem, std::vector<std::int64_t> shape);
  Matrix add_activation(const std::string& stem, std::int64_t rows, std::int64_t cols);

  /// An operator of this phase and layer without shape and operands.
  Operator make(const std::string& name, OperatorKind kind, const std::string& operation) const;
  void append(Operator op);

 private:
  Graph& graph_;
  const PhaseRequest& request_;
  std::int64_t tokens_;
  int layer_ = -1;
  std::map<std::string, TensorId> shared_;
};

}  // namespace tessera::workloads
