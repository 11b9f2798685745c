// The text report: first the answer, then where the array's cycles went, then operators by share,
// then what it would take, then buffers, then what the model leaves out.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "sim/report/format.h"
#include "sim/report/roofline.h"
#include "sim/report/rows.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

constexpr double kShownShare = 0.02;  // operators below are summed up in "... n more"
constexpr int kLeastShown = 5, kMostShown = 12;
constexpr double kSmallCause = 0.004;  // causes below share a line
constexpr int kDisagreementsShown = 3;

/// What all sections of one report share.
struct Page {
  const Report& report;
  const TextOptions& options;
  std::vector<ReportRow> rows;    // by share, folded unless all are asked for
  std::vector<ReportRow> folded;  // by share
  Scale time, bytes, cycles;

  int width() const { return options.width; }
  std::string heading(const std::string& text) const {
    return options.color ? "\x1b[1m" + text + "\x1b[0m" : text;
  }
  double seconds(double cycle_count) const { return ratio(cycle_count, report.core_hz); }
};

/// "Softmax", "vision.Softmax": without its layer.
std::string folded_name(const Page& page, const ReportRow& row) {
  return (page.report.phases.size() > 1 ? row.phase + "." : "") + row.name;
}

std::string row_name(const Page& page, const ReportRow& row) {
  if (!page.options.all || row.layer < 0) return folded_name(page, row);
  const std::string phase = page.report.phases.size() > 1 ? row.phase + "." : "";
  return phase + fmt::format("L{}.", row.layer) + row.name;
}

std::string resource_name(const std::string& bound) {
  if (bound == "compute") return "array";
  if (bound == "scratchpad") return "SRAM";
  return bound == "dram" ? "DRAM" : bound;
}

std::string head(const Page& page) {
  const Report& report = page.report;
  const std::string what = report.totals.title.empty() ? "" : report.totals.title + ", ";
  return flow("",
              {page.heading(report.run_name), what + report.precision,
               report.hardware_name + ", " + report.fidelity},
              page.width()) +
         repeated("─", page.width()) + "\n";
}

Cycles tallest_bound(const Bounds& bounds) {
  return std::max(
      {bounds.compute_cycles, bounds.dram_cycles, bounds.scratchpad_cycles, bounds.vector_cycles});
}

std::string answer(const Page& page) {
  const ReportRow& totals = page.report.totals;
  const double peak_tops = 2e-12 * page.report.peak_macs_per_cycle * page.report.core_hz;
  std::vector<std::string> parts{time_scale(totals.time_s).with_unit(totals.time_s),
                                 " " + grouped(totals.cycles) + " cycles"};
  if (totals.time_s > 0 && !totals.unit.empty()) {
    parts.push_back(
        fmt::format("{} {}s/s", significant(totals.units / totals.time_s, 3), totals.unit));
  }
  if (totals.macs > 0) {
    parts.push_back(fmt::format("{} of {} TOPS ({})",
                                significant(totals.utilization * peak_tops, 3),
                                significant(peak_tops, 3), percent(totals.utilization)));
  }
  if (tallest_bound(totals.bounds) > 0) {
    parts.push_back(fixed(ratio(totals.cycles, tallest_bound(totals.bounds)), 2) + " x its bound");
  }
  return flow(" ", parts, page.width());
}

/// "DRAM 47.8 ms (61.2 as mapped)"; the brackets only where the mapping costs more.
std::string bound_text(const Page& page, const char* name, Cycles least, Cycles as_mapped) {
  const std::string text = page.time.text(page.seconds(least));
  const std::string mapped = page.time.text(page.seconds(as_mapped));
  const std::string suffix = mapped == text ? "" : " (" + mapped + " as mapped)";
  return fmt::format("{} {} {}{}", name, text, page.time.unit, suffix);
}

