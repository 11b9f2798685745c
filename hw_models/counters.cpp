#include "hw_models/counters.h"

namespace tessera::hw {

const char* to_string(Cause cause) {
  switch (cause) {
    case Cause::kCompute:
      return "compute";
    case Cause::kPreload:
      return "preload";
    case Cause::kFillDrain:
      return "fill_drain";
    case Cause::kWaitWeights:
      return "wait_weights";
    case Cause::kWaitActivations:
      return "wait_activations";
    case Cause::kWaitAccumulator:
      return "wait_accumulator";
    case Cause::kWaitScratchpad:
      return "wait_scratchpad";
    case Cause::kWaitVector:
      return "wait_vector";
    case Cause::kWaitStore:
      return "wait_store";
    case Cause::kWaitDispatch:
      return "wait_dispatch";
    case Cause::kTail:
      return "tail";
  }
  return "?";
}

}  // namespace tessera::hw
