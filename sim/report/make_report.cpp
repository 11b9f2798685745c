// Joins the counters of a simulation with the names of graph and plan.
#include <algorithm>
#include <cmath>

#include "sim/mapper/gemm_problem.h"
#include "sim/mapper/placement.h"
#include "sim/report/roofline.h"
#include "sim/report/rows.h"
#include "sim/report/version.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using workloads::Graph;
using workloads::Operator;

/// What every row is made from.
struct Join {
  const RunConfig& config;
  const Graph& graph;
  const Plan& plan;
  const hw::Counters& counters;
  const KeptTensors kept;

  const hw::HardwareConfig& hardware() const { return config.hardware; }
  double ridge_bytes_per_cycle() const {
    return config.ridge_at_peak ? peak_bytes_per_cycle(hardware())
                                : sustained_bytes_per_cycle(hardware());
  }
};

Cycles cycles_of(double work, double per_cycle) {
  return static_cast<Cycles>(std::ceil(ratio(work, per_cycle) - 1e-9));
}

/// Peak MACs per cycle of the operator's precision pair.
double peak_of(const Join& join, const Operator& op) {
  return macs_per_cycle(join.hardware().array, precision_of(join.graph, op));
}

std::int64_t executions_of(const Join& join, int index) {
  return std::max<std::int64_t>(1, join.counters.operators.at(index).executions);
}

/// Cycles of the busiest buffer, were all of its banks and ports always busy.
Cycles scratchpad_cycles(const hw::HardwareConfig& hardware,
                         const std::vector<std::int64_t>& accesses) {
  Cycles most = 0;
  for (std::size_t b = 0; b < accesses.size() && b < hardware.buffers.size(); ++b) {
    const auto& buffer = hardware.buffers[b];
    most = std::max(most, hw::ceil_div(accesses[b], std::int64_t{buffer.banks} * buffer.ports));
  }
  return most;
}

/// The plan's figures are of one execution; a repeated phase executes its operators again.
OperatorPlan executed_plan(const Join& join, int index) {
  OperatorPlan plan = join.plan.operators.at(index);
  const std::int64_t times = executions_of(join, index);
  plan.cost.latency *= times;
  plan.cost.array_cycles *= times;
  plan.cost.vector_cycles *= times;
  plan.cost.dram_cycles *= times;
  plan.cost.dram_bytes *= times;
  plan.cost.bus_bytes *= times;
  plan.least_dram_bytes *= times;
  plan.lower_bound_bytes *= times;
  return plan;
}

/// Reads and writes cross the interconnect on paths of their own.
Cycles interconnect_cycles(const Join& join, const hw::OperatorCounters& counters) {
  Bytes read = 0, written = 0;
  for (const hw::ReadWrite& traffic : counters.dram) {
    read += traffic.read;
    written += traffic.write;
  }
  return cycles_of(std::max(read, written), interconnect_bytes_per_cycle(join.hardware()));
}

Bounds bounds_of(const Join& join, int index, const OperatorPlan& plan, double peak) {
  const hw::OperatorCounters& counters = join.counters.operators.at(index);
  const double limit = limit_bytes_per_cycle(join.hardware());
  Bounds bounds;
  bounds.compute_cycles = cycles_of(counters.macs, peak);
  bounds.as_mapped_cycles = plan.cost.array_cycles;
  bounds.dram_cycles = cycles_of(plan.least_dram_bytes, limit);
  bounds.dram_as_mapped_cycles =
      std::max(cycles_of(plan.cost.bus_bytes, limit), interconnect_cycles(join, counters));
  bounds.scratchpad_cycles = scratchpad_cycles(join.hardware(), counters.buffer_accesses);
  bounds.vector_cycles = plan.cost.vector_cycles;
  return bounds;
}

