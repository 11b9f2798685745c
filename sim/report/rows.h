// Sums of report rows.
#pragma once

#include <string>
#include <vector>

#include "sim/report/report.h"

namespace tessera::sim {

/// Adds what adds up: cycles, MACs, traffic, bounds, walls, mapping bytes, counts. Ratios
/// (utilization, reuse, gap) become those of the sums; names, shape and ridge stay those of `sum`.
void add_row(ReportRow& sum, const ReportRow& row);

/// Rows of equal key (phase, name, shape; with `by_layer` also the layer) become one, in order of
/// first appearance.
std::vector<ReportRow> fold_rows(const std::vector<ReportRow>& rows, bool by_layer);

/// Bytes over all classes.
Bytes moved_bytes(const hw::TrafficByClass& traffic);

/// MACs per byte loaded of a class; 0 when none was loaded.
double reuse_of(const ReportRow& row, hw::TrafficClass traffic);
/// Share of the bursts that found their row open, or opened by another burst of their piece.
double row_hit_rate(const hw::DramStream& stream);
/// Bus bytes by the time with at least one request at the DRAM.
double stream_bytes_per_second(const hw::DramStream& stream, Bytes burst);
hw::DramStream all_streams(const ReportRow& row);

}  // namespace tessera::sim