std::string bounds_line(const Page& page) {
  const Bounds& bounds = page.report.totals.bounds;
  const auto time = [&](Cycles cycles) { return page.time.text(page.seconds(cycles)); };
  std::vector<std::string> parts;
  parts.push_back(bound_text(page, "array", bounds.compute_cycles, bounds.as_mapped_cycles));
  parts.push_back(bound_text(page, "DRAM", bounds.dram_cycles, bounds.dram_as_mapped_cycles));
  const std::string hidden =
      page.report.simulated ? fmt::format(" ({} hidden)", time(page.report.vector_hidden_cycles))
                            : "";
  parts.push_back(
      fmt::format("vector {} {}{}", time(bounds.vector_cycles), page.time.unit, hidden));
  if (page.report.simulated) {
    parts.push_back(fmt::format("SRAM {} {}", time(bounds.scratchpad_cycles), page.time.unit));
  }
  return flow(" bounds      ", parts, page.width());
}

/// "80", not "80.0"
std::string short_number(double value) {
  const std::string text = significant(value, 3);
  const bool is_whole = text.size() > 2 && text.compare(text.size() - 2, 2, ".0") == 0;
  return is_whole ? text.substr(0, text.size() - 2) : text;
}

std::string ridge_text(const Roofline& roofline) {
  return fmt::format("ridge {} ops/B ({})", short_number(roofline.ridge), roofline.ridge_bandwidth);
}

std::string class_name(int index) {
  std::string name = to_string(static_cast<hw::TrafficClass>(index));
  std::replace(name.begin(), name.end(), '_', ' ');
  return name == "kv cache" ? "KV cache" : name;
}

std::string dram_line(const Page& page) {
  const Report& report = page.report;
  const double moved = static_cast<double>(moved_bytes(report.totals.dram));
  Bytes least = 0;
  for (const auto& row : report.operators) {
    if (row.mapping) least += row.mapping->least_dram_bytes;
  }
  const Scale scale = byte_scale(moved);
  return flow(
      " DRAM        ",
      {scale.with_unit(moved) + " moved", scale.with_unit(least) + " least, this plan",
       scale.with_unit(report.totals.compulsory_bytes) + " compulsory",
       fmt::format("{} of {} GB/s", significant(1e-9 * ratio(moved, report.totals.time_s), 3),
                   significant(1e-9 * report.dram_peak_bytes_per_second, 3))},
      page.width());
}

/// Traffic by class, in the unit of the line above, and the ridge.
std::string dram_classes(const Page& page) {
  const ReportRow& totals = page.report.totals;
  const Scale scale = byte_scale(static_cast<double>(moved_bytes(totals.dram)));
  std::vector<std::string> classes;
  for (int c = 0; c < hw::kTrafficClasses; ++c) {
    const Bytes bytes = totals.dram[c].read + totals.dram[c].write;
    const bool optional = static_cast<hw::TrafficClass>(c) == hw::TrafficClass::kKvCache;
    if (bytes > 0 || !optional) classes.push_back(class_name(c) + " " + scale.text(bytes));
  }
  if (totals.roofline) {
    classes.push_back(ridge_text(*totals.roofline));
  }
  return flow("             ", classes, page.width());
}

/// "fusion keeps 679 MB on chip   Attention 604   MLP_FC1 75": against each operator on its own.
/// Of residency: against operators that are cold.
std::string saved_line(const Page& page, const std::string& what, Bytes ReportRow::*bytes) {
  const Bytes saved = page.report.totals.*bytes;
  if (saved == 0) return "";
  const Scale scale = byte_scale(static_cast<double>(saved));
  std::vector<ReportRow> rows = page.folded;
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const ReportRow& a, const ReportRow& b) { return a.*bytes > b.*bytes; });
  std::vector<std::string> parts{what + " keeps " + scale.with_unit(saved) + " on chip"};
  for (const auto& row : rows) {
    if (parts.size() > 3 || row.*bytes == 0) break;
    parts.push_back(folded_name(page, row) + " " + scale.text(row.*bytes));
  }
  return flow("             ", parts, page.width());
}

/// Of each class, how many bursts found their row open, and its rate while it asked for anything.
std::string dram_streams_line(const Page& page) {
  const Report& report = page.report;
  if (!report.dram_has_rows || report.dram_bursts == 0) return "";
  std::vector<std::string> parts{"row hits " +
                                 percent(row_hit_rate(all_streams(report.totals)), 0)};
  for (int c = 0; c < hw::kTrafficClasses; ++c) {
    const hw::DramStream& stream = report.totals.dram_streams[c];
    if (stream.bursts == 0) continue;
    const double rate = 1e-9 * stream_bytes_per_second(stream, report.dram_burst_bytes);
    parts.push_back(fmt::format("{} {} at {} GB/s", class_name(c), percent(row_hit_rate(stream), 0),
                                significant(rate, 3)));
  }
  return flow("             ", parts, page.width());
}

