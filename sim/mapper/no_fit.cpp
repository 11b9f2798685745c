#include "sim/mapper/no_fit.h"

#include <algorithm>

namespace tessera::sim {
namespace {

/// The smallest mapping that the pins allow.
GemmChoice smallest_choice(const GemmContext& context, const GemmPins& pins,
                           hw::Dataflow dataflow) {
  const auto sizes = candidate_sizes(context);
  const auto smallest = [&](std::int64_t pinned, std::size_t dim) {
    return pinned > 0 ? pinned : sizes[dim].front();
  };
  GemmChoice choice;
  choice.dataflow = dataflow;
  choice.tile = {smallest(pins.tile.m, 0), smallest(pins.tile.k, 1), smallest(pins.tile.n, 2)};
  if (pins.resident) {
    choice.resident_a = (*pins.resident)[0];
    choice.resident_b = (*pins.resident)[1];
  }
  const auto slots = [&](std::size_t i) {
    return pins.double_buffered && (*pins.double_buffered)[i] ? 2 : 1;
  };
  choice.a = slots(0);
  choice.b = slots(1);
  choice.accumulators = slots(2);
  choice.outputs = context.in_place ? 0 : slots(3);
  return choice;
}

std::optional<Overflow> overflow_of(const GemmContext& context, const GemmChoice& choice) {
  return worst_overflow(context, slot_plan(context, choice.dataflow, choice.tile),
                        slot_counts(tile_counts(context.problem, choice.tile), choice));
}

Bytes excess(const GemmContext& context, const Overflow& over) {
  return over.needs - context.capacity(over.buffer);
}

/// The largest size of one pinned dimension that fits with the other pins kept: " ...", or empty.
std::string with_smaller(const GemmContext& context, GemmChoice choice, const GemmPins& pins) {
  const auto sizes = candidate_sizes(context);
  std::int64_t* dims[3] = {&choice.tile.m, &choice.tile.k, &choice.tile.n};
  const std::int64_t pinned[3] = {pins.tile.m, pins.tile.k, pins.tile.n};
  const char* const names[3] = {"m", "k", "n"};
  for (std::size_t i = 0; i < 3; ++i) {
    if (pinned[i] == 0) continue;
    for (auto size = sizes[i].rbegin(); size != sizes[i].rend(); ++size) {
      *dims[i] = *size;
      if (*size < pinned[i] && !overflow_of(context, choice)) {
        return std::string("; with ") + names[i] + " = " + std::to_string(*size) + " it would fit";
      }
    }
    *dims[i] = pinned[i];
  }
  return "";
}

std::string nearest_fit(const GemmContext& context, const GemmChoice& choice,
                        const GemmPins& pins) {
  GemmChoice single = choice;
  single.a = single.b = single.accumulators = 1;
  single.outputs = context.in_place ? 0 : 1;
  if (!overflow_of(context, single)) return "; single-buffered it would fit";
  GemmChoice moving = choice;
  moving.resident_a = moving.resident_b = false;
  if (!overflow_of(context, moving)) return "; without resident operands it would fit";
  const std::string smaller = with_smaller(context, choice, pins);
  return smaller.empty() ? "; a buffer of that size would do" : smaller;
}

std::string tile_text(const TileShape& tile) {
  return std::to_string(tile.m) + " x " + std::to_string(tile.k) + " x " + std::to_string(tile.n);
}

}  // namespace

std::optional<Overflow> worst_overflow(const GemmContext& context, const SlotPlan& slots,
                                       const std::array<int, 4>& counts) {
  std::optional<Overflow> worst;
  for (const int buffer : slots.buffer) {
    const Overflow over{buffer, bytes_in(slots, counts, buffer)};
    const bool worse = !worst || excess(context, over) > excess(context, *worst);
    if (excess(context, over) > 0 && worse) worst = over;
  }
  return worst;
}

std::string no_fit_message(const GemmContext& context, const GemmPins& pins,
                           const std::string& who) {
  std::optional<Overflow> least;
  GemmChoice choice;
  for (const hw::Dataflow dataflow : context.hardware.array.dataflows) {
    if (pins.dataflow && dataflow != *pins.dataflow) continue;
    const GemmChoice smallest = smallest_choice(context, pins, dataflow);
    const auto over = overflow_of(context, smallest);
    if (!over || (least && excess(context, *over) >= excess(context, *least))) continue;
    least = over;
    choice = smallest;
  }
  if (!least) return who + ": no mapping fits the pins";
  const auto& buffer = context.hardware.buffers[static_cast<std::size_t>(least->buffer)];
  return who + ": nothing fits: the smallest tile allowed, " + tile_text(choice.tile) +
         " (m x k x n, " + hw::to_string(choice.dataflow) + "), needs " +
         std::to_string(least->needs) + " bytes of buffer '" + buffer.name + "', which has " +
         std::to_string(buffer.capacity) + ": " + std::to_string(excess(context, *least)) +
         " bytes too many" + nearest_fit(context, choice, pins);
}

}  // namespace tessera::sim
