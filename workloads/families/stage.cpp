#include "workloads/families/stage.h"

#include <algorithm>
#include <stdexcept>

namespace tessera::workloads {
namespace {

/// "SigLIP-B/16-512, 1 image", "SmolLM2-360M, 4 prompts of 50 tokens".
std::string title_of(const PhaseRequest& request, const std::string& unit,
                     const std::string& rows) {
  const std::string title = request.model.title.empty() ? request.model.name : request.model.title;
  return title + ", " + counted(request.batch, unit) + (rows.empty() ? "" : " of " + rows);
}

void check_name_is_new(const Graph& graph, const std::string& name) {
  const bool taken = std::any_of(graph.phases.begin(), graph.phases.end(),
                                 [&](const Phase& phase) { return phase.name == name; });
  if (taken) {
    throw std::invalid_argument("phase " + name + " appears twice");
  }
}

}  // namespace

std::string counted(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count > 1 ? "s" : "");
}

void append_stage(Graph& graph, const PhaseRequest& request, const std::string& unit,
                  const std::string& rows, const std::function<void()>& append) {
  check_name_is_new(graph, request.phase);
  Phase phase;
  phase.name = request.phase;
  phase.title = title_of(request, unit, rows);
  phase.unit = unit;
  phase.units = static_cast<int>(request.batch);
  phase.repeat = request.repeat;
  phase.not_before_s = request.not_before_s;
  phase.first_operator = static_cast<int>(graph.operators.size());
  append();
  phase.last_operator = static_cast<int>(graph.operators.size());
  graph.phases.push_back(phase);
}

}  // namespace tessera::workloads