/// Total, its parts in the same unit, what commands come to by bit moved, and the source.
std::string dram_energy_line(const Page& page) {
  const auto& energy = page.report.dram_energy;
  if (!energy) return "";
  const hw::DramJoules& joules = energy->joules;
  const Scale scale = energy_scale(joules.total());
  std::vector<std::string> parts{scale.with_unit(joules.total())};
  const auto add = [&](const char* name, std::optional<double> part) {
    if (part) parts.push_back(fmt::format("{} {}", name, scale.text(*part)));
  };
  add("activate", joules.activate);
  add("read", joules.read);
  add("write", joules.write);
  add("refresh", joules.refresh);
  add("background", joules.background);
  const double bits = 8.0 * static_cast<double>(moved_bytes(page.report.totals.dram));
  if (bits > 0 && energy->by_command) {
    parts.push_back(significant(1e12 * joules.total() / bits, 3) + " pJ/bit");
  }
  const std::string label = " DRAM energy ";
  parts.push_back(clip(energy->source, page.width() - display_width(label)));
  return flow(label, parts, page.width());
}

// ------------------------------------------------------------------------------- ARRAY CYCLES

const char* cause_label(hw::Cause cause) {
  switch (cause) {
    case hw::Cause::kCompute:
      return "computing";
    case hw::Cause::kPreload:
      return "preload";
    case hw::Cause::kFillDrain:
      return "fill";
    case hw::Cause::kWaitWeights:
      return "weights";
    case hw::Cause::kWaitActivations:
      return "activations";
    case hw::Cause::kWaitAccumulator:
      return "accumulators";
    case hw::Cause::kWaitScratchpad:
      return "scratchpad";
    case hw::Cause::kWaitVector:
      return "vector unit";
    case hw::Cause::kWaitStore:
      return "stores";
    case hw::Cause::kWaitDispatch:
      return "dispatch";
    case hw::Cause::kTail:
      return "tail";
  }
  return "?";
}

struct CauseLine {
  std::string label, note;
  Cycles cycles = 0;
};

/// The operators that own most of a cause: "Softmax 16.5, LayerNorm_1 2.2".
std::string owners(const Page& page, int cause) {
  std::vector<ReportRow> rows = page.folded;
  std::stable_sort(rows.begin(), rows.end(), [&](const ReportRow& a, const ReportRow& b) {
    return a.attribution[cause] > b.attribution[cause];
  });
  const double total = static_cast<double>(page.report.totals.attribution[cause]);
  Scale scale = page.cycles;
  scale.decimals = std::min(scale.decimals, total / scale.divisor >= 1 ? 1 : 3);
  std::string text;
  int shown = 0;
  for (const auto& row : rows) {
    if (shown == 3 || row.attribution[cause] < 0.05 * total) break;
    text += (text.empty() ? "" : ", ") + folded_name(page, row) + " " +
            scale.text(row.attribution[cause]);
    ++shown;
  }
  return text;
}

/// Causes too small for a line of their own, on one.
CauseLine small_causes(const Page& page, const std::vector<int>& causes) {
  constexpr int kLabelWidth = 20;
  CauseLine line;
  std::string named;
  for (const int c : causes) {
    const Cycles cycles = page.report.totals.attribution[c];
    const std::string label = cause_label(static_cast<hw::Cause>(c));
    const std::string text = page.cycles.text(cycles);
    const bool is_first = line.label.empty();
    line.label += (is_first ? "" : ", ") + label;
    line.note += (is_first ? "" : " + ") + text;
    named += (is_first ? "" : ", ") + label + " " + text;
    line.cycles += cycles;
  }
  if (causes.size() == 1) line.note.clear();
  if (display_width(line.label) > kLabelWidth) {
    line.label = "others";
    line.note = named;
  }
  return line;
}

