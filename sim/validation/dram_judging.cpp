#include "sim/validation/dram_judging.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::sim {
namespace {

void run_row_of(CaseResult& result) {
  try {
    const DramRow row = decode_dram_row(result.reference);
    result.dram = DramOutcome{row, run_dram_row(row, result.reference.memory.pattern), {}};
  } catch (const NotComparable& error) {
    result.reason = error.what();
  }
}

/// Percent. TIMING.md section 6: with the same bits DRAMSys's reads follow from the timings alone.
struct ReadTarget {
  double bandwidth = -1, mean = -1, p99 = -1;
};

bool begins_with(const std::string& text, const std::string& begin) {
  return text.compare(0, begin.size(), begin) == 0;
}

ReadTarget read_target(const ReferenceCase& reference, const DramRow& row) {
  const bool reads = row.pattern_class != "mix" && reference.memory.mean_read_ns > 0;
  if (reference.engine != "dramsys" || !reads) return {};
  if (begins_with(reference.memory.standard, "ddr4")) return {1, 2, 5};
  if (begins_with(reference.memory.standard, "lpddr4")) return {1, 3, 5};
  return {};
}

/// "bandwidth (18 rows): worst 0.81 % of 1 %", one a figure that has a target.
void judge_reads(EngineResult& engine) {
  struct Worst {
    DramFigure figure;
    double error = 0;
    int rows = 0;
  };
  std::vector<Worst> all;
  for (const CaseResult& each : engine.cases) {
    for (const DramFigure& figure : dram_figures(each)) {
      if (figure.most < 0) continue;
      const auto same = [&](const Worst& worst) { return worst.figure.name == figure.name; };
      auto found = std::find_if(all.begin(), all.end(), same);
      if (found == all.end()) found = all.insert(all.end(), {figure, 0, 0});
      found->error = std::max(found->error, std::abs(figure.error()));
      ++found->rows;
    }
  }
  std::vector<std::string> targets;
  for (const Worst& worst : all) {
    const double most = worst.figure.most;
    targets.push_back(fmt::format("{} <= {:g} %", worst.figure.name, most));
    engine.limits.push_back({fmt::format("{} of {} reads: worst {:.2f} % of {:g} %",
                                         worst.figure.name, worst.rows, worst.error, most),
                             worst.error <= most});
  }
  if (!targets.empty()) engine.target = fmt::format("reads: {}", fmt::join(targets, ", "));
}

void judge_envelopes(EngineResult& engine) {
  int rows = 0, inside = 0;
  for (const CaseResult& each : engine.cases) {
    if (!each.dram->envelope) continue;
    ++rows;
    if (each.dram->envelope->holds(each.dram->made.sustained_fraction)) ++inside;
  }
  if (rows == 0) return;
  engine.target += engine.target.empty() ? "" : "; ";
  engine.target += "all in the simulators' envelope";
  engine.limits.push_back({fmt::format("{} of {} in the envelope", inside, rows), inside == rows});
}

}  // namespace

void run_dram_rows(std::vector<CaseResult>& results) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < results.size(); i = next++) {
      if (results[i].reference.kind == ReferenceKind::kDram) run_row_of(results[i]);
    }
  };
  std::vector<std::thread> helpers;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  DramEnvelopes envelopes;
  for (const CaseResult& each : results) {
    if (each.dram) envelopes.add(each.reference, each.dram->row);
  }
  for (CaseResult& each : results) {
    if (each.dram) each.dram->envelope = envelopes.find(each.reference, each.dram->row);
  }
}

bool DramFigure::holds() const { return most < 0 || std::abs(error()) <= most; }

std::vector<DramFigure> dram_figures(const CaseResult& result) {
  const DramReference& theirs = result.reference.memory;
  const TrafficResult& ours = result.dram->made;
  const ReadTarget target = read_target(result.reference, result.dram->row);
  std::vector<DramFigure> figures{
      {"bandwidth", theirs.fraction, ours.sustained_fraction, target.bandwidth}};
  if (theirs.mean_read_ns > 0) {
    figures.push_back({"mean latency", theirs.mean_read_ns, ours.mean_read_ns, target.mean});
  }
  if (theirs.p99_read_ns > 0) {
    figures.push_back({"p99", theirs.p99_read_ns, ours.p99_read_ns, target.p99});
  }
  return figures;
}

std::vector<std::string> dram_misses(const CaseResult& result) {
  std::vector<std::string> misses;
  for (const DramFigure& figure : dram_figures(result)) {
    if (figure.holds()) continue;
    misses.push_back(
        fmt::format("{} {:+.2f} % of {:g} %", figure.name, figure.error(), figure.most));
  }
  const auto& envelope = result.dram->envelope;
  const double fraction = result.dram->made.sustained_fraction;
  if (envelope && !envelope->holds(fraction)) {
    misses.push_back(fmt::format("{:.4f} of the peak, envelope {:.4f} .. {:.4f} +-{:g} %", fraction,
                                 envelope->low, envelope->high, 100 * envelope->tolerance()));
  }
  return misses;
}

void judge_dram(EngineResult& engine) {
  if (engine.cases.front().reference.kind != ReferenceKind::kDram) return;
  judge_reads(engine);
  judge_envelopes(engine);
}

}  // namespace tessera::sim
