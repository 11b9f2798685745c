#include "sim/report/rows.h"

#include <map>
#include <tuple>

#include "sim/report/roofline.h"

namespace tessera::sim {
namespace {

void add(hw::TrafficByClass& sum, const hw::TrafficByClass& traffic) {
  for (int c = 0; c < hw::kTrafficClasses; ++c) {
    sum[c].read += traffic[c].read;
    sum[c].write += traffic[c].write;
  }
}

void add(Bounds& sum, const Bounds& bounds) {
  sum.compute_cycles += bounds.compute_cycles;
  sum.as_mapped_cycles += bounds.as_mapped_cycles;
  sum.dram_cycles += bounds.dram_cycles;
  sum.dram_as_mapped_cycles += bounds.dram_as_mapped_cycles;
  sum.scratchpad_cycles += bounds.scratchpad_cycles;
  sum.vector_cycles += bounds.vector_cycles;
}

void add(std::optional<MappingSummary>& sum, const std::optional<MappingSummary>& mapping) {
  if (!sum || !mapping) return;
  sum->dram_bytes += mapping->dram_bytes;
  sum->least_dram_bytes += mapping->least_dram_bytes;
  sum->lower_bound_bytes += mapping->lower_bound_bytes;
  sum->analytical_cycles += mapping->analytical_cycles;
  sum->gap = sum->least_dram_bytes > 0 ? ratio(sum->dram_bytes, sum->least_dram_bytes) - 1.0 : 0.0;
}

void add(std::optional<Roofline>& sum, const std::optional<Roofline>& roofline, Cycles cycles) {
  if (!sum || !roofline) return;
  sum->walls = sum->walls + roofline->walls;
  sum->as_mapped_walls = sum->as_mapped_walls + roofline->as_mapped_walls;
  sum->bytes += roofline->bytes;
  settle(*sum, cycles);
}

}  // namespace

Bytes moved_bytes(const hw::TrafficByClass& traffic) {
  Bytes sum = 0;
  for (const auto& cls : traffic) sum += cls.read + cls.write;
  return sum;
}

double reuse_of(const ReportRow& row, hw::TrafficClass traffic) {
  return ratio(row.macs, row.dram[static_cast<int>(traffic)].read);
}

void add_row(ReportRow& sum, const ReportRow& row) {
  const double used = sum.utilization * sum.cycles + row.utilization * row.cycles;
  sum.count += row.count;
  sum.cycles += row.cycles;
  sum.span_cycles += row.span_cycles;
  sum.time_s += row.time_s;
  sum.macs += row.macs;
  sum.utilization = ratio(used, sum.cycles);
  add(sum.bounds, row.bounds);
  for (int c = 0; c < hw::kCauses; ++c) sum.attribution[c] += row.attribution[c];
  add(sum.dram, row.dram);
  sum.dram_bus_bytes += row.dram_bus_bytes;
  for (int c = 0; c < hw::kTrafficClasses; ++c) sum.dram_streams[c] += row.dram_streams[c];
  sum.buffers.resize(std::max(sum.buffers.size(), row.buffers.size()));
  for (std::size_t b = 0; b < row.buffers.size(); ++b) add(sum.buffers[b], row.buffers[b]);
  sum.compulsory_bytes += row.compulsory_bytes;
  sum.fusion_saved_bytes += row.fusion_saved_bytes;
  sum.residency_saved_bytes += row.residency_saved_bytes;
  sum.reuse_weights = reuse_of(sum, hw::TrafficClass::kWeights);
  sum.reuse_activations = reuse_of(sum, hw::TrafficClass::kActivations);
  sum.vector_busy += row.vector_busy;
  sum.vector_hidden += row.vector_hidden;
  add(sum.roofline, row.roofline, sum.cycles);
  add(sum.mapping, row.mapping);
}

double row_hit_rate(const hw::DramStream& stream) {
  return 1.0 - std::min(1.0, ratio(stream.activates, stream.bursts));
}

double stream_bytes_per_second(const hw::DramStream& stream, Bytes burst) {
  return ratio(static_cast<double>(stream.bursts) * static_cast<double>(burst),
               1e-15 * static_cast<double>(stream.in_flight));
}

hw::DramStream all_streams(const ReportRow& row) {
  hw::DramStream sum;
  for (const hw::DramStream& stream : row.dram_streams) sum += stream;
  return sum;
}

std::vector<ReportRow> fold_rows(const std::vector<ReportRow>& rows, bool by_layer) {
  using Key = std::tuple<std::string, std::string, int, std::int64_t, std::int64_t, std::int64_t>;
  std::map<Key, std::size_t> position;
  std::vector<ReportRow> folded;
  for (const ReportRow& row : rows) {
    const Key key{row.phase, row.name, by_layer ? row.layer : 0, row.m, row.k, row.n};
    const auto [at, is_new] = position.emplace(key, folded.size());
    if (is_new) {
      folded.push_back(row);
    } else {
      add_row(folded[at->second], row);
    }
  }
  return folded;
}

}  // namespace tessera::sim