/// Causes that had cycles, largest first behind computing; the smallest together on one line.
std::vector<CauseLine> cause_lines(const Page& page) {
  const ReportRow& totals = page.report.totals;
  std::vector<int> causes, small;
  for (int c = 1; c < hw::kCauses; ++c) {
    if (totals.attribution[c] == 0) continue;
    (totals.attribution[c] < kSmallCause * totals.cycles ? small : causes).push_back(c);
  }
  const auto larger = [&](int a, int b) { return totals.attribution[a] > totals.attribution[b]; };
  std::stable_sort(causes.begin(), causes.end(), larger);
  std::stable_sort(small.begin(), small.end(), larger);
  std::vector<CauseLine> lines{{cause_label(hw::Cause::kCompute), "", totals.attribution[0]}};
  for (const int c : causes) {
    lines.push_back(
        {cause_label(static_cast<hw::Cause>(c)), owners(page, c), totals.attribution[c]});
  }
  if (!small.empty()) lines.push_back(small_causes(page, small));
  return lines;
}

/// "label  bar  note    cycles  share"; the note takes the room that the bar leaves.
std::string cause_line(const Page& page, const CauseLine& line, Cycles largest, int label_width) {
  constexpr int kFigures = 12, kShare = 9;
  const int room = page.width() - 3 - label_width - 2 - kFigures - kShare;
  const int cells = room * 7 / 10;
  const std::string blocks = bar(ratio(line.cycles, largest), cells);
  const int note_at = std::max(display_width(blocks) + 2, std::min(22, room / 3));
  const std::string note = note_at + 8 < room ? clip(line.note, room - note_at - 1) : std::string();
  return repeated(" ", 3) + pad_right(clip(line.label, label_width), label_width + 2) +
         pad_right(pad_right(blocks, note_at) + note, room) +
         pad_left(page.cycles.text(line.cycles), kFigures) +
         pad_left(percent(ratio(line.cycles, page.report.totals.cycles)), kShare) + "\n";
}

std::string array_cycles(const Page& page) {
  const auto lines = cause_lines(page);
  Cycles largest = 0;
  int label_width = 12;
  for (const auto& line : lines) {
    largest = std::max(largest, line.cycles);
    label_width = std::max(label_width, std::min(20, display_width(line.label)));
  }
  const std::string title = " ARRAY CYCLES";
  const int figures = page.width() - static_cast<int>(title.size()) - 9;
  std::string text =
      page.heading(title) + pad_left(page.cycles.unit, figures) + pad_left("share", 9) + "\n";
  for (const auto& line : lines) text += cause_line(page, line, largest, label_width);
  return text;
}

// ----------------------------------------------------------------------------------- OPERATOR

std::string shape_text(const ReportRow& row) {
  if (row.k == 0) return fmt::format("{} x {}", row.m, row.n);
  return fmt::format("({},{})x({},{})", row.m, row.k, row.k, row.n);
}

std::string next_wall(const ReportRow& row) {
  if (!row.roofline || row.roofline->as_mapped_next_share <= 0) return "-";
  return resource_name(row.roofline->as_mapped_next_bound) + " " +
         percent(row.roofline->as_mapped_next_share, 0);
}

std::string tile_text(const ReportRow& row) {
  if (!row.mapping) return "-";
  const MappingSummary& mapping = *row.mapping;
  if (mapping.dataflow.empty()) return fmt::format("{}x{}", mapping.tile_m, mapping.tile_n);
  return fmt::format("{}x{}x{}{}{}", mapping.tile_m, mapping.tile_k, mapping.tile_n,
                     mapping.loop_order.empty() ? "" : " ", mapping.loop_order);
}

std::string dataflow_text(const ReportRow& row) {
  if (!row.mapping || row.mapping->dataflow.empty()) return "-";
  std::string initials;
  bool at_start = true;
  for (const char c : row.mapping->dataflow) {
    if (at_start) initials += static_cast<char>(c - 'a' + 'A');
    at_start = c == '_';
  }
  return initials;
}

std::string main_wait(const ReportRow& row) {
  const auto most = std::max_element(row.attribution.begin() + 1, row.attribution.end());
  if (*most == 0 || ratio(*most, row.cycles) < 0.005) return "-";
  const auto cause = static_cast<hw::Cause>(most - row.attribution.begin());
  return fmt::format("{} {}", cause_label(cause), percent(ratio(*most, row.cycles), 0));
}

