// What every report keeps (DESIGN section 6), on the shipped runs and on random machines.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "sim/config/config.h"
#include "sim/pipeline.h"
#include "sim/report/writers.h"
#include "tests/support/single_operator.h"

using namespace tessera;
using sim::ReportRow;

namespace {

hw::Cycles attributed(const ReportRow& row) {
  hw::Cycles sum = 0;
  for (hw::Cycles cycles : row.attribution) sum += cycles;
  return sum;
}

hw::Bytes moved(const ReportRow& row) {
  hw::Bytes bytes = 0;
  for (const hw::ReadWrite& traffic : row.dram) bytes += traffic.read + traffic.write;
  return bytes;
}

void check_row(const ReportRow& row) {
  INFO(row.phase << " " << row.layer << " " << row.name);
  CHECK(attributed(row) == row.cycles);
  CHECK(row.attribution[static_cast<int>(hw::Cause::kCompute)] >= 0);
  CHECK(row.utilization <= 1.0);
  CHECK(row.span_cycles >= row.bounds.compute_cycles);
  CHECK(row.span_cycles >= row.bounds.dram_cycles);
  CHECK(row.span_cycles >= row.bounds.scratchpad_cycles);
  CHECK(row.vector_hidden >= 0);
  CHECK(row.vector_hidden <= row.vector_busy);
  CHECK(row.bounds.as_mapped_cycles >= row.bounds.compute_cycles);
}

void check_report(const sim::Report& report) {
  hw::Cycles operators = 0, phases = 0;
  std::int64_t macs = 0;
  sim::Bounds sums;
  for (const ReportRow& row : report.operators) {
    check_row(row);
    CHECK(moved(row) >= row.compulsory_bytes);
    // Attention has two Gemms; values are as wide as keys.
    const int products = row.k == 0 ? 0 : row.kind == "Attention" ? 2 : 1;
    CHECK(row.macs == row.m * row.k * row.n * row.count * products);
    operators += row.cycles;
    macs += row.macs;
    sums.compute_cycles += row.bounds.compute_cycles;
    sums.dram_cycles += row.bounds.dram_cycles;
    sums.vector_cycles += row.bounds.vector_cycles;
  }
  for (const ReportRow& phase : report.phases) {
    CHECK(attributed(phase) == phase.cycles);
    phases += phase.cycles;
  }
  CHECK(operators == report.totals.cycles);
  CHECK(phases == report.totals.cycles);
  CHECK(macs == report.totals.macs);
  check_row(report.totals);
  // Totals: the sum of each resource, never the sum of maxima.
  CHECK(report.totals.bounds.compute_cycles == sums.compute_cycles);
  CHECK(report.totals.bounds.vector_cycles == sums.vector_cycles);
  CHECK(std::abs(report.totals.bounds.dram_cycles - sums.dram_cycles) <=
        static_cast<hw::Cycles>(report.operators.size()));
  for (const auto& [name, unit] : report.units) {
    INFO(name);
    CHECK(unit.busy + unit.stalled + unit.idle == report.totals.cycles);
  }
}

}  // namespace

TEST_CASE("every shipped run keeps the invariants of its report") {
  for (const sim::ListEntry& entry : sim::list_configs("runs")) {
    INFO(entry.name);
    check_report(sim::simulate_run_isolated(sim::prepare(sim::load_run(entry.name))));
  }
}
