// What requirements ask of a machine before any mapping: arithmetic and compulsory traffic.
#include "sim/report/roofline.h"
#include "sim/sweep/sweep_report.h"

namespace tessera::sim {
namespace {

/// The row whose latency `figure` is, or nullptr.
const ReportRow* row_of_latency(const std::string& figure, const Report& report) {
  if (figure == "latency" || figure == "totals.time_s") return &report.totals;
  for (const ReportRow& phase : report.phases) {
    if (figure == "phases." + phase.name + ".latency") return &phase;
  }
  return nullptr;
}

}  // namespace

std::vector<Need> needs_of(const Sweep& sweep) {
  const Report& report = sweep.first();
  const PointView view(report);
  std::vector<Need> needs;
  for (const Requirement& requirement : sweep.spec().require) {
    const ReportRow* const row = row_of_latency(requirement.figure.text, report);
    if (row == nullptr) continue;
    const double limit = upper_limit(requirement, view).value_or(0);
    if (limit <= 0) continue;
    Need need;
    need.requirement = requirement.comparison.text;
    need.macs_per_cycle = static_cast<double>(row->macs) / (limit * report.core_hz);
    need.bytes_per_second = static_cast<double>(row->compulsory_bytes) / limit;
    need.has_macs_per_cycle = report.peak_macs_per_cycle;
    need.has_bytes_per_second = report.dram_peak_bytes_per_second;
    needs.push_back(need);
  }
  return needs;
}

}  // namespace tessera::sim
