#include "sim/mapper/plan.h"

namespace tessera::sim {

std::string qualified_name(const workloads::Operator& op) {
  std::string name = op.phase;
  if (op.layer >= 0) name += ".L" + std::to_string(op.layer);
  return name + "." + op.name;
}

std::string loop_order_text(const std::array<LoopDim, 3>& order) {
  std::string text;
  for (const LoopDim dim : order) {
    text += dim == LoopDim::kM ? 'm' : dim == LoopDim::kK ? 'k' : 'n';
  }
  return text;
}

}  // namespace tessera::sim