using CellOf = std::function<std::string(const ReportRow&)>;
struct ColumnOf {
  std::string header;
  Align align;
  int priority;
  CellOf cell;
};

std::string in_mapping(const ReportRow& row,
                       const std::function<std::string(const MappingSummary&)>& text) {
  return row.mapping ? text(*row.mapping) : "-";
}

std::vector<ColumnOf> figure_columns(const Page& page) {
  const auto total = page.report.totals.cycles;
  const Scale time = page.time, bytes = page.bytes;
  const double hz = page.report.core_hz;
  return {
      {time.unit, Align::kRight, 0, [=](const auto& row) { return time.text(row.time_s); }},
      {"share", Align::kRight, 0,
       [=](const auto& row) { return fixed(100 * ratio(row.cycles, total), 1); }},
      {"array", Align::kRight, 0,
       [](const auto& row) { return row.macs > 0 ? percent(row.utilization) : "-"; }},
      {"DRAM " + bytes.unit, Align::kRight, 3,
       [=](const auto& row) { return bytes.text(moved_bytes(row.dram)); }},
      {"least", Align::kRight, 5,
       [=](const auto& row) {
         return in_mapping(row, [&](const auto& m) { return bytes.text(m.least_dram_bytes); });
       }},
      {"alone " + time.unit, Align::kRight, 7,
       [=](const auto& row) {
         return in_mapping(
             row, [&](const auto& m) { return time.text(ratio(m.analytical_cycles, hz)); });
       }},
  };
}

/// Share of the row's vector time that the array hides.
std::string hidden_text(const ReportRow& row) {
  return row.vector_busy > 0 ? percent(ratio(row.vector_hidden, row.vector_busy)) : "-";
}

std::vector<ColumnOf> operator_columns(const Page& page) {
  std::vector<ColumnOf> columns{
      {"OPERATOR", Align::kLeft, 0, [&](const auto& row) { return row_name(page, row); }},
      {"x", Align::kRight, 0, [](const auto& row) { return grouped(row.count); }},
      {"(M,K)x(K,N)", Align::kLeft, 4, shape_text}};
  for (auto& column : figure_columns(page)) columns.push_back(column);
  columns.push_back({"limit", Align::kLeft, 0, [](const auto& row) {
                       return row.roofline ? resource_name(row.roofline->as_mapped_bound) : "-";
                     }});
  columns.push_back({"next wall", Align::kLeft, 2, next_wall});
  columns.push_back({"waits most for", Align::kLeft, 8, main_wait});
  columns.push_back({"tile, order", Align::kLeft, 9, tile_text});
  columns.push_back({"flow", Align::kLeft, 10, dataflow_text});
  columns.push_back({"ops/B", Align::kRight, 11, [](const auto& row) {
                       return row.roofline && row.macs > 0
                                  ? significant(row.roofline->operational_intensity, 3)
                                  : "-";
                     }});
  columns.push_back({"hidden", Align::kRight, 12, hidden_text});
  return columns;
}

int shown_rows(const Page& page) {
  const int rows = static_cast<int>(page.rows.size());
  if (page.options.all) return rows;
  int shown = 0;
  while (
      shown < rows && shown < kMostShown &&
      (shown < kLeastShown || page.rows[shown].cycles >= kShownShare * page.report.totals.cycles)) {
    ++shown;
  }
  return rows - shown == 1 ? rows : shown;  // a line for one more is the line itself
}

/// The rows that are not shown, as one.
ReportRow rest_of(const Page& page, int shown) {
  ReportRow rest;
  rest.mapping.emplace();
  for (std::size_t i = shown; i < page.rows.size(); ++i) add_row(rest, page.rows[i]);
  return rest;
}

void append_rest(const Page& page, int shown, std::vector<Column>& columns,
                 const std::vector<ColumnOf>& makers) {
  const int more = static_cast<int>(page.rows.size()) - shown;
  if (more == 0) return;
  const ReportRow rest = rest_of(page, shown);
  const std::vector<std::string> kept{"x", page.time.unit, "share", "DRAM " + page.bytes.unit,
                                      "least"};
  for (std::size_t c = 0; c < makers.size(); ++c) {
    const bool is_kept = std::find(kept.begin(), kept.end(), makers[c].header) != kept.end();
    columns[c].cells.push_back(is_kept ? makers[c].cell(rest) : "");
  }
  columns[0].cells.back() = fmt::format("... {} more", more);
  for (auto& column : columns) {
    if (column.header == "limit") column.cells.back() = "(--all)";
  }
}

