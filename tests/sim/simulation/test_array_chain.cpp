// The simulated array spends what the closed forms of a chain say.
#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "sim/config/config.h"
#include "tests/support/resident_gemm.h"

using namespace tessera;
using hw::ArrayConfig;
using hw::Cycles;
using hw::Dataflow;
using hw::GemmCommand;
using hw::HardwareConfig;

namespace {

/// Buffers that are never in the way.
HardwareConfig wide_machine() {
  HardwareConfig machine = test::tiny_machine();
  for (hw::BufferConfig& buffer : machine.buffers) {
    buffer.capacity = 1 << 20;
    buffer.width = 4096;
    buffer.ports = 4;
  }
  return machine;
}

Cycles simulated(const HardwareConfig& machine, const std::vector<GemmCommand>& gemms) {
  std::vector<hw::Command> program;
  for (const GemmCommand& gemm : gemms) {
    hw::Command command;
    command.id = static_cast<hw::CommandId>(program.size());
    command.kind = hw::CommandKind::kGemm;
    command.op = 0;
    command.gemm = gemm;
    program.push_back(command);
  }
  return sim::simulate_isolated(
             machine, [&] { return std::make_unique<test::ListedProgram>(program); }, 1)
      .total;
}

/// A command may start up once the one `issue_ahead` places ahead streams.
Cycles closed_form(const ArrayConfig& array, const std::vector<GemmCommand>& gemms) {
  hw::ArrayChain chain(array);
  std::vector<Cycles> first_rows;
  Cycles completed = 0;
  for (const GemmCommand& gemm : gemms) {
    const hw::ArrayCost cost = hw::array_cost(array, gemm.dataflow, {gemm.m, gemm.k, gemm.n}, 1.0,
                                              gemm.accumulate, gemm.keeps_stationary);
    const auto ahead = static_cast<std::size_t>(array.issue_ahead);
    const Cycles issued = first_rows.size() < ahead ? 0 : first_rows[first_rows.size() - ahead];
    const Cycles first = chain.earliest_stream(cost, issued + array.startup, gemm.keeps_stationary);
    const Cycles end = first + cost.stream() - cost.successor_wait;
    chain.ended(cost, end);
    first_rows.push_back(first);
    completed = std::max(completed, end + cost.drain);
  }
  return completed;
}

}  // namespace

TEST_CASE("the simulated array spends the chaining rule") {
  std::mt19937 random(31);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 150; ++i) {
    HardwareConfig machine = wide_machine();
    ArrayConfig& array = machine.array;
    array.rows = pick(1, 12);
    array.cols = pick(1, 12);
    array.preload = static_cast<hw::Preload>(pick(0, 2));
    array.fill = static_cast<hw::Fill>(pick(0, 1));
    array.drain = static_cast<hw::Drain>(pick(0, 2));
    array.result_registers = static_cast<hw::ResultRegisters>(pick(0, 1));
    array.pe_latency = pick(0, 3);
    array.stream_multiple = pick(0, 1) != 0 ? array.rows : 1;
    array.stream_minimum = pick(1, 5);
    array.startup = pick(0, 20);
    array.issue_ahead = pick(1, 4);
    std::vector<GemmCommand> gemms;
    for (int j = pick(1, 8); j > 0; --j) {
      test::ResidentGemm gemm;
      gemm.shape = {pick(1, 30), pick(1, 30), pick(1, 30)};
      gemm.dataflow = static_cast<Dataflow>(pick(0, 2));
      gemm.accumulate = pick(0, 1) != 0;
      gemms.push_back(test::resident_command(machine, gemm));
      gemms.back().keeps_stationary = gemms.size() > 1 && pick(0, 3) == 0;
    }
    INFO("case " << i);
    CHECK(simulated(machine, gemms) == closed_form(array, gemms));
  }
}

TEST_CASE("a chain of D x D blocks takes what one command takes") {
  const HardwareConfig machine = sim::load_hardware("gemmini_16x16");
  const std::int64_t d = machine.array.rows;
  for (const std::int64_t m : {1, 16, 35, 64}) {
    const std::int64_t k = 40, n = 50;
    std::vector<GemmCommand> gemms;
    for (std::int64_t k0 = 0; k0 < k; k0 += d) {
      for (std::int64_t n0 = 0; n0 < n; n0 += d) {
        for (std::int64_t m0 = 0; m0 < m; m0 += d) {
          test::ResidentGemm block;
          block.shape = {std::min(d, m - m0), std::min(d, k - k0), std::min(d, n - n0)};
          block.accumulate = k0 > 0;
          gemms.push_back(test::resident_command(machine, block));
        }
      }
    }
    INFO("m " << m);
    CHECK(simulated(machine, gemms) == test::closed_form_cycles(machine, {{m, k, n}}));
    // With the weights kept from one block of rows to the next, only the first of them loads.
    for (std::size_t i = 0; i < gemms.size(); ++i) {
      gemms[i].keeps_stationary = i % static_cast<std::size_t>(hw::ceil_div(m, d)) != 0;
    }
    const std::int64_t last = (m - 1) % d + 1;
    const Cycles rows = hw::ceil_div(m, d) * d * 3 * 4 - d + std::max<std::int64_t>(last, 4);
    CHECK(simulated(machine, gemms) == 13 + d + rows + 2 * d);
  }
}
