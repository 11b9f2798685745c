#include <catch2/catch.hpp>

#include "sample.h"
#include "sim/report/roofline.h"
#include "sim/report/rows.h"

using namespace tessera;
using namespace tessera::sim;
using namespace tessera::sim::test;

TEST_CASE("at the ridge of 80 MLP_Gate is bound by the array next by DRAM") {
  const Report report = gate_sample().report();
  const Roofline& roofline = *report.operators.at(0).roofline;
  const double bytes = 50 * 960 + 960 * 2560 + 50 * 2560;
  const double intensity = 2.0 * 50 * 960 * 2560 / bytes;
  CHECK(roofline.operational_intensity == Approx(intensity));
  CHECK(roofline.operational_intensity == Approx(93.3).margin(0.05));
  CHECK(roofline.ridge == Approx(80.0));
  CHECK(roofline.ridge_bandwidth == "peak");
  CHECK(roofline.bound == "compute");
  CHECK(roofline.next_bound == "dram");
  CHECK(roofline.next_bound_distance == Approx(1.0 - 80.0 / intensity));
}

TEST_CASE("over half the bandwidth the ridge doubles and MLP_Gate meets DRAM first") {
  Sample sample = gate_sample();
  sample.config.hardware.dram.peak_bytes_per_second = 12.8e9;
  const Report report = sample.report();
  const Roofline& roofline = *report.operators.at(0).roofline;
  CHECK(roofline.ridge == Approx(160.0));
  CHECK(roofline.bound == "dram");
  CHECK(roofline.next_bound == "compute");
  CHECK(roofline.next_bound_distance == Approx(1.0 - roofline.operational_intensity / 160.0));
}

TEST_CASE("a sustained ridge says so and is higher than the peak one") {
  Sample sample = gate_sample();
  sample.config.hardware.dram.efficiency = 0.8;
  sample.config.ridge_at_peak = false;
  const Report report = sample.report();
  const Roofline& roofline = *report.operators.at(0).roofline;
  CHECK(roofline.ridge == Approx(100.0));
  CHECK(roofline.ridge_bandwidth == "sustained");
  CHECK(roofline.bound == "dram");
}

TEST_CASE(
    "a plan that moves more than compulsory bytes can meet DRAM where the roofline does not") {
  const Report report = gate_sample(2.0).report();
  const Roofline& roofline = *report.operators.at(0).roofline;
  CHECK(roofline.bound == "compute");
  CHECK(roofline.as_mapped_bound == "dram");
  CHECK(roofline.as_mapped_next_bound == "compute");
  CHECK(roofline.as_mapped_next_share == Approx(roofline.operational_intensity / 80.0 / 2.0));
  CHECK(report.operators[0].mapping->gap == Approx(1.0));
}

TEST_CASE("cycles are the sum of their causes and phases partition the run") {
  Sample sample = encoder_sample();
  add_phase(sample, "text", "Test-LM, 1 prompt of 50 tokens");
  add_gemm(sample, "MLP_Gate", 0, 50, 960, 2560, 1000);
  const Report report = sample.report();
  Cycles operators = 0, phases = 0;
  for (const auto& row : report.operators) {
    Cycles causes = 0;
    for (const Cycles cycles : row.attribution) causes += cycles;
    CHECK(row.cycles == causes);
    operators += row.cycles;
  }
  for (const auto& row : report.phases) phases += row.cycles;
  CHECK(operators == sample.counters.total);
  CHECK(phases == sample.counters.total);
  CHECK(report.totals.cycles == sample.counters.total);
  CHECK(report.totals.span_cycles == sample.counters.total);
  CHECK(report.totals.macs == 2 * (1024LL * 768 * 768 + 1024LL * 768 * 3072) + 50LL * 960 * 2560);
}

TEST_CASE("utilization is the MACs over the peak in the same cycles") {
  const Report report = encoder_sample().report();
  const double ideal = (1024.0 * 768 * 768) / 1024;
  CHECK(report.operators[0].utilization == Approx(ideal / (ideal + 500)));
  const auto& totals = report.totals;
  CHECK(totals.utilization == Approx(totals.macs / (1024.0 * totals.cycles)));
}

