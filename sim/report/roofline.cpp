#include "sim/report/roofline.h"

#include <algorithm>
#include <array>
#include <vector>

namespace tessera::sim {
namespace {

using workloads::Graph;
using workloads::MatrixView;
using workloads::Operator;

/// A step of stride 0 visits the same elements again.
std::int64_t distinct(const workloads::Dim& dim) { return dim.stride == 0 ? 1 : dim.count; }

std::int64_t gathered_rows(const MatrixView& view) {
  return view.batch[0].count * view.batch[1].count * view.group.count * view.rows;
}

std::int64_t distinct_rows(const MatrixView& view) {
  return distinct(view.batch[0]) * distinct(view.batch[1]) * distinct(view.group) *
         distinct({view.rows, view.row_stride});
}

/// Bytes of the distinct elements of a view; of a table every gathered row moves.
Bytes view_bytes(const MatrixView& view, const Graph& graph) {
  const auto& tensor = graph.tensors.at(view.tensor);
  if (tensor.is_table) return stored_bytes(tensor, gathered_rows(view), view.cols);
  return std::min(stored_bytes(tensor, distinct_rows(view), view.cols), stored_bytes(tensor));
}

struct TensorUse {
  Bytes read = 0, written = 0;
};

/// Bytes read and written by operators [first, last), by tensor.
std::vector<TensorUse> uses(const Graph& graph, int first, int last) {
  std::vector<TensorUse> use(graph.tensors.size());
  for (int i = first; i < last; ++i) {
    const Operator& op = graph.operators[i];
    for (const auto& view : op.inputs) use[view.tensor].read += view_bytes(view, graph);
    for (const auto& view : op.outputs) use[view.tensor].written += view_bytes(view, graph);
    for (const auto id : op.parameters) use[id].read += stored_bytes(graph.tensors[id]);
  }
  return use;
}

/// A tensor read again and again moves once; of a table only the gathered rows move.
Bytes once(Bytes bytes, const workloads::Tensor& tensor) {
  return tensor.is_table ? bytes : std::min(bytes, stored_bytes(tensor));
}

}  // namespace

double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

Bytes compulsory_bytes(const Operator& op, const Graph& graph) {
  Bytes sum = 0;
  for (const auto& view : op.inputs) sum += view_bytes(view, graph);
  for (const auto& view : op.outputs) sum += view_bytes(view, graph);
  for (const auto id : op.parameters) sum += stored_bytes(graph.tensors.at(id));
  return sum;
}

Bytes fusion_saved_bytes(const Operator& op, const Graph& graph) {
  Bytes sum = 0;
  for (const auto& view : op.kept) sum += 2 * view_bytes(view, graph);
  for (const auto& view : op.spared) sum += view_bytes(view, graph);
  return sum;
}

Bytes residency_saved_bytes(const Operator& op, const Graph& graph, const KeptTensors& kept) {
  Bytes sum = 0;
  for (const auto* views : {&op.inputs, &op.outputs}) {
    for (const auto& view : *views) {
      if (is_kept(kept, view.tensor)) sum += view_bytes(view, graph);
    }
  }
  return sum;
}

Bytes compulsory_bytes(const Graph& graph, int first, int last) {
  const auto inside = uses(graph, first, last);
  const auto everywhere = uses(graph, 0, static_cast<int>(graph.operators.size()));
  Bytes sum = 0;
  for (std::size_t t = 0; t < inside.size(); ++t) {
    const auto& tensor = graph.tensors[t];
    // What is read and not written inside: weights, inputs, the earlier part of a KV cache.
    const Bytes enters = once(inside[t].read, tensor) - once(inside[t].written, tensor);
    const bool leaves =
        inside[t].written > 0 && (inside[t].read == 0 || everywhere[t].read > inside[t].read);
    sum += std::max<Bytes>(0, enters);
    if (leaves) sum += once(inside[t].written, tensor);
  }
  return sum;
}

WallVerdict judge(const Walls& walls) {
  struct Wall {
    const char* name;
    double cycles;
  };
  std::array<Wall, 4> order{{{"compute", walls.compute},
                             {"dram", walls.dram},
                             {"scratchpad", walls.scratchpad},
                             {"vector", walls.vector}}};
  std::stable_sort(order.begin(), order.end(),
                   [](const Wall& a, const Wall& b) { return a.cycles > b.cycles; });
  return {order[0].name, order[1].name, ratio(order[1].cycles, order[0].cycles), order[0].cycles};
}

void settle(Roofline& roofline, Cycles cycles) {
  const WallVerdict ideal = judge(roofline.walls);
  roofline.bound = ideal.bound;
  roofline.next_bound = ideal.next_bound;
  roofline.next_bound_distance = 1.0 - ideal.next_share;
  const double elapsed = static_cast<double>(cycles);
  roofline.achieved_fraction = ideal.tallest >= elapsed ? 1.0 : ideal.tallest / elapsed;
  const WallVerdict mapped = judge(roofline.as_mapped_walls);
  roofline.as_mapped_bound = mapped.bound;
  roofline.as_mapped_next_bound = mapped.next_bound;
  roofline.as_mapped_next_share = mapped.next_share;
}

Walls operator+(const Walls& a, const Walls& b) {
  return {a.compute + b.compute, a.dram + b.dram, a.scratchpad + b.scratchpad, a.vector + b.vector};
}

}  // namespace tessera::sim