/// Vector operators take lane-cycles for operations, against the lanes' own ridge.
Roofline roofline_of(const Join& join, const ReportRow& row, double peak) {
  const double bandwidth = join.ridge_bytes_per_cycle();
  const Bounds& bounds = row.bounds;
  Roofline roofline;
  roofline.bytes = row.compulsory_bytes;
  roofline.ridge_bandwidth = join.config.ridge_at_peak ? "peak" : "sustained";
  roofline.walls = {ratio(row.macs, peak), ratio(row.compulsory_bytes, bandwidth),
                    double(bounds.scratchpad_cycles), double(bounds.vector_cycles)};
  roofline.as_mapped_walls = {double(bounds.as_mapped_cycles), double(bounds.dram_as_mapped_cycles),
                              double(bounds.scratchpad_cycles), double(bounds.vector_cycles)};
  const double lanes = join.hardware().vector.lanes;
  const double operations = row.macs > 0 ? 2.0 * row.macs : lanes * bounds.vector_cycles;
  roofline.operational_intensity = ratio(operations, row.compulsory_bytes);
  roofline.ridge = ratio(row.macs > 0 ? 2.0 * peak : lanes, bandwidth);
  settle(roofline, row.cycles);
  return roofline;
}

void describe_gemm_mapping(const GemmMapping& gemm, MappingSummary& summary) {
  summary.dataflow = to_string(gemm.dataflow);
  summary.tile_m = gemm.tile.m;
  summary.tile_k = gemm.tile.k;
  summary.tile_n = gemm.tile.n;
  summary.loop_order = loop_order_text(gemm.order);
  if (gemm.resident_a) summary.resident.push_back("a");
  if (gemm.resident_b) summary.resident.push_back("b");
  auto& doubled = summary.double_buffered;
  if (gemm.a.count == 2 && !gemm.resident_a) doubled.push_back("a");
  if (gemm.b.count == 2 && !gemm.resident_b) doubled.push_back("b");
  if (gemm.accumulators.count == 2) doubled.push_back("accumulators");
  if (gemm.outputs.count == 2) doubled.push_back("outputs");
}

void describe_attention_mapping(const AttentionMapping& attention, std::int64_t head_dim,
                                MappingSummary& summary) {
  summary.dataflow = to_string(attention.dataflow);
  summary.tile_m = attention.rows;
  summary.tile_k = head_dim;
  summary.tile_n = attention.keys;
  if (attention.resident) summary.resident = {"k", "v"};
  summary.double_buffered = doubled_slots(attention);
}

MappingSummary mapping_of(const OperatorPlan& plan, const Operator& op) {
  MappingSummary summary;
  if (plan.is_gemm) {
    describe_gemm_mapping(plan.gemm, summary);
  } else if (plan.is_attention) {
    describe_attention_mapping(plan.attention, op.k, summary);
  } else {
    summary.tile_m = plan.vector.rows;
    summary.tile_n = plan.vector.cols;
  }
  summary.dram_bytes = plan.cost.dram_bytes;
  summary.least_dram_bytes = plan.least_dram_bytes;
  summary.lower_bound_bytes = plan.lower_bound_bytes;
  if (plan.least_dram_bytes > 0) {
    summary.gap = ratio(plan.cost.dram_bytes, plan.least_dram_bytes) - 1.0;
  }
  summary.analytical_cycles = plan.cost.latency;
  return summary;
}

void take_counters(const Join& join, const hw::OperatorCounters& counters, ReportRow& row) {
  row.attribution = counters.attribution;
  for (const Cycles cycles : counters.attribution) row.cycles += cycles;
  if (counters.first_command >= 0) row.span_cycles = counters.last_retired - counters.first_command;
  row.time_s = ratio(row.cycles, join.hardware().clocks.core_hz);
  row.macs = counters.macs;
  row.dram = counters.dram;
  row.dram_bus_bytes = counters.dram_bus_bytes;
  row.dram_streams = counters.dram_streams;
  row.buffers = counters.buffers;
  row.buffers.resize(join.hardware().buffers.size());
  row.vector_busy = counters.vector_busy;
  row.vector_hidden = counters.vector_hidden;
  row.reuse_weights = reuse_of(row, hw::TrafficClass::kWeights);
  row.reuse_activations = reuse_of(row, hw::TrafficClass::kActivations);
}

