// What every report keeps (DESIGN section 6), on the shipped runs; and that breaking it shows.
#include <catch2/catch.hpp>

#include "sim/config/config.h"
#include "sim/pipeline.h"
#include "sim/regress/invariants.h"

using namespace tessera;
using Catch::Contains;
using Lines = std::vector<std::string>;

TEST_CASE("every shipped run keeps the invariants of its report") {
  for (const sim::ListEntry& entry : sim::list_configs("runs")) {
    INFO(entry.name);
    const sim::PreparedRun run = sim::prepare(sim::load_run(entry.name), sim::Knees::kNone);
    CHECK(sim::broken_invariants(sim::simulate_run_isolated(run)) == Lines{});
  }
}

TEST_CASE("an analytical report keeps what it knows of them") {
  const sim::PreparedRun run =
      sim::prepare(sim::load_run("bert_edge", {"fidelity=analytical"}), sim::Knees::kNone);
  CHECK(sim::broken_invariants(sim::simulate_run_isolated(run)) == Lines{});
}

TEST_CASE("each broken invariant is named") {
  const sim::PreparedRun run = sim::prepare(sim::load_run("bert_edge"), sim::Knees::kNone);
  const sim::Report sound = sim::simulate_run_isolated(run);
  const auto broken = [&](const auto& change) {
    sim::Report report = sound;
    change(report);
    std::string text;
    for (const std::string& line : sim::broken_invariants(report)) text += line + "\n";
    return text;
  };
  const auto changed_operator = [&](const auto& change) {
    return broken([&](sim::Report& report) { change(report.operators[4]); });
  };
  CHECK_THAT(changed_operator([](auto& row) { row.attribution[3] += 1; }),
             Contains("text.L0.Attn_Q: the sum of its attribution is"));
  CHECK_THAT(changed_operator([](auto& row) { row.macs += 1; }),
             Contains("text.L0.Attn_Q: macs is") && Contains("totals: the operators' macs is"));
  CHECK_THAT(changed_operator([](auto& row) { row.span_cycles = 0; }),
             Contains("span_cycles is 0, below compute_cycles of"));
  CHECK_THAT(changed_operator([](auto& row) { row.compulsory_bytes = 1LL << 40; }),
             Contains("DRAM bytes is") && Contains("below compulsory_bytes"));
  CHECK_THAT(changed_operator([](auto& row) { row.utilization = 1.5; }),
             Contains("utilization is 1.5, above 1"));
  CHECK_THAT(changed_operator([](auto& row) { row.vector_hidden = row.vector_busy + 1; }),
             Contains("busy cycles"));
  CHECK_THAT(changed_operator([](auto& row) { row.bounds.vector_cycles += 1; }),
             Contains("totals: the operators' vector_cycles"));
  CHECK_THAT(broken([](auto& report) { report.totals.bounds.dram_cycles *= 2; }),
             Contains("totals: the operators' dram_cycles"));
  CHECK_THAT(broken([](auto& report) { report.phases[0].cycles += 1; }),
             Contains("phases: the phases' cycles"));
  CHECK_THAT(broken([](auto& report) { report.units.begin()->second.busy += 1; }),
             Contains("busy + stalled + idle"));
}