std::string operator_table(const Page& page) {
  const auto makers = operator_columns(page);
  const int shown = shown_rows(page);
  std::vector<Column> columns;
  for (const auto& maker : makers) {
    Column column{maker.header, maker.align, maker.priority, {}};
    for (int row = 0; row < shown; ++row) column.cells.push_back(maker.cell(page.rows[row]));
    columns.push_back(column);
  }
  append_rest(page, shown, columns, makers);
  return table(columns, page.width());
}

std::vector<std::string> disagreement(const Page& page, const ReportRow& row) {
  const Roofline& roofline = *row.roofline;
  std::string ideal = folded_name(page, row) + ": ";
  if (row.macs > 0) {
    ideal +=
        fmt::format("roofline says {}, {} ops/B against a ridge of {} ({})",
                    resource_name(roofline.bound), short_number(roofline.operational_intensity),
                    short_number(roofline.ridge), roofline.ridge_bandwidth);
  } else {
    ideal += "compulsory traffic alone says " + resource_name(roofline.bound);
  }
  return {ideal, "as mapped: " + resource_name(roofline.as_mapped_bound)};
}

/// Where the classical roofline and the mapping name different limits.
std::string disagreements(const Page& page) {
  std::string text;
  int found = 0;
  for (const auto& row : page.folded) {
    if (!row.roofline || row.roofline->bound == row.roofline->as_mapped_bound) continue;
    if (++found <= kDisagreementsShown) {
      text += flow("   ", disagreement(page, row), page.width());
    }
  }
  if (found > kDisagreementsShown) {
    text += fmt::format("   ... {} more whose roofline and mapping name different limits\n",
                        found - kDisagreementsShown);
  }
  return text;
}

// ------------------------------------------------------------------------------ other sections

/// "   holds   latency <= 30 ms: 28.2 ms, 1.8 ms to spare"
std::string expectation_lines(const Page& page) {
  std::string text;
  for (const auto& each : page.report.expectations) {
    text += flow(each.holds ? "   holds   " : "   FAILED  ", {expressions::to_text(each)},
                 page.width());
  }
  return text.empty() ? "" : page.heading(" EXPECTED") + "\n" + text + "\n";
}

std::string phase_table(const Page& page) {
  const Report& report = page.report;
  if (report.phases.size() < 2) return "";
  const auto total = report.totals.cycles;
  std::vector<Column> columns{
      {"PHASE", Align::kLeft, 0, {}},   {"", Align::kLeft, 2, {}},
      {"x", Align::kRight, 0, {}},      {page.time.unit, Align::kRight, 0, {}},
      {"cycles", Align::kRight, 1, {}}, {"share", Align::kRight, 0, {}},
      {"array", Align::kRight, 0, {}},  {"DRAM " + page.bytes.unit, Align::kRight, 0, {}}};
  for (const auto& row : report.phases) {
    const std::vector<std::string> cells{row.name,
                                         row.title,
                                         grouped(row.repeat),
                                         page.time.text(row.time_s),
                                         grouped(row.cycles),
                                         fixed(100 * ratio(row.cycles, total), 1),
                                         row.macs > 0 ? percent(row.utilization) : "-",
                                         page.bytes.text(moved_bytes(row.dram))};
    for (std::size_t c = 0; c < cells.size(); ++c) columns[c].cells.push_back(cells[c]);
  }
  return table(columns, page.width());
}

