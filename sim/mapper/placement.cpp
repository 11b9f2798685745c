#include "sim/mapper/placement.h"

#include <algorithm>

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
  } else if (plan.is_attention) {
    auto& attention = plan.attention;
    all = {&attention.q,          &attention.k,    &attention.v,       &attention.scores,
           &attention.score_sums, &attention.sums, &attention.outputs, &attention.statistics};
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
void divide(Slots& slots, const hw::HardwareConfig& hardware, bool at_top) {
  const hw::BufferConfig& buffer = hardware.buffers[static_cast<std::size_t>(slots.buffer)];
  slots.stride = buffer.capacity / slots.count / buffer.width * buffer.width;
  slots.offset = at_top ? slots.stride - slots.bytes : 0;
}

bool all_apart(const std::vector<Slots*>& slots) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (slots[i]->buffer == slots[j]->buffer && !apart(*slots[i], *slots[j])) return false;
    }
  }
  return true;
}

/// Divides the buffers among the slots of a hardware loop, all but the staging slots, where that
/// keeps them apart. The slots that are left to place.
std::vector<Slots*> place_loop(OperatorPlan& plan, const hw::HardwareConfig& hardware) {
  GemmMapping& gemm = plan.gemm;
  const bool one_buffer = gemm.a.buffer == gemm.b.buffer;
  divide(gemm.a, hardware, false);
  divide(gemm.b, hardware, one_buffer);
  divide(gemm.accumulators, hardware, false);
  const bool staging_alone = gemm.outputs.buffer != gemm.a.buffer &&
                             gemm.outputs.buffer != gemm.b.buffer &&
                             gemm.outputs.buffer != gemm.accumulators.buffer;
  if (staging_alone && all_apart({&gemm.a, &gemm.b, &gemm.accumulators})) return {&gemm.outputs};
  for (Slots* slots : {&gemm.a, &gemm.b, &gemm.accumulators}) slots->stride = 0;
  return slots_of(plan);
}

}  // namespace

std::vector<Slots*> slots_of(OperatorPlan& plan) { return used_slots<OperatorPlan, Slots>(plan); }

std::vector<const Slots*> slots_of(const OperatorPlan& plan) {
  return used_slots<const OperatorPlan, const Slots>(plan);
}

bool apart(const Slots& x, const Slots& y) {
  if (x.end() <= y.offset || y.end() <= x.offset) return true;
  for (int i = 0; i < x.count; ++i) {
    // The first slot of y that does not end in front of slot i.
    const Bytes begin = x.at(i), end = begin + x.bytes;
    const std::int64_t first = std::max<std::int64_t>(0, (begin - y.offset - y.bytes) / y.step());
    for (std::int64_t j = first; j < y.count && y.at(j) < end; ++j) {
      if (y.at(j) + y.bytes > begin) return false;
    }
  }
  return true;
}

void place_slots(std::vector<OperatorPlan>& operators, const hw::HardwareConfig& hardware,
                 const std::vector<Bytes>& room) {
  std::vector<Bytes> cursors(hardware.buffers.size(), 0);
  const bool loop = hardware.sequencer.loop.exists();
  const auto shared = static_cast<std::size_t>(hw::buffer_of(hardware, hw::Role::kActivations));
  for (std::size_t op = 0; op < operators.size(); ++op) {
    OperatorPlan& plan = operators[op];
    std::vector<Slots*> slots = slots_of(plan);
    if (loop && plan.is_gemm) slots = place_loop(plan, hardware);
    for (std::size_t i = 0; i < hardware.buffers.size(); ++i) {
      const bool beside_kept = i == shared && op < room.size();
      const Bytes capacity = beside_kept ? room[op] : hardware.buffers[i].capacity;
      place_in(slots, static_cast<int>(i), capacity, cursors[i]);
    }
  }
}

}  // namespace tessera::sim
