// What fusion passes share: who uses a tensor, and taking operators out of a graph.
#pragma once

#include <vector>

#include "workloads/graph.h"

namespace tessera::workloads {

constexpr int kNoOperator = -1;

/// Who touches a tensor.
struct TensorUse {
  std::vector<int> readers;  // operator indices in order, one for each view
  int writers = 0;
  int last_writer = kNoOperator;
};

/// By tensor.
std::vector<TensorUse> tensor_uses(const Graph& graph);

/// The same elements of their tensors in the same order.
bool same_geometry(const MatrixView& a, const MatrixView& b);

/// Drops the operators that have gone and moves the phases' ranges along.
void remove_operators(Graph& graph, const std::vector<bool>& gone);

}  // namespace tessera::workloads