std::string what_if_table(const Page& page, const std::vector<WhatIf>& what_ifs) {
  if (what_ifs.empty()) return "";
  const ReportRow& totals = page.report.totals;
  const double moved = static_cast<double>(moved_bytes(totals.dram));
  std::vector<Column> columns{{"IT WOULD TAKE", Align::kLeft, 0, {}},
                              {page.time.unit, Align::kRight, 0, {}},
                              {"", Align::kRight, 0, {}},
                              {"DRAM " + page.bytes.unit, Align::kRight, 2, {}},
                              {"", Align::kLeft, 1, {}}};
  constexpr int kFigures = 24, kLeastNote = 10;
  int widest = 0;
  for (const auto& change : what_ifs) widest = std::max(widest, display_width(change.change) + 2);
  widest = std::min(widest, page.width() - kFigures);
  const int note_width = page.width() - widest - kFigures;
  for (const auto& change : what_ifs) {
    const double bytes = change.dram_bytes - moved;
    std::vector<std::string> cells{"  " + change.change, "-", "", "", change.note};
    if (change.feasible) {
      cells = {"  " + change.change, page.time.text(change.time_s),
               signed_percent(ratio(change.cycles - totals.cycles, totals.cycles)),
               (bytes > 0 ? "+" : "") + page.bytes.text(bytes), change.note};
    }
    if (note_width < kLeastNote) cells.back().clear();  // the change itself matters more
    cells.front() = clip(cells.front(), widest);
    cells.back() = clip(cells.back(), note_width);
    for (std::size_t c = 0; c < cells.size(); ++c) columns[c].cells.push_back(cells[c]);
  }
  return table(columns, page.width());
}

std::string buffers_line(const Page& page) {
  std::vector<std::string> parts;
  for (const auto& buffer : page.report.buffers) {
    std::string part = buffer.name + " ";
    if (page.report.simulated) {
      part += of_capacity(buffer.peak_bytes, buffer.capacity_bytes);
      if (buffer.peak_bytes < buffer.capacity_bytes) part += ", not full";
    } else {
      part += capacity_text(buffer.capacity_bytes);
    }
    if (!buffer.first_size_that_changes.empty()) {
      part += " (" + buffer.first_size_that_changes + ")";
    }
    parts.push_back(part);
  }
  return parts.empty() ? "" : flow(" BUFFERS  ", parts, page.width());
}

std::string model_lines(const Page& page) {
  const auto& notes = page.report.model_notes;
  return notes.empty() ? "" : flow(" MODEL    ", notes, page.width());
}

std::vector<ReportRow> by_share(std::vector<ReportRow> rows) {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ReportRow& a, const ReportRow& b) { return a.cycles > b.cycles; });
  return rows;
}

Page make_page(const Report& report, const TextOptions& options) {
  Page page{report, options, {}, {}, {}, {}, {}};
  page.folded = by_share(fold_rows(report.operators, false));
  page.rows = options.all ? by_share(report.operators) : page.folded;
  page.time = time_scale(report.totals.time_s);
  page.bytes = byte_scale(static_cast<double>(moved_bytes(report.totals.dram)));
  page.time.decimals = std::max(1, page.time.decimals);
  if (page.bytes.decimals == 0) page.bytes.decimals = 1;
  page.cycles = cycle_scale(static_cast<double>(report.totals.cycles));
  return page;
}

}  // namespace

std::string report_text(const Report& report, const std::vector<WhatIf>& what_ifs,
                        const TextOptions& options) {
  const Page page = make_page(report, options);
  std::string text = head(page) + answer(page) + bounds_line(page) + dram_line(page) +
                     dram_classes(page) + dram_streams_line(page) + dram_energy_line(page) +
                     saved_line(page, "fusion", &ReportRow::fusion_saved_bytes) +
                     saved_line(page, "residency", &ReportRow::residency_saved_bytes) + "\n";
  if (report.simulated) text += array_cycles(page) + "\n";
  const std::string phases = phase_table(page);
  if (!phases.empty()) text += phases + "\n";
  text += operator_table(page) + disagreements(page) + "\n" + expectation_lines(page);
  return text + what_if_table(page, what_ifs) + buffers_line(page) + model_lines(page);
}

std::string host_footer(const HostFigures& host, int width) {
  std::vector<std::string> parts{
      significant(host.wall_s, 3) + " s wall",
      fmt::format("{} s CPU (mapper {} s)", significant(host.cpu_s, 3), significant(host.map_s, 3)),
      fixed(1e-6 * static_cast<double>(host.peak_memory), 0) + " MB"};
  if (host.simulated) {
    parts.push_back(significant(1e-6 * host.cycles_per_cpu_second, 3) + " M cycles per CPU second");
  }
  return flow(" HOST     ", parts, width);
}

}  // namespace tessera::sim
