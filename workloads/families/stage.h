// A phase of the graph around the operators that a family appends.
#pragma once

#include <functional>
#include <string>

#include "workloads/graph.h"
#include "workloads/model_descriptor.h"

namespace tessera::workloads {

/// Appends the phase `request.phase`: what `append` appends. `rows`: rows of one request as the
/// title states them, "50 tokens"; empty: not stated. Throws std::invalid_argument when there is a
/// phase of this name.
void append_stage(Graph& graph, const PhaseRequest& request, const std::string& unit,
                  const std::string& rows, const std::function<void()>& append);

/// "50 tokens", "1 token".
std::string counted(std::int64_t count, const std::string& what);

}  // namespace tessera::workloads