ReportRow operator_row(const Join& join, int index) {
  const Operator& op = join.graph.operators.at(index);
  ReportRow row;
  row.name = op.name;
  row.phase = op.phase;
  row.layer = op.layer;
  row.kind = to_string(op.kind);
  row.m = op.m;
  row.k = op.k;
  row.n = op.n;
  row.count = op.instances * executions_of(join, index);
  row.members = op.members;
  take_counters(join, join.counters.operators.at(index), row);
  const double peak = uses_array(op) ? peak_of(join, op) : 0.0;
  row.utilization = ratio(row.macs, peak * row.cycles);
  const OperatorPlan plan = executed_plan(join, index);
  row.bounds = bounds_of(join, index, plan, peak);
  row.residency_saved_bytes =
      residency_saved_bytes(op, join.graph, join.kept) * executions_of(join, index);
  row.compulsory_bytes =
      compulsory_bytes(op, join.graph) * executions_of(join, index) - row.residency_saved_bytes;
  row.fusion_saved_bytes = fusion_saved_bytes(op, join.graph) * executions_of(join, index);
  row.roofline = roofline_of(join, row, peak);
  row.mapping = mapping_of(plan, op);
  return row;
}

/// Span of operators [first, last): from the earliest command to the latest retirement.
Cycles span_of(const Join& join, int first, int last) {
  Cycles begin = -1, end = 0;
  for (int i = first; i < last; ++i) {
    const auto& counters = join.counters.operators[i];
    if (counters.first_command < 0) continue;
    if (begin < 0 || counters.first_command < begin) begin = counters.first_command;
    end = std::max(end, counters.last_retired);
  }
  return begin < 0 ? 0 : end - begin;
}

Cycles scratchpad_of(const Join& join, int first, int last) {
  std::vector<std::int64_t> sums(join.hardware().buffers.size());
  for (int i = first; i < last; ++i) {
    const auto& accesses = join.counters.operators[i].buffer_accesses;
    for (std::size_t b = 0; b < accesses.size() && b < sums.size(); ++b) sums[b] += accesses[b];
  }
  return scratchpad_cycles(join.hardware(), sums);
}

/// Roofline of a sum: its walls are sums per resource, its peak that of its own mix of precisions.
Roofline summed_roofline(const Join& join, const ReportRow& sum, Roofline roofline) {
  const double bandwidth = join.ridge_bytes_per_cycle();
  const double lanes = join.hardware().vector.lanes;
  roofline.walls.scratchpad = static_cast<double>(sum.bounds.scratchpad_cycles);
  roofline.as_mapped_walls.scratchpad = static_cast<double>(sum.bounds.scratchpad_cycles);
  const double operations = sum.macs > 0 ? 2.0 * sum.macs : lanes * roofline.walls.vector;
  const double peak = sum.macs > 0 ? 2.0 * ratio(sum.macs, roofline.walls.compute) : lanes;
  roofline.operational_intensity = ratio(operations, roofline.bytes);
  roofline.ridge = ratio(peak, bandwidth);
  settle(roofline, sum.cycles);
  return roofline;
}

/// Operators [first, last) as one row.
ReportRow sum_row(const Join& join, const std::vector<ReportRow>& rows, int first, int last) {
  ReportRow sum;
  sum.buffers.resize(join.hardware().buffers.size());
  sum.roofline.emplace();
  sum.roofline->ridge_bandwidth = join.config.ridge_at_peak ? "peak" : "sustained";
  for (int i = first; i < last; ++i) add_row(sum, rows[i]);
  sum.time_s = ratio(sum.cycles, join.hardware().clocks.core_hz);
  sum.span_cycles = span_of(join, first, last);
  sum.bounds.scratchpad_cycles = scratchpad_of(join, first, last);
  sum.compulsory_bytes = compulsory_bytes(join.graph, first, last);
  sum.roofline = summed_roofline(join, sum, *sum.roofline);
  return sum;
}

