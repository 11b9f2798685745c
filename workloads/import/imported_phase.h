// A phase whose operators come from outside: family graph.
#pragma once

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Appends the operators and tensors of `request.model.graph`, the phase's name in front of every
/// tensor's. REQUIRES: a valid request.
void append_imported(Graph& graph, const PhaseRequest& request);

}  // namespace tessera::workloads
