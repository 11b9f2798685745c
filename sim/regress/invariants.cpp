#include "sim/regress/invariants.h"

#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "sim/report/rows.h"

namespace tessera::sim {
namespace {

/// Collects what does not hold.
class Statements {
 public:
  void subject(std::string name) { subject_ = std::move(name); }

  void equal(const char* what, std::int64_t value, const char* wanted_name, std::int64_t wanted) {
    if (value == wanted) return;
    note(fmt::format("{} is {}, {} is {}", what, value, wanted_name, wanted));
  }
  void at_least(const char* what, std::int64_t value, const char* bound_name, std::int64_t bound) {
    if (value >= bound) return;
    note(fmt::format("{} is {}, below {} of {}", what, value, bound_name, bound));
  }
  void note(const std::string& text) { broken_.push_back(subject_ + ": " + text); }

  std::vector<std::string> take() { return std::move(broken_); }

 private:
  std::string subject_;
  std::vector<std::string> broken_;
};

std::string name_of(const ReportRow& row) {
  const std::string layer = row.layer < 0 ? "" : fmt::format("L{}.", row.layer);
  return row.phase.empty() ? row.name : row.phase + "." + layer + row.name;
}

Cycles attributed(const ReportRow& row) {
  return std::accumulate(row.attribution.begin(), row.attribution.end(), Cycles{0});
}

void check_simulated_row(const ReportRow& row, Statements& statements) {
  statements.equal("the sum of its attribution", attributed(row), "cycles", row.cycles);
  statements.at_least("compute", row.attribution[static_cast<int>(hw::Cause::kCompute)],
                      "the least", 0);
  statements.at_least("span_cycles", row.span_cycles, "compute_cycles", row.bounds.compute_cycles);
  statements.at_least("span_cycles", row.span_cycles, "dram_cycles", row.bounds.dram_cycles);
  statements.at_least("span_cycles", row.span_cycles, "scratchpad_cycles",
                      row.bounds.scratchpad_cycles);
  statements.at_least("vector.hidden_cycles", row.vector_hidden, "the least", 0);
  statements.at_least("the vector unit's busy cycles", row.vector_busy, "hidden_cycles",
                      row.vector_hidden);
}

void check_row(const Report& report, const ReportRow& row, Statements& statements) {
  if (report.simulated) check_simulated_row(row, statements);
  if (row.utilization > 1.0) {
    statements.note(fmt::format("utilization is {}, above 1", row.utilization));
  }
  statements.at_least("as_mapped_cycles", row.bounds.as_mapped_cycles, "compute_cycles",
                      row.bounds.compute_cycles);
}

/// Attention has two Gemms; values are as wide as keys.
int products_of(const ReportRow& row) {
  if (row.k == 0) return 0;
  return row.kind == "Attention" ? 2 : 1;
}

void check_operator(const Report& report, const ReportRow& row, Statements& statements) {
  statements.subject(name_of(row));
  check_row(report, row, statements);
  statements.at_least("DRAM bytes", moved_bytes(row.dram), "compulsory_bytes",
                      row.compulsory_bytes);
  statements.equal("macs", row.macs, "m k n count",
                   row.m * row.k * row.n * row.count * products_of(row));
}

struct Sums {
  Cycles cycles = 0, compute = 0, dram = 0, vector = 0;
  std::int64_t macs = 0;
};

/// Totals: the sum of each resource, never the sum of maxima.
void check_totals(const Report& report, const Sums& sums, Statements& statements) {
  const ReportRow& totals = report.totals;
  statements.subject("totals");
  check_row(report, totals, statements);
  statements.equal("the operators' cycles", sums.cycles, "cycles", totals.cycles);
  statements.equal("the operators' macs", sums.macs, "macs", totals.macs);
  statements.equal("the operators' compute_cycles", sums.compute, "compute_cycles",
                   totals.bounds.compute_cycles);
  statements.equal("the operators' vector_cycles", sums.vector, "vector_cycles",
                   totals.bounds.vector_cycles);
  const Cycles rounding = static_cast<Cycles>(report.operators.size());
  if (std::abs(totals.bounds.dram_cycles - sums.dram) > rounding) {
    statements.equal("the operators' dram_cycles", sums.dram, "dram_cycles",
                     totals.bounds.dram_cycles);
  }
}

void check_phases(const Report& report, Statements& statements) {
  Cycles cycles = 0;
  for (const ReportRow& phase : report.phases) {
    statements.subject("phase " + phase.name);
    if (report.simulated) {
      statements.equal("the sum of its attribution", attributed(phase), "cycles", phase.cycles);
    }
    cycles += phase.cycles;
  }
  statements.subject("phases");
  statements.equal("the phases' cycles", cycles, "totals.cycles", report.totals.cycles);
}

}  // namespace

std::vector<std::string> broken_invariants(const Report& report) {
  Statements statements;
  Sums sums;
  for (const ReportRow& row : report.operators) {
    check_operator(report, row, statements);
    sums.cycles += row.cycles;
    sums.macs += row.macs;
    sums.compute += row.bounds.compute_cycles;
    sums.dram += row.bounds.dram_cycles;
    sums.vector += row.bounds.vector_cycles;
  }
  check_phases(report, statements);
  check_totals(report, sums, statements);
  for (const auto& [name, unit] : report.units) {
    statements.subject(name);
    statements.equal("busy + stalled + idle", unit.busy + unit.stalled + unit.idle, "totals.cycles",
                     report.totals.cycles);
  }
  return statements.take();
}

}  // namespace tessera::sim
