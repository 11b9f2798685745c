// One Gemm command whose operands lie in the buffers: what the array alone makes of it.
#pragma once

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "hw_models/array_timing.h"
#include "sim/simulation/simulate.h"
#include "tests/support/tiny_machine.h"
#include "workloads/passes/passes.h"

namespace tessera::test {

struct ResidentGemm {
  hw::GemmShape shape;
  hw::Dataflow dataflow = hw::Dataflow::kWeightStationary;
  bool accumulate = false;
};

inline bool a_stays(const ResidentGemm& gemm) {
  return gemm.dataflow == hw::Dataflow::kInputStationary;
}

/// The pair of the machine's only precision, "w16a16" -> 16.
inline int operand_bits(const hw::HardwareConfig& machine) {
  return machine.array.throughput.count("w8a8") != 0 ? 8 : 16;
}

/// A at the bottom of its buffer, B at the top of its own, C at the bottom or behind A.
inline hw::GemmCommand resident_command(const hw::HardwareConfig& machine,
                                        const ResidentGemm& gemm) {
  const int bits = operand_bits(machine);
  const auto operand = [&](hw::Role role, std::int64_t rows, std::int64_t cols, int width) {
    const int buffer = hw::buffer_of(machine, role);
    const hw::Bytes pitch = hw::ceil_div(cols * width, 8);
    if (rows * pitch > machine.buffers[static_cast<std::size_t>(buffer)].capacity) {
      throw std::invalid_argument("the operand does not fit");
    }
    return hw::TileOperand{{buffer, 0, rows * pitch}, rows, cols, pitch, width, {}, false};
  };
  const auto& [m, k, n] = gemm.shape;
  hw::GemmCommand command;
  command.m = m;
  command.k = k;
  command.n = n;
  command.dataflow = gemm.dataflow;
  command.accumulate = gemm.accumulate;
  command.precision = workloads::pair_name({bits, bits});
  const hw::Role streamed = hw::Role::kActivations, stays = hw::Role::kStationary;
  command.a = operand(a_stays(gemm) ? stays : streamed, m, k, bits);
  command.b = operand(a_stays(gemm) ? streamed : stays, k, n, bits);
  const int sums = hw::buffer_of(machine, hw::Role::kAccumulators);
  command.c = operand(hw::Role::kAccumulators, m, n,
                      machine.buffers[static_cast<std::size_t>(sums)].element_bits);
  const auto top = static_cast<std::size_t>(command.b.region.buffer);
  command.b.region.offset = machine.buffers[top].capacity - command.b.region.bytes;
  if (sums == command.a.region.buffer) command.c.region.offset = command.a.region.bytes;
  return command;
}

/// Cycles from the start to the command's completion, on the simulated machine.
inline hw::Cycles simulated_cycles(const hw::HardwareConfig& machine, const ResidentGemm& gemm) {
  hw::Command command;
  command.id = 0;
  command.kind = hw::CommandKind::kGemm;
  command.op = 0;
  command.gemm = resident_command(machine, gemm);
  const std::vector<hw::Command> program{command};
  return sim::simulate_isolated(
             machine, [&] { return std::make_unique<ListedProgram>(program); }, 1)
      .total;
}

/// The same from the closed form, with the latencies of the buffers and banks never short.
inline hw::Cycles closed_form_cycles(const hw::HardwareConfig& machine, const ResidentGemm& gemm) {
  const hw::GemmCommand command = resident_command(machine, gemm);
  const hw::ArrayCost cost =
      hw::array_cost(machine.array, gemm.dataflow, gemm.shape,
                     machine.array.throughput.at(command.precision), gemm.accumulate);
  const auto latency = [&](const hw::TileOperand& operand) {
    return machine.buffers[static_cast<std::size_t>(operand.region.buffer)].latency;
  };
  return machine.array.startup + std::max(latency(command.a), latency(command.b)) + cost.preload +
         cost.stream() - cost.successor_wait + cost.drain + latency(command.c);
}

}  // namespace tessera::test
