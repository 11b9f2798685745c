// Is a graph that came from outside consistent?
#pragma once

#include <string>

#include "workloads/graph.h"

namespace tessera::workloads {

/// Empty, or what is wrong with tensor or operator `index` by itself: shapes that do not fit each
/// other, views that leave their tensor, sizes beyond any machine.
std::string fault_of(const Tensor& tensor);
std::string fault_of(const Operator& op, const std::vector<Tensor>& tensors);
/// The first fault of a graph, names of operators and tensors included.
std::string fault_of(const Graph& graph);

}  // namespace tessera::workloads
