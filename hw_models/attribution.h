// Who owns a gap of the array: a walk back along the binding chain. No SystemC.
#pragma once

#include <vector>

#include "hw_models/command_record.h"
#include "hw_models/counters.h"

namespace tessera::hw {

/// `cycles` of the array that belong to operator `op` for `cause`.
struct Charge {
  int op = -1;
  Cause cause = Cause::kCompute;
  Cycles cycles = 0;
};

/// Splits the gap [begin, end) in front of `command`, which started at `end`: the last condition to
/// be met names a command; while that command ran, the cycle is its operator's and its class's;
/// before that, what it waited for in turn, back to `begin`. The charges sum to end - begin.
std::vector<Charge> attribute_gap(const CommandHistory& history, CommandId command, Cycles begin,
                                  Cycles end);

/// Splits the tail [begin, end) behind the last Gemm, `command` being the last to complete (at
/// `end`). Stores that nothing waits for any more are `tail`.
std::vector<Charge> attribute_tail(const CommandHistory& history, CommandId command, Cycles begin,
                                   Cycles end);

}  // namespace tessera::hw