ReportRow phase_row(const Join& join, const std::vector<ReportRow>& rows,
                    const workloads::Phase& phase) {
  ReportRow row = sum_row(join, rows, phase.first_operator, phase.last_operator);
  row.name = phase.name;
  row.phase = phase.name;
  row.kind = "phase";
  row.title = phase.title;
  row.unit = phase.unit;
  row.units = phase.units;
  row.repeat = phase.repeat;
  return row;
}

ReportRow total_row(const Join& join, const std::vector<ReportRow>& rows) {
  ReportRow row = sum_row(join, rows, 0, static_cast<int>(rows.size()));
  row.name = "total";
  row.kind = "total";
  row.span_cycles = join.counters.total;
  if (join.graph.phases.size() == 1) {
    const auto& phase = join.graph.phases.front();
    row.title = phase.title;
    row.unit = phase.unit;
    row.units = std::int64_t{phase.units} * phase.repeat;
    return row;
  }
  for (const auto& phase : join.graph.phases) {
    row.title += (row.title.empty() ? "" : " + ") + phase.name;
  }
  row.unit = "request";
  return row;
}

/// The most that tensors kept in a buffer and the slots of one operator take together; 0: nothing
/// is kept there.
Bytes peak_beside_kept(const Plan& plan, int buffer) {
  std::vector<Bytes> kept(plan.operators.size());
  for (const TensorAllocation& tensor : plan.tensors) {
    if (tensor.kept.count == 0 || tensor.kept.buffer != buffer) continue;
    for (int op = tensor.first_use; op <= tensor.last_use; ++op) kept.at(op) += tensor.kept.bytes;
  }
  Bytes peak = 0;
  for (std::size_t op = 0; op < kept.size(); ++op) {
    if (kept[op] == 0) continue;
    for (const Slots* slots : slots_of(plan.operators[op])) {
      if (slots->buffer == buffer) kept[op] += slots->bytes * slots->count;
    }
    peak = std::max(peak, kept[op]);
  }
  return peak;
}

std::vector<BufferSummary> buffers_of(const Join& join) {
  std::vector<BufferSummary> buffers;
  for (std::size_t b = 0; b < join.hardware().buffers.size(); ++b) {
    const auto& buffer = join.hardware().buffers[b];
    const bool counted = b < join.counters.buffers.size();
    const Bytes used = counted ? join.counters.buffers[b].peak : 0;
    const Bytes peak = std::max(used, peak_beside_kept(join.plan, static_cast<int>(b)));
    buffers.push_back({buffer.name, buffer.capacity, peak, ""});
  }
  return buffers;
}

/// Bursts by direction; without a count of them in the ratio of the bytes.
hw::DramCommandCounts dram_commands(const Join& join, const ReportRow& totals) {
  hw::DramCommandCounts counts = join.counters.dram_commands;
  if (join.hardware().dram.model == hw::DramModel::kTiming) return counts;
  Bytes written = 0;
  for (const hw::ReadWrite& traffic : totals.dram) written += traffic.write;
  const double share = ratio(written, moved_bytes(totals.dram));
  counts.writes = std::llround(share * static_cast<double>(join.counters.dram_bursts));
  counts.reads = join.counters.dram_bursts - counts.writes;
  return counts;
}

std::optional<DramEnergyFigures> dram_energy(const Join& join, const ReportRow& totals) {
  const hw::DramConfig& dram = join.hardware().dram;
  hw::DramActivity activity;
  activity.counts = dram_commands(join, totals);
  activity.has_rows = dram.model == hw::DramModel::kTiming;
  activity.channels = ratio(dram.channels, dram.device.pseudo_channels);
  activity.ranks = dram.device.ranks;
  activity.seconds = ratio(join.counters.total, join.hardware().clocks.core_hz);
  const std::optional<hw::DramJoules> joules = energy_of(activity, dram.device);
  if (!joules) return std::nullopt;
  const hw::DramEnergy& stated = dram.device.energy;
  return DramEnergyFigures{*joules, stated.commands.has_value(), stated.source};
}

