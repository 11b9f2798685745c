#include "workloads/model_descriptor.h"

#include <algorithm>
#include <stdexcept>

#include "workloads/families/bert.h"
#include "workloads/families/decoder.h"
#include "workloads/families/request_checks.h"
#include "workloads/families/vit.h"
#include "workloads/import/imported_phase.h"

namespace tessera::workloads {
namespace {

/// What the report calls one unit of a family's work.
const char* unit_of(Family family) {
  switch (family) {
    case Family::kVit:
      return "image";
    case Family::kDecoder:
      return "prompt";
    case Family::kBert:
    case Family::kGraph:
      return "request";
  }
  throw std::logic_error("unknown family");
}

/// "SigLIP-B/16-512, 1 image", "SmolLM2-360M, 4 prompts of 50 tokens".
std::string title_of(const PhaseRequest& request) {
  const std::string title = request.model.title.empty() ? request.model.name : request.model.title;
  const std::string units = std::to_string(request.batch) + " " + unit_of(request.model.family) +
                            (request.batch > 1 ? "s" : "");
  if (request.model.family == Family::kVit || request.model.family == Family::kGraph) {
    return title + ", " + units;
  }
  return title + ", " + units + " of " + std::to_string(request.tokens) +
         (request.tokens > 1 ? " tokens" : " token");
}

void append_operators(Graph& graph, const PhaseRequest& request) {
  switch (request.model.family) {
    case Family::kVit:
      return append_vit(graph, request);
    case Family::kDecoder:
      return append_decoder(graph, request);
    case Family::kBert:
      return append_bert(graph, request);
    case Family::kGraph:
      return append_imported(graph, request);
  }
}

void check_name_is_new(const Graph& graph, const std::string& name) {
  const bool taken = std::any_of(graph.phases.begin(), graph.phases.end(),
                                 [&](const Phase& phase) { return phase.name == name; });
  if (taken) {
    throw std::invalid_argument("phase " + name + " appears twice");
  }
}

}  // namespace

void append_phase(Graph& graph, const PhaseRequest& request) {
  const PhaseRequest resolved = resolve(request);
  check(resolved);
  check_name_is_new(graph, resolved.phase);
  Phase phase;
  phase.name = resolved.phase;
  phase.title = title_of(resolved);
  phase.unit = unit_of(resolved.model.family);
  phase.units = static_cast<int>(resolved.batch);
  phase.repeat = resolved.repeat;
  phase.not_before_s = resolved.not_before_s;
  phase.first_operator = static_cast<int>(graph.operators.size());
  append_operators(graph, resolved);
  phase.last_operator = static_cast<int>(graph.operators.size());
  graph.phases.push_back(phase);
}

Graph build_graph(const std::vector<PhaseRequest>& requests) {
  Graph graph;
  for (const PhaseRequest& request : requests) {
    append_phase(graph, request);
  }
  return graph;
}

}  // namespace tessera::workloads
