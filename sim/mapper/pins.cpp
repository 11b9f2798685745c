#include "sim/mapper/pins.h"

#include <algorithm>

#include "sim/mapper/mapper.h"

namespace tessera::sim {
namespace {

[[noreturn]] void refuse(const MappingPin& pin, const std::string& what) {
  throw MappingError("pin '" + pin.pattern + "': " + what);
}

hw::Dataflow dataflow_of(const MappingPin& pin, const hw::HardwareConfig& hardware) {
  std::string known;
  for (const hw::Dataflow dataflow : hardware.array.dataflows) {
    if (pin.dataflow == hw::to_string(dataflow)) return dataflow;
    known += (known.empty() ? "" : ", ") + std::string(hw::to_string(dataflow));
  }
  refuse(pin, "the array has no dataflow '" + pin.dataflow + "'; it has " + known);
}

std::array<LoopDim, 3> order_of(const MappingPin& pin) {
  std::string sorted = pin.loop_order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted != "kmn") {
    refuse(pin, "loop order '" + pin.loop_order + "' is not a permutation of mkn");
  }
  std::array<LoopDim, 3> order{};
  for (std::size_t i = 0; i < 3; ++i) {
    const char letter = pin.loop_order[i];
    order[i] = letter == 'm' ? LoopDim::kM : letter == 'k' ? LoopDim::kK : LoopDim::kN;
  }
  return order;
}

template <std::size_t Count>
std::array<bool, Count> flags_of(const MappingPin& pin, const std::vector<std::string>& words,
                                 const std::array<const char*, Count>& names) {
  std::array<bool, Count> flags{};
  for (const std::string& word : words) {
    const auto at = std::find(names.begin(), names.end(), word);
    if (at == names.end()) refuse(pin, "'" + word + "' is not an operand that can be pinned");
    flags[static_cast<std::size_t>(at - names.begin())] = true;
  }
  return flags;
}

void pin_size(const MappingPin& pin, const char* name, std::int64_t pinned, std::int64_t size,
              std::int64_t grain, std::int64_t& tile) {
  if (pinned <= 0) return;
  tile = std::min(pinned, size);
  if (tile == size || tile % grain == 0) return;
  refuse(pin, std::string("tile_") + name + " = " + std::to_string(pinned) +
                  ": tiles of elements narrower than a byte start on whole bytes; use a multiple " +
                  "of " + std::to_string(grain) + " or the whole " + std::to_string(size));
}

}  // namespace

std::vector<int> matching_pins(const std::vector<MappingPin>& pins, const workloads::Operator& op) {
  std::vector<int> indices;
  for (std::size_t i = 0; i < pins.size(); ++i) {
    if (matches(pins[i].pattern, op)) indices.push_back(static_cast<int>(i));
  }
  return indices;
}

GemmPins gemm_pins(const std::vector<MappingPin>& pins, const std::vector<int>& indices,
                   const GemmProblem& problem, const hw::HardwareConfig& hardware) {
  static constexpr std::array<const char*, 4> kSlots{"a", "b", "accumulators", "outputs"};
  static constexpr std::array<const char*, 2> kOperands{"a", "b"};
  const std::array<std::int64_t, 3> grains = tile_grains(problem);
  GemmPins result;
  for (const int index : indices) {
    const MappingPin& pin = pins.at(static_cast<std::size_t>(index));
    if (!pin.dataflow.empty()) result.dataflow = dataflow_of(pin, hardware);
    if (!pin.loop_order.empty()) result.order = order_of(pin);
    pin_size(pin, "m", pin.tile_m, problem.m, grains[0], result.tile.m);
    pin_size(pin, "k", pin.tile_k, problem.k, grains[1], result.tile.k);
    pin_size(pin, "n", pin.tile_n, problem.n, grains[2], result.tile.n);
    if (pin.has_double_buffered) {
      result.double_buffered = flags_of<4>(pin, pin.double_buffered, kSlots);
    }
    if (pin.has_resident) result.resident = flags_of<2>(pin, pin.resident, kOperands);
  }
  return result;
}

void require_pins_match(const std::vector<MappingPin>& pins, const workloads::Graph& graph) {
  for (const MappingPin& pin : pins) {
    const bool any = std::any_of(
        graph.operators.begin(), graph.operators.end(),
        [&](const auto& op) { return workloads::is_gemm(op) && matches(pin.pattern, op); });
    if (!any) refuse(pin, "no matrix multiplication has a name like this");
  }
}

}  // namespace tessera::sim
