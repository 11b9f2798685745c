#include "sim/check/fault.h"

namespace tessera::sim {

const char* to_string(FaultKind kind) {
  switch (kind) {
    case FaultKind::kProgram:
      return "program";
    case FaultKind::kOutside:
      return "outside";
    case FaultKind::kUnwritten:
      return "unwritten";
    case FaultKind::kStale:
      return "stale";
    case FaultKind::kUnordered:
      return "unordered";
    case FaultKind::kStationary:
      return "stationary";
    case FaultKind::kMacs:
      return "macs";
    case FaultKind::kOutputs:
      return "outputs";
    case FaultKind::kValues:
      return "values";
  }
  return "?";
}

}  // namespace tessera::sim
