#include "sim/mapper/plan.h"

namespace tessera::sim {

std::string qualified_name(const workloads::Operator& op) {
  std::string name = op.phase;
  if (op.layer >= 0) name += ".L" + std::to_string(op.layer);
  return name + "." + op.name;
}

}  // namespace tessera::sim
