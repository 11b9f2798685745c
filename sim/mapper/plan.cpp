#include "sim/mapper/plan.h"

namespace tessera::sim {

std::vector<std::string> doubled_slots(const AttentionMapping& mapping) {
  std::vector<std::string> doubled;
  const auto note = [&](const char* name, const Slots& slots) {
    if (slots.count == 2) doubled.emplace_back(name);
  };
  note("q", mapping.q);
  if (!mapping.resident) {
    note("k", mapping.k);
    note("v", mapping.v);
  }
  note("scores", mapping.scores);
  note("score_sums", mapping.score_sums);
  note("sums", mapping.sums);
  note("outputs", mapping.outputs);
  return doubled;
}

bool is_kept(const KeptTensors& kept, workloads::TensorId tensor) {
  const auto id = static_cast<std::size_t>(tensor);
  return id < kept.size() && kept[id].count > 0;
}

KeptTensors kept_tensors(const Plan& plan) {
  KeptTensors kept;
  for (const TensorAllocation& tensor : plan.tensors) kept.push_back(tensor.kept);
  return kept;
}

std::string loop_order_text(const std::array<LoopDim, 3>& order) {
  std::string text;
  for (const LoopDim dim : order) {
    text += dim == LoopDim::kM ? 'm' : dim == LoopDim::kK ? 'k' : 'n';
  }
  return text;
}

}  // namespace tessera::sim
