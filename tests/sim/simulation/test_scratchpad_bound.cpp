// Machines whose scratchpads are too narrow: the report says so, and its bound holds.
#include <catch2/catch.hpp>
#include <random>

#include "sim/config/config.h"
#include "sim/pipeline.h"
#include "tests/support/single_operator.h"
#include "tests/support/tiny_machine.h"

using namespace tessera;
using hw::Cause;
using hw::Cycles;
using hw::HardwareConfig;
using sim::ReportRow;

namespace {

sim::Report report_of(const HardwareConfig& machine, const workloads::Graph& graph) {
  sim::RunConfig config;
  config.hardware = machine;
  return sim::simulate_run_isolated(sim::prepare_graph(std::move(config), graph));
}

sim::Report report_of(const std::string& run, const std::vector<std::string>& sets) {
  return sim::simulate_run_isolated(sim::prepare(sim::load_run(run, sets)));
}

Cycles owned(const ReportRow& row, Cause cause) {
  return row.attribution[static_cast<std::size_t>(cause)];
}

void check_bounds(const sim::Report& report) {
  for (const ReportRow& row : report.operators) {
    INFO(row.phase << " " << row.layer << " " << row.name);
    CHECK(row.span_cycles >= row.bounds.scratchpad_cycles);
    CHECK(row.vector_hidden >= 0);
    CHECK(row.vector_hidden <= row.vector_busy);
  }
  for (const ReportRow& row : report.phases) {
    CHECK(row.span_cycles >= row.bounds.scratchpad_cycles);
  }
  CHECK(report.totals.span_cycles >= report.totals.bounds.scratchpad_cycles);
}

/// Operands in one bank of one port, `width` bytes an access: a row of 8 takes 8 / width.
HardwareConfig narrow_machine(hw::Bytes width) {
  HardwareConfig machine = test::tiny_machine();
  machine.buffers[0].banks = 1;
  machine.buffers[0].width = width;
  return machine;
}

}  // namespace

TEST_CASE("a Gemm on a scratchpad that gives half a row a cycle is bound by it") {
  const workloads::Graph graph = test::gemm_graph(256, 64, 64);
  const sim::Report wide = report_of(test::tiny_machine(), graph);
  const sim::Report narrow = report_of(narrow_machine(4), graph);
  const ReportRow& row = narrow.operators.at(0);
  // 64 folds of 256 rows, two accesses a row; results leave through the same bank.
  const Cycles rows = 64 * 256;
  CHECK(row.bounds.scratchpad_cycles >= 2 * rows);
  CHECK(row.roofline->bound == "scratchpad");
  CHECK(row.roofline->as_mapped_bound == "scratchpad");
  CHECK(owned(row, Cause::kWaitScratchpad) >= rows);
  CHECK(row.cycles >= row.bounds.scratchpad_cycles);
  CHECK(narrow.totals.roofline->bound == "scratchpad");
  CHECK(wide.operators.at(0).roofline->bound == "compute");
  CHECK(owned(wide.operators.at(0), Cause::kWaitScratchpad) < rows / 4);
  check_bounds(wide);
  check_bounds(narrow);
}

TEST_CASE("a stationary block that the banks deliver too slowly holds up the array") {
  // One row of activations against a block of 8 rows each: weights bound it, 4 accesses a row.
  HardwareConfig machine = test::tiny_machine();
  machine.array.dataflows = {hw::Dataflow::kWeightStationary};
  machine.buffers[1].banks = 1;
  machine.buffers[1].width = 2;
  machine.dram.peak_bytes_per_second = 64e9;
  const sim::Report report = report_of(machine, test::gemm_graph(1, 64, 64));
  const ReportRow& row = report.operators.at(0);
  CHECK(row.bounds.scratchpad_cycles >= 64 * 64 / 2);
  CHECK(owned(row, Cause::kWaitScratchpad) > row.cycles / 2);
  check_bounds(report);
}

TEST_CASE("a whole encoder on narrow scratchpads shows it") {
  const std::vector<std::string> sets{
      "workload.model.num_hidden_layers=1", "hardware.buffers.activations.banks=1",
      "hardware.buffers.activations.width=16 B", "hardware.dram.channels=8"};
  const sim::Report report = report_of("bert_edge", sets);
  CHECK(report.totals.roofline->bound == "scratchpad");
  const Cycles waited = owned(report.totals, Cause::kWaitScratchpad);
  for (int c = 0; c < hw::kCauses; ++c) {
    INFO(to_string(static_cast<Cause>(c)));
    if (static_cast<Cause>(c) != Cause::kWaitScratchpad) {
      CHECK(report.totals.attribution[static_cast<std::size_t>(c)] <= waited);
    }
  }
  check_bounds(report);
}

TEST_CASE("no run takes less than its scratchpads need on any machine") {
  std::mt19937 random(11);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int i = 0; i < 60; ++i) {
    HardwareConfig machine = test::tiny_machine();
    machine.array.preload = static_cast<hw::Preload>(pick(0, 2));
    machine.array.fill = static_cast<hw::Fill>(pick(0, 1));
    machine.array.dataflows = {static_cast<hw::Dataflow>(pick(0, 2))};
    if (pick(0, 2) == 0) {  // one buffer for everything
      machine.buffers.resize(1);
      machine.buffers[0].roles = {hw::Role::kStationary, hw::Role::kActivations,
                                  hw::Role::kAccumulators, hw::Role::kOutputs};
    }
    for (hw::BufferConfig& buffer : machine.buffers) {
      buffer.banks = 1 << pick(0, 3);
      buffer.ports = pick(1, 2);
      buffer.width = hw::Bytes{2} << pick(0, 4);
      buffer.latency = pick(0, 2);
      buffer.policy = static_cast<hw::BankPolicy>(pick(0, 2));
      if (pick(0, 1) != 0) {
        buffer.bank_mapping = hw::BankMapping::kInterleaved;
        buffer.interleave = hw::Bytes{8} << pick(0, 3);
      }
    }
    machine.dram.peak_bytes_per_second = 16e9 * (1 << pick(0, 4));
    const int m = pick(1, 100), k = pick(1, 80), n = pick(1, 80);
    INFO("machine " << i << ": " << m << " x " << k << " x " << n);
    check_bounds(report_of(machine, test::gemm_graph(m, k, n)));
  }
}

TEST_CASE("the bound holds for loops in hardware and blocks that stay") {
  for (const char* hardware : {"gemmini_16x16", "gemmini_8x8", "gemmini_16x16_small", "tiny_8x8"}) {
    for (const char* width : {"", "4 B"}) {
      std::vector<std::string> sets{std::string("hardware=") + hardware,
                                    "workload.model.num_hidden_layers=1"};
      INFO(hardware << " " << width);
      HardwareConfig machine = sim::load_run("bert_edge", sets).hardware;
      if (*width != 0) {
        for (hw::BufferConfig& buffer : machine.buffers) buffer.width = 4;
      }
      for (const auto& [m, k, n] : {std::array<int, 3>{1, 64, 64}, {16, 16, 16}, {100, 70, 90}}) {
        INFO(m << " x " << k << " x " << n);
        check_bounds(report_of(machine, test::gemm_graph(m, k, n)));
      }
    }
  }
}
