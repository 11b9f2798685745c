#include "workloads/model_descriptor.h"

#include <stdexcept>

#include "workloads/families/bert.h"
#include "workloads/families/decoder.h"
#include "workloads/families/request_checks.h"
#include "workloads/families/smolvla.h"
#include "workloads/families/stage.h"
#include "workloads/families/vit.h"
#include "workloads/families/vlm.h"
#include "workloads/import/imported_phase.h"

namespace tessera::workloads {

bool is_composite(Family family) {
  return family == Family::kDualEncoder || family == Family::kVlm || family == Family::kSmolVla;
}

void append_phase(Graph& graph, const PhaseRequest& request) {
  const PhaseRequest resolved = resolve(request);
  check(resolved);
  const std::string tokens = counted(resolved.tokens, "token");
  switch (resolved.model.family) {
    case Family::kVit:
      return append_stage(graph, resolved, "image", "", [&] { append_vit(graph, resolved); });
    case Family::kDecoder:
      return append_stage(graph, resolved, resolved.kv_length > resolved.tokens ? "step" : "prompt",
                          tokens, [&] { append_decoder(graph, resolved); });
    case Family::kBert:
      return append_stage(graph, resolved, "request", tokens,
                          [&] { append_bert(graph, resolved); });
    case Family::kDualEncoder:
      return append_dual_encoder(graph, resolved);
    case Family::kVlm:
      return append_vlm(graph, resolved);
    case Family::kSmolVla:
      return append_smolvla(graph, resolved);
    case Family::kGraph:
      return append_stage(graph, resolved, "request", "",
                          [&] { append_imported(graph, resolved); });
  }
  throw std::logic_error("unknown family");
}

void check_phase(const PhaseRequest& request) { check(resolve(request)); }

Graph build_graph(const std::vector<PhaseRequest>& requests) {
  Graph graph;
  for (const PhaseRequest& request : requests) {
    append_phase(graph, request);
  }
  return graph;
}

}  // namespace tessera::workloads
