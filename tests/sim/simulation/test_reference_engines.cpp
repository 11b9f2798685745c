// The array options against measured engines: RTL runs and SCALE-Sim's printed figures, operands
// resident. Targets: docs/timing_model.md, section 2.
#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "sim/config/config.h"
#include "tests/support/resident_gemm.h"
#include "tests/workloads/reference_rows.h"

using namespace tessera;
using hw::Cycles;
using hw::Dataflow;
using hw::HardwareConfig;
using test::closed_form_cycles;
using test::ResidentGemm;
using test::simulated_cycles;
using workloads::Row;

namespace {

std::int64_t number(const Row& row, const std::string& column) {
  return std::stoll(row.at(column));
}

/// "key=value" from the notes.
std::int64_t noted(const Row& row, const std::string& key) {
  const std::string& notes = row.at("notes");
  const std::size_t at = notes.find(key + "=");
  REQUIRE(at != std::string::npos);
  return std::stoll(notes.substr(at + key.size() + 1));
}

Dataflow dataflow_of(const Row& row) {
  const std::string& name = row.at("dataflow");
  if (name == "WS" || name == "ws") return Dataflow::kWeightStationary;
  if (name == "IS" || name == "is") return Dataflow::kInputStationary;
  return Dataflow::kOutputStationary;
}

ResidentGemm gemm_of(const Row& row) {
  return {{number(row, "M"), number(row, "K"), number(row, "N")}, dataflow_of(row)};
}

std::vector<Row> rows_of(const std::string& engine) {
  std::vector<Row> rows;
  for (const Row& row : workloads::reference_rows("rtl_reference.csv")) {
    if (row.at("engine") == engine) rows.push_back(row);
  }
  REQUIRE(!rows.empty());
  return rows;
}

std::string set(const std::string& key, std::int64_t value) {
  return "hardware." + key + "=" + std::to_string(value);
}

void describe(const Row& row) {
  UNSCOPED_INFO(row.at("dataflow")
                << " M " << row.at("M") << " K " << row.at("K") << " N " << row.at("N"));
}

void expect_exactly(const HardwareConfig& machine, const ResidentGemm& gemm, Cycles cycles) {
  CHECK(closed_form_cycles(machine, gemm) == cycles);
  CHECK(simulated_cycles(machine, gemm) == cycles);
}

void expect_gemmini(const std::string& preset, const std::string& engine) {
  const HardwareConfig machine = sim::load_hardware(preset);
  for (const Row& row : rows_of(engine)) {
    describe(row);
    expect_exactly(machine, gemm_of(row), number(row, "total_cycles"));
  }
}

}  // namespace

TEST_CASE("gemmini 16 x 16 with resident operands takes what its RTL takes") {
  expect_gemmini("gemmini_16x16", "gemmini16_array");
}

TEST_CASE("gemmini 8 x 8 with resident operands takes what its RTL takes") {
  expect_gemmini("gemmini_8x8", "gemmini8_array");
}

TEST_CASE("the formulas of gemmini hold for shapes that were not measured") {
  for (const char* preset : {"gemmini_16x16", "gemmini_8x8", "gemmini_16x16_small"}) {
    const HardwareConfig machine = sim::load_hardware(preset);
    const std::int64_t d = machine.array.rows;
    for (const std::int64_t m : {1, 3, 5, 16, 19, 47, 64}) {
      for (const std::int64_t k : {1, 15, 33, 64}) {
        for (const std::int64_t n : {2, 16, 31, 60}) {
          const std::int64_t across = hw::ceil_div(k, d) * hw::ceil_div(n, d);
          const std::int64_t down = hw::ceil_div(m, d);
          const std::int64_t last = m - (down - 1) * d;
          const Cycles rows = down * across * d + std::max<std::int64_t>(last, 4);
          INFO(preset << " m " << m << " k " << k << " n " << n);
          CHECK(closed_form_cycles(machine, {{m, k, n}, Dataflow::kWeightStationary}) ==
                machine.array.startup + rows + 2 * d);
          CHECK(closed_form_cycles(machine, {{m, k, n}, Dataflow::kOutputStationary}) ==
                machine.array.startup + 4 * d + down * across * d);
        }
      }
    }
  }
}

TEST_CASE("axis_sa takes what its RTL takes for every build") {
  for (const Row& row : rows_of("axis_sa")) {
    const HardwareConfig machine = sim::load_hardware(
        "axis_sa", {set("array.rows", number(row, "rows")), set("array.cols", number(row, "cols")),
                    "hardware.array.pe_latency=" +
                        std::to_string(noted(row, "LM") + noted(row, "LA")) + " cycles"});
    describe(row);
    expect_exactly(machine, gemm_of(row), number(row, "total_cycles"));
  }
}

TEST_CASE("the conventions of SCALE Sim give its printed figures plus one") {
  for (const Row& row : workloads::reference_rows("scalesim_reference.csv")) {
    const HardwareConfig machine =
        sim::load_hardware("scalesim_32x32", {set("array.rows", number(row, "array_rows")),
                                              set("array.cols", number(row, "array_cols"))});
    describe(row);
    expect_exactly(machine, gemm_of(row), number(row, "compute_cycles") + 1);
  }
}

TEST_CASE("RedMulE is met within one percent on full tiles and ten percent on partial ones") {
  double errors = 0;
  int whole = 0;
  for (const Row& row : rows_of("redmule")) {
    const std::int64_t w = number(row, "rows"), h = number(row, "cols");
    const std::int64_t stages = noted(row, "P") + 1, d = h * stages;
    const HardwareConfig machine = sim::load_hardware(
        "redmule_w12_h4", {set("array.rows", w), set("array.cols", h), set("array.stages", stages),
                           "hardware.buffers.scratchpad.width=" + std::to_string(d * 2) + " B"});
    ResidentGemm gemm = gemm_of(row);
    gemm.accumulate = true;  // Z = X W + Z
    const auto measured = static_cast<double>(number(row, "total_cycles"));
    const auto simulated = static_cast<double>(simulated_cycles(machine, gemm));
    const double error = std::abs(simulated - measured) / measured;
    const auto& [m, k, n] = gemm.shape;
    describe(row);
    INFO("W " << w << " H " << h << ": " << simulated << " against " << measured);
    const bool full = m % w == 0 && n % d == 0 && k % h == 0;
    CHECK(error <= (full ? 0.01 : 0.05));
    if (m < w || n < d) continue;
    errors += error;
    ++whole;
  }
  CHECK(errors / whole <= 0.005);
}
