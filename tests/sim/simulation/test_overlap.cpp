// Overlap of DMA and compute emerges from program and machine.
#include <catch2/catch.hpp>

#include "tests/support/single_operator.h"

using namespace tessera;

namespace {

/// 32x32, preload and drain overlapped, 512 KiB for operands and results, double-buffered 64 KiB of
/// INT32 accumulators (128 KiB), DRAM of 16 B/cycle and 100 cycles latency for reads and writes.
hw::HardwareConfig ideal_machine() {
  hw::HardwareConfig machine;
  machine.vector.operations = hw::default_vector_operations();
  machine.buffers.resize(2);
  machine.buffers[0] = {"scratchpad",
                        512 << 10,
                        16,
                        1,
                        32,
                        0,
                        hw::BankMapping::kInterleaved,
                        32,
                        hw::BankPolicy::kDmaFirst,
                        32,
                        {hw::Role::kStationary, hw::Role::kActivations, hw::Role::kOutputs}};
  machine.buffers[1] = {"accumulators",
                        128 << 10,
                        2,
                        2,
                        128,
                        0,
                        hw::BankMapping::kInterleaved,
                        128,
                        hw::BankPolicy::kDmaFirst,
                        32,
                        {hw::Role::kAccumulators}};
  machine.dram.peak_bytes_per_second = 16e9;
  machine.dram.latency_fs = 100'000'000;
  machine.interconnect.latency = 0;
  return machine;
}

}  // namespace

TEST_CASE("a large Gemm ends within 5 percent of its compute bound") {
  const test::Outcome outcome =
      test::simulate_graph(test::gemm_graph(1024, 768, 768), ideal_machine());
  const double bound = 1024.0 * 768 * 768 / (32 * 32);
  CHECK(bound == 589'824);
  INFO("cycles " << outcome.counters.total);
  CHECK(static_cast<double>(outcome.counters.total) >= bound);
  CHECK(static_cast<double>(outcome.counters.total) <= 1.05 * bound);
}

TEST_CASE("a Gemm of few rows ends within 10 percent of its bandwidth bound") {
  const test::Outcome outcome =
      test::simulate_graph(test::gemm_graph(50, 960, 960), ideal_machine());
  const double bound = (960.0 * 960 + 2 * 50 * 960) / 16;
  CHECK(bound == 63'600);
  INFO("cycles " << outcome.counters.total);
  CHECK(static_cast<double>(outcome.counters.total) >= bound);
  CHECK(static_cast<double>(outcome.counters.total) <= 1.10 * bound);
}

TEST_CASE("without double buffering loads and compute do not overlap") {
  sim::MappingConfig single;
  sim::MappingPin pin;
  pin.pattern = "*";
  pin.has_double_buffered = true;  // none
  single.pins = {pin};
  const workloads::Graph graph = test::gemm_graph(1024, 768, 768);
  const test::Outcome one = test::simulate_graph(graph, ideal_machine(), single);
  const test::Outcome two = test::simulate_graph(graph, ideal_machine());
  CHECK(one.counters.total > two.counters.total);
}