std::vector<std::string> model_notes(const Join& join) {
  std::vector<std::string> notes;
  if (join.hardware().dram.model == hw::DramModel::kBandwidth) {
    notes.push_back("DRAM model `bandwidth`: no rows, no refresh");
  }
  const double link = interconnect_bytes_per_cycle(join.hardware());
  if (link < sustained_bytes_per_cycle(join.hardware())) {
    notes.push_back("the interconnect is narrower than the DRAM (bounds 'as mapped' count it)");
  }
  const hw::DramEnergy& energy = join.hardware().dram.device.energy;
  notes.push_back(energy.commands || energy.per_bit ? "no on-chip energy" : "no energy model");
  const auto& operators = join.graph.operators;
  if (std::any_of(operators.begin(), operators.end(), [](const Operator& op) {
        return uses_array(op) && op.mask == workloads::Mask::kCausal;
      })) {
    const auto& phases = join.config.phases;
    const bool skips = std::any_of(phases.begin(), phases.end(), [](const auto& phase) {
      return phase.causal_half == workloads::Effort::kSkipped;
    });
    notes.push_back(skips ? "scores above the causal mask are skipped by blocks of 128 queries"
                          : "scores above the causal mask are computed");
  }
  return notes;
}

/// Peak of the run's own mix of precisions; of the configured pair when it has no MACs.
double peak_macs(const Join& join, const ReportRow& totals) {
  if (totals.macs > 0) return ratio(totals.macs, totals.roofline->walls.compute);
  const auto& precision = join.config.precision;
  return macs_per_cycle(join.hardware().array,
                        workloads::pair_name({precision.weights, precision.activations}));
}

void name_run(const Join& join, Report& report) {
  report.tool_version = tool_version();
  report.model_version = model_version();
  report.run_name = join.config.name;
  report.precision = workloads::describe(join.config.precision);
  report.hardware_name = join.hardware().name;
  report.fidelity = to_string(join.config.fidelity);
  report.config = join.config.resolved;
  report.core_hz = static_cast<double>(join.hardware().clocks.core_hz);
  report.dram_peak_bytes_per_second = join.hardware().dram.peak_bytes_per_second;
}

}  // namespace

const char* to_string(Fidelity fidelity) {
  return fidelity == Fidelity::kAnalytical ? "analytical" : "transaction";
}

Report make_report(const RunConfig& config, const Graph& graph, const Plan& plan,
                   const hw::Counters& counters) {
  const Join join{config, graph, plan, counters, kept_tensors(plan)};
  Report report;
  name_run(join, report);
  std::vector<ReportRow> rows;
  for (std::size_t i = 0; i < graph.operators.size(); ++i) rows.push_back(operator_row(join, i));
  report.totals = total_row(join, rows);
  for (const auto& phase : graph.phases) report.phases.push_back(phase_row(join, rows, phase));
  report.operators = fold_rows(rows, true);
  report.units = counters.units;
  report.vector_hidden_cycles = report.totals.vector_hidden;
  report.vector_exposed_cycles = report.totals.vector_busy - report.totals.vector_hidden;
  report.buffers = buffers_of(join);
  report.dram_sustained_fraction = ratio(moved_bytes(report.totals.dram),
                                         counters.total * peak_bytes_per_cycle(config.hardware));
  report.dram_has_rows = config.hardware.dram.model == hw::DramModel::kTiming;
  report.dram_bursts = counters.dram_bursts;
  report.dram_burst_bytes = config.hardware.dram.burst;
  report.dram_commands = counters.dram_commands;
  report.dram_energy = dram_energy(join, report.totals);
  report.peak_macs_per_cycle = peak_macs(join, report.totals);
  report.model_notes = model_notes(join);
  return report;
}

}  // namespace tessera::sim
