#include "workloads/import/check_graph.h"

#include <set>

namespace tessera::workloads {
namespace {

constexpr std::int64_t kMostElements = 1'000'000'000'000;
constexpr double kMostMacs = 1e17;  // of the whole graph, as for descriptors

std::int64_t rows_of(const MatrixView& view) {
  return view.batch[0].count * view.batch[1].count * view.group.count * view.rows;
}

std::string number(std::int64_t value) { return std::to_string(value); }

bool in_range(std::int64_t value, std::int64_t low) {
  return value >= low && value <= kMostElements;
}

bool has_sane_steps(const MatrixView& view) {
  for (const Dim& dim :
       {view.batch[0], view.batch[1], view.group, Dim{view.rows, view.row_stride}}) {
    if (!in_range(dim.count, 1) || !in_range(dim.stride, 0)) return false;
  }
  return in_range(view.offset, 0) && in_range(view.cols, 1);
}

std::string view_fault(const MatrixView& view, const std::vector<Tensor>& tensors) {
  if (view.tensor < 0 || view.tensor >= static_cast<TensorId>(tensors.size())) {
    return "a view of no tensor";
  }
  const Tensor& tensor = tensors[static_cast<std::size_t>(view.tensor)];
  if (!has_sane_steps(view)) return "an impossible view of '" + tensor.name + "'";
  double last = static_cast<double>(view.offset + view.cols - 1),
         walked = static_cast<double>(view.cols);
  for (const Dim& dim :
       {view.batch[0], view.batch[1], view.group, Dim{view.rows, view.row_stride}}) {
    last += static_cast<double>(dim.count - 1) * static_cast<double>(dim.stride);
    walked *= static_cast<double>(dim.count);
  }
  if (walked > static_cast<double>(kMostElements)) return "a view of more than 10^12 elements";
  if (last < static_cast<double>(element_count(tensor))) return {};
  return "a view that leaves '" + tensor.name + "'";
}

std::string gemm_fault(const Operator& op) {
  if (op.inputs.size() != 2 || op.outputs.size() != 1)
    return "a Gemm has two inputs and one output";
  if (op.k < 1 || op.instances < 1 || op.group < 1 || op.instances % op.group != 0) {
    return "k, instances or group is impossible";
  }
  const MatrixView &a = op.inputs[0], &b = op.inputs[1], &out = op.outputs[0];
  const std::int64_t b_rows = b.transposed ? b.cols : b.rows,
                     b_cols = b.transposed ? b.rows : b.cols;
  const bool fits = rows_of(a) == op.m * op.instances && a.cols == op.k && b_rows == op.k &&
                    b_cols == op.n && rows_of(out) == op.m * op.instances && out.cols == op.n;
  return fits ? ""
              : "its operands are no (" + number(op.m) + ", " + number(op.k) + ") x (" +
                    number(op.k) + ", " + number(op.n) + ")";
}

/// Each view covers all columns, or they lie side by side (RoPE, KV write).
bool covers(const std::vector<MatrixView>& views, const Operator& op) {
  std::int64_t narrow = 0;
  for (const MatrixView& view : views) {
    if (rows_of(view) != op.m || view.transposed) return false;
    narrow += view.cols == op.n ? 0 : view.cols;
  }
  return !views.empty() && (narrow == 0 || narrow == op.n);
}

std::string row_fault(const Operator& op) {
  if (covers(op.inputs, op) && covers(op.outputs, op)) return {};
  return "its views are no " + number(op.m) + " rows of " + number(op.n);
}

std::string size_fault(const Operator& op) {
  const bool sizes =
      in_range(op.m, 1) && in_range(op.n, 1) && in_range(op.k, 0) && in_range(op.instances, 1);
  return sizes ? "" : "m, k, n or instances is impossible";
}

}  // namespace

std::string fault_of(const Tensor& tensor) {
  if (tensor.shape.empty()) return "has no shape";
  std::int64_t count = 1;
  for (const std::int64_t dim : tensor.shape) {
    if (dim < 1 || dim > kMostElements / count) return "has an impossible shape";
    count *= dim;
  }
  return {};
}

std::string fault_of(const Operator& op, const std::vector<Tensor>& tensors) {
  if (const std::string fault = size_fault(op); !fault.empty()) return fault;
  for (const auto* views : {&op.inputs, &op.outputs}) {
    for (const MatrixView& view : *views) {
      if (const std::string fault = view_fault(view, tensors); !fault.empty()) return fault;
    }
  }
  for (const TensorId id : op.parameters) {
    if (id < 0 || id >= static_cast<TensorId>(tensors.size())) return "a parameter is no tensor";
  }
  return is_gemm(op) ? gemm_fault(op) : row_fault(op);
}

std::string fault_of(const Graph& graph) {
  std::set<std::string> names;
  for (const Tensor& tensor : graph.tensors) {
    const std::string fault = fault_of(tensor);
    if (!fault.empty()) return "tensor '" + tensor.name + "': " + fault;
    if (!names.insert(tensor.name).second) return "two tensors are called '" + tensor.name + "'";
  }
  std::set<std::pair<int, std::string>> operators;
  double macs = 0;
  for (const Operator& op : graph.operators) {
    const std::string fault = fault_of(op, graph.tensors);
    if (!fault.empty()) return "operator '" + op.name + "': " + fault;
    if (!operators.insert({op.layer, op.name}).second) {
      return "two operators of a layer are called '" + op.name + "'";
    }
    macs += static_cast<double>(op.m) * static_cast<double>(op.k) * static_cast<double>(op.n) *
            static_cast<double>(op.instances);
  }
  return macs <= kMostMacs ? "" : "more than 10^17 MACs";
}

}  // namespace tessera::workloads
