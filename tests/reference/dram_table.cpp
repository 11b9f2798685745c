// Prints how far the DRAM model is from every row of dram_reference.csv, and a summary by tool,
// standard and pattern. `dram_table -v` prints the rows.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>

#include "tests/reference/dram_rows.h"

namespace {

using namespace tessera::hw;

struct Errors {
  int n = 0;
  double sum = 0, worst = 0;
  void add(double error) {
    ++n;
    sum += std::abs(error);
    if (std::abs(error) > std::abs(worst)) worst = error;
  }
  std::string text() const {
    return n == 0 ? "-" : fmt::format("{:5.1f} {:+6.1f}", sum / n, worst);
  }
};

double percent(double model, double reference) { return 100.0 * (model / reference - 1.0); }

}  // namespace

int main(int argc, char** argv) {
  const bool verbose = argc > 1 && std::string(argv[1]) == "-v";
  const std::string only = argc > 2 ? argv[2] : "";
  std::map<std::string, std::array<Errors, 3>> groups;
  std::map<std::string, int> skipped;
  const std::vector<DramRow> rows = dram_rows();
  const DramEnvelopes envelopes(rows);
  int outside = 0, judged = 0;
  for (const DramRow& row : rows) {
    if (!row.not_comparable.empty()) {
      ++skipped[row.not_comparable];
      continue;
    }
    const std::string group =
        fmt::format("{:10} {:14} {:6}", row.tool, row.standard, row.pattern_class);
    if (group.find(only) == std::string::npos) continue;
    const TrafficResult made = run_row(row);
    auto& errors = groups[group];
    errors[0].add(percent(made.sustained_fraction, row.fraction));
    if (row.mean_ns > 0) errors[1].add(percent(made.mean_read_ns, row.mean_ns));
    if (row.p99_ns > 0) errors[2].add(percent(made.p99_read_ns, row.p99_ns));
    if (const DramEnvelope* envelope = envelopes.find(row)) {
      ++judged;
      if (!envelope->holds(made.sustained_fraction)) {
        ++outside;
        fmt::print("outside {:.4f}..{:.4f} +-{:.0f} %: {} {} {} {}: {:.4f}\n", envelope->low,
                   envelope->high, 100 * envelope->tolerance(), row.tool, row.standard, row.pattern,
                   row.mapping, made.sustained_fraction);
      }
    }
    if (verbose) {
      fmt::print(
          "{} {} {}ch {:28} {:30} qd{} {:10} | {:.4f} {:.4f} {:+6.2f}% | {:.1f} {:.1f} "
          "{:+6.2f}% | {:.0f} {:.0f} {:+6.2f}% | hit {:.3f} {:.3f}\n",
          row.tool, row.standard, row.channels, row.pattern, row.mapping, row.queue_depth,
          row.policy, row.fraction, made.sustained_fraction,
          percent(made.sustained_fraction, row.fraction), row.mean_ns, made.mean_read_ns,
          row.mean_ns > 0 ? percent(made.mean_read_ns, row.mean_ns) : 0.0, row.p99_ns,
          made.p99_read_ns, row.p99_ns > 0 ? percent(made.p99_read_ns, row.p99_ns) : 0.0,
          row.hit_rate, made.row_hit_rate);
    }
  }
  fmt::print("{:32}   n  bandwidth %     mean %        p99 %  (mean of |error|, worst)\n", "");
  for (const auto& [name, errors] : groups) {
    fmt::print("{} {:3}  {:13} {:13} {:13}\n", name, errors[0].n, errors[0].text(),
               errors[1].text(), errors[2].text());
  }
  fmt::print("{} of {} rows outside the envelope of the tools\n", outside, judged);
  for (const auto& [why, n] : skipped) fmt::print("{} rows not comparable: {}\n", n, why);
}
