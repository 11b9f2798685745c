// Where slots lie in the buffers.
#pragma once

#include <vector>

#include "sim/mapper/plan.h"

namespace tessera::sim {

/// All slots of an operator in use (count > 0).
std::vector<Slots*> slots_of(OperatorPlan& plan);
std::vector<const Slots*> slots_of(const OperatorPlan& plan);

/// No slot of one shares a byte with a slot of the other. REQUIRES: both lie in one buffer.
bool apart(const Slots& x, const Slots& y);

/// Gives every slot an offset: one ring per buffer, so that operator i + 1 fills what operator i
/// leaves free while i still runs. An operator's slots of one buffer lie together; they wrap to 0
/// when they do not fit behind the cursor. Offsets are multiples of the access width.
/// With a hardware loop the slots of a Gemm divide their buffers instead: of two tiles each has
/// half of the buffer of the operands, A from the bottom, B at the top, and half of the
/// accumulators, so that the array reads A and B from different banks. Where that would lay one
/// over another (a single slot beside two; one buffer for all), they lie in the ring as well.
/// `room`, by operator: bytes of the buffer of activations below what is kept; empty: all of it.
/// REQUIRES: the slots of each operator fit in their buffers; slot bytes are multiples of the
/// width.
void place_slots(std::vector<OperatorPlan>& operators, const hw::HardwareConfig& hardware,
                 const std::vector<Bytes>& room = {});

}  // namespace tessera::sim
