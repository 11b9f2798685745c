#include "sim/mapper/placement.h"

namespace tessera::sim {
namespace {

Bytes size_of(const Slots& slots) { return slots.bytes * slots.count; }

/// Places the slots of one operator that lie in `buffer`; moves the cursor behind them.
void place_in(const std::vector<Slots*>& slots, int buffer, Bytes capacity, Bytes& cursor) {
  Bytes total = 0;
  for (const Slots* slot : slots) {
    if (slot->buffer == buffer) total += size_of(*slot);
  }
  if (cursor + total > capacity) cursor = 0;
  for (Slots* slot : slots) {
    if (slot->buffer != buffer) continue;
    slot->offset = cursor;
    cursor += size_of(*slot);
  }
}

template <typename Plan, typename Slot>
std::vector<Slot*> used_slots(Plan& plan) {
  std::vector<Slot*> all;
  if (plan.is_gemm) {
    all = {&plan.gemm.a, &plan.gemm.b, &plan.gemm.accumulators, &plan.gemm.outputs};
  } else {
    all.push_back(&plan.vector.parameters);
    for (auto& slot : plan.vector.inputs) all.push_back(&slot);
    for (auto& slot : plan.vector.outputs) all.push_back(&slot);
  }
  std::vector<Slot*> used;
  for (Slot* slot : all) {
    if (slot->count > 0) used.push_back(slot);
  }
  return used;
}

/// Gives the slots of each tile its share of the buffer: at the bottom, or at the top.
void divide(Slots& slots, Bytes capacity, Bytes width, bool at_top) {
  slots.stride = capacity / slots.count / width * width;
  slots.offset = at_top ? slots.stride - slots.bytes : 0;
}

void place_loop(GemmMapping& gemm, const hw::HardwareConfig& hardware) {
  const auto buffer = [&](const Slots& slots) -> const hw::BufferConfig& {
    return hardware.buffers[static_cast<std::size_t>(slots.buffer)];
  };
  const auto place = [&](Slots& slots, bool at_top) {
    divide(slots, buffer(slots).capacity, buffer(slots).width, at_top);
  };
  place(gemm.a, false);
  place(gemm.b, gemm.a.buffer == gemm.b.buffer);
  place(gemm.accumulators, false);
}

}  // namespace

std::vector<Slots*> slots_of(OperatorPlan& plan) { return used_slots<OperatorPlan, Slots>(plan); }

std::vector<const Slots*> slots_of(const OperatorPlan& plan) {
  return used_slots<const OperatorPlan, const Slots>(plan);
}

void place_slots(std::vector<OperatorPlan>& operators, const hw::HardwareConfig& hardware) {
  std::vector<Bytes> cursors(hardware.buffers.size(), 0);
  const bool loop = hardware.sequencer.loop.exists();
  for (OperatorPlan& plan : operators) {
    std::vector<Slots*> slots = slots_of(plan);
    if (loop && plan.is_gemm) {
      place_loop(plan.gemm, hardware);
      slots = {&plan.gemm.outputs};
    }
    for (std::size_t i = 0; i < hardware.buffers.size(); ++i) {
      place_in(slots, static_cast<int>(i), hardware.buffers[i].capacity, cursors[i]);
    }
  }
}

}  // namespace tessera::sim