TEST_CASE("the totals bounds are sums per resource") {
  const Report report = encoder_sample().report();
  Bounds sum;
  for (const auto& row : report.operators) {
    sum.compute_cycles += row.bounds.compute_cycles;
    sum.dram_cycles += row.bounds.dram_cycles;
    sum.vector_cycles += row.bounds.vector_cycles;
  }
  CHECK(report.totals.bounds.compute_cycles == sum.compute_cycles);
  CHECK(report.totals.bounds.dram_cycles == sum.dram_cycles);
  CHECK(report.totals.bounds.vector_cycles == sum.vector_cycles);
  CHECK(report.totals.roofline->bound == "compute");
}

TEST_CASE("the busiest bank of a buffer bounds an operator") {
  Sample sample = gate_sample();
  sample.counters.operators[0].buffer_accesses = {4001, 10, 8000};
  const Report report = sample.report();
  CHECK(report.operators[0].bounds.scratchpad_cycles == 1001);  // 4001 / (4 banks x 1 port)
}

TEST_CASE("a repeated phase multiplies what one execution costs") {
  Sample sample = gate_sample();
  sample.counters.operators[0].executions = 3;
  sample.counters.operators[0].macs *= 3;
  const Report once = gate_sample().report(), thrice = sample.report();
  CHECK(thrice.operators[0].count == 3);
  CHECK(thrice.operators[0].bounds.dram_cycles >= 3 * once.operators[0].bounds.dram_cycles - 3);
  CHECK(thrice.operators[0].mapping->dram_bytes == 3 * once.operators[0].mapping->dram_bytes);
  CHECK(thrice.operators[0].roofline->operational_intensity ==
        Approx(once.operators[0].roofline->operational_intensity));
}

TEST_CASE("query heads that share a KV head load its keys once") {
  Sample sample = edge_sample();
  add_phase(sample, "text", "GQA");
  add_gemm(sample, "Attn_Scores", 0, 50, 64, 50, 0);
  auto& op = sample.graph.operators[0];
  op.kind = workloads::OperatorKind::kBatchedGemm;
  op.instances = 15;
  op.group = 3;
  sample.graph.tensors[0].shape = {50, 960};
  sample.graph.tensors[1].shape = {50, 320};
  sample.graph.tensors[2].shape = {15 * 50, 50};
  op.inputs[0].batch[1] = {5, 192};
  op.inputs[0].group = {3, 64};
  op.inputs[1].batch[1] = {5, 64};
  op.outputs[0].batch[1] = {5, 7500};
  op.outputs[0].group = {3, 2500};
  CHECK(compulsory_bytes(op, sample.graph) == 50 * 960 + 50 * 320 + 15 * 50 * 50);
}

TEST_CASE("a whole stretch must move only what enters and leaves it") {
  Sample sample = edge_sample();
  add_phase(sample, "vision", "chain");
  add_gemm(sample, "first", 0, 64, 32, 16, 0);
  add_gemm(sample, "second", 0, 64, 16, 8, 0);
  auto& operators = sample.graph.operators;
  operators[1].inputs[0].tensor = operators[0].outputs[0].tensor;
  const Bytes ends = 64 * 32 + 32 * 16 + 16 * 8 + 64 * 8;
  CHECK(compulsory_bytes(sample.graph, 0, 2) == ends);
  CHECK(compulsory_bytes(sample.graph, 0, 1) == 64 * 32 + 32 * 16 + 64 * 16);
  CHECK(sample.report().totals.compulsory_bytes == ends);
}

TEST_CASE("identical layers fold into one row that adds up") {
  const Report report = encoder_sample().report();
  const auto folded = fold_rows(report.operators, false);
  REQUIRE(report.operators.size() == 6);
  REQUIRE(folded.size() == 3);
  CHECK(folded[0].count == 2);
  CHECK(folded[0].cycles == 2 * report.operators[0].cycles);
  CHECK(folded[0].utilization == Approx(report.operators[0].utilization));
  CHECK(folded[2].mapping->dram_bytes == 2 * report.operators[2].mapping->dram_bytes);
  CHECK(folded[2].roofline->as_mapped_next_share ==
        Approx(report.operators[2].roofline->as_mapped_next_share));
}

TEST_CASE("equal walls are named in the order compute dram scratchpad vector") {
  const WallVerdict verdict = judge({10, 10, 3, 10});
  CHECK(verdict.bound == "compute");
  CHECK(verdict.next_bound == "dram");
  CHECK(verdict.next_share == 1.0);
}

TEST_CASE("an operator hidden behind others has achieved its roofline not more") {
  Sample sample = gate_sample();
  sample.counters.operators[0].attribution.fill(0);
  CHECK(sample.report().operators[0].roofline->achieved_fraction == 1.0);
}
