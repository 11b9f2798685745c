#include "sim/report/gemm_writers.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/report/format.h"
#include "sim/report/roofline.h"
#include "sim/report/rows.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

bool asked(const Report& report, const char* what) {
  return report.config.contains("gemm") && report.config.at("gemm").value(what, false);
}

std::string words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string head(const Report& report, const TextOptions& options) {
  const ReportRow& row = report.operators.front();
  const std::string shape = fmt::format("({},{})x({},{})", row.m, row.k, row.k, row.n);
  const std::string title = options.color ? "\x1b[1m" + shape + "\x1b[0m" : shape;
  std::vector<std::string> parts{title, report.precision + ", " + words(row.mapping->dataflow),
                                 report.hardware_name + ", " + report.fidelity};
  if (asked(report, "resident")) parts.emplace_back("operands resident");
  if (asked(report, "accumulate")) parts.emplace_back("accumulates");
  return flow("", parts, options.width) + repeated("─", options.width) + "\n";
}

std::string answer(const Report& report, const TextOptions& options) {
  const ReportRow& totals = report.totals;
  return flow(
      " ",
      {grouped(totals.cycles) + " cycles", time_scale(totals.time_s).with_unit(totals.time_s),
       fmt::format("{} of {} MACs a cycle ({})", significant(ratio(totals.macs, totals.cycles), 4),
                   significant(report.peak_macs_per_cycle, 4), percent(totals.utilization))},
      options.width);
}

/// In cycles; a bound that nothing stands behind is left out.
std::string bounds(const Report& report, const TextOptions& options) {
  const Bounds& b = report.totals.bounds;
  const auto text = [](const char* name, Cycles least, Cycles mapped) {
    const std::string suffix = mapped == least ? "" : " (" + grouped(mapped) + " as mapped)";
    return std::string(name) + " " + grouped(least) + suffix;
  };
  std::vector<std::string> parts{text("array", b.compute_cycles, b.as_mapped_cycles)};
  if (b.dram_as_mapped_cycles > 0 || b.dram_cycles > 0) {
    const Cycles mapped = std::max(b.dram_cycles, b.dram_as_mapped_cycles);
    parts.push_back(text("DRAM", b.dram_cycles, mapped));
  }
  if (b.vector_cycles > 0) parts.push_back(text("vector", b.vector_cycles, b.vector_cycles));
  if (b.scratchpad_cycles > 0) {
    parts.push_back(text("SRAM", b.scratchpad_cycles, b.scratchpad_cycles));
  }
  parts.back() += " cycles";
  return flow(" bounds      ", parts, options.width);
}

std::string causes(const Report& report, const TextOptions& options) {
  const ReportRow& totals = report.totals;
  std::vector<int> order;
  for (int c = 0; c < hw::kCauses; ++c) {
    if (totals.attribution[c] > 0) order.push_back(c);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return totals.attribution[a] > totals.attribution[b]; });
  std::vector<std::string> parts;
  for (const int c : order) {
    parts.push_back(fmt::format("{} {} ({})", words(to_string(static_cast<hw::Cause>(c))),
                                grouped(totals.attribution[c]),
                                percent(ratio(totals.attribution[c], totals.cycles))));
  }
  return flow(" cycles of   ", parts, options.width);
}

std::string mapping(const Report& report, const TextOptions& options) {
  const MappingSummary& m = *report.operators.front().mapping;
  std::vector<std::string> parts{words(m.dataflow)};
  if (asked(report, "resident")) {
    parts.emplace_back("one command");
    return flow(" mapping     ", parts, options.width);
  }
  parts.push_back(fmt::format("tile {}x{}x{} (m x k x n)", m.tile_m, m.tile_k, m.tile_n));
  parts.push_back("order " + m.loop_order);
  const auto list = [&](const char* name, const std::vector<std::string>& operands) {
    if (!operands.empty()) parts.push_back(fmt::format("{} {}", name, fmt::join(operands, ", ")));
  };
  list("double buffered", m.double_buffered);
  list("resident", m.resident);
  return flow(" mapping     ", parts, options.width);
}

std::string dram(const Report& report, const TextOptions& options) {
  const MappingSummary& m = *report.operators.front().mapping;
  if (asked(report, "resident")) return "";
  std::vector<std::string> parts{grouped(m.dram_bytes) + " B moved",
                                 grouped(m.least_dram_bytes) + " B least"};
  if (report.simulated) {
    const double rate = ratio(static_cast<double>(m.dram_bytes), report.totals.time_s);
    parts.push_back(fmt::format("{} of {} GB/s", significant(1e-9 * rate, 3),
                                significant(1e-9 * report.dram_peak_bytes_per_second, 3)));
  }
  return flow(" DRAM        ", parts, options.width);
}

/// What the PEs did, and that the numbers are right: a wrong product has no report.
std::string product(const Report& report, const TextOptions& options) {
  const ComputedProduct& pes = *report.computed;
  const auto cycle = [](const char* what, Cycles at) { return what + grouped(at); };
  return flow(" array       ",
              {cycle("first row enters in cycle ", pes.first_row),
               cycle("last row is in after ", pes.rows_end),
               cycle("last result is out after ", pes.completed)},
              options.width) +
         flow(" product     ",
              {fmt::format("{} results of random operands (seed {})", grouped(pes.results),
                           pes.seed),
               "all equal a plain matrix product"},
              options.width);
}

Json product_json(const ComputedProduct& pes) {
  return {{"seed", pes.seed},           {"results", pes.results},   {"wrong", 0},
          {"first_row", pes.first_row}, {"rows_end", pes.rows_end}, {"completed", pes.completed}};
}

/// Of an operator's row, what a closed form knows.
Json known_in_closed_form(const Json& row) {
  Json known;
  for (const char* key : {"name", "kind", "m", "k", "n", "count", "cycles", "time_s", "macs",
                          "utilization", "bounds", "mapping"}) {
    known[key] = row.at(key);
  }
  known.at("bounds").erase("scratchpad_cycles");
  return known;
}

}  // namespace

std::string gemm_text(const Report& report, const TextOptions& options) {
  std::string text = head(report, options) + answer(report, options) + bounds(report, options);
  if (report.simulated) text += causes(report, options);
  text += mapping(report, options) + dram(report, options);
  if (report.computed) {
    text += product(report, options);
  } else if (!report.simulated) {
    text += flow(" MODEL       ", {"a closed form: who owns the cycles takes a simulation"},
                 options.width);
  }
  return text;
}

Json gemm_json(const Report& report) {
  Json json = report_json(report);
  if (report.simulated) return json;
  Json known;
  known["schema"] = "tessera-gemm/1";
  for (const char* key :
       {"tool_version", "model_version", "run", "hardware", "precision", "fidelity", "config"}) {
    known[key] = json.at(key);
  }
  known["operators"] = Json::array({known_in_closed_form(json.at("operators").at(0))});
  if (report.computed) known["product"] = product_json(*report.computed);
  return known;
}

}  // namespace tessera::sim
