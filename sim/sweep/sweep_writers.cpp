// The report of a sweep as CSV and JSON.
#include <algorithm>

#include <fmt/format.h>

#include "sim/report/csv.h"
#include "sim/sweep/sweep_report.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

std::string status_of(const PointRow& row) {
  if (!row.done()) return "failed";
  return row.feasible() ? "ok" : "misses";
}

bool on_front(const SweepReport& report, std::int64_t id) {
  return std::binary_search(report.front.begin(), report.front.end(), id);
}

Json axes_json(const Sweep& sweep, std::int64_t id) { return Json::parse(sweep.settings_text(id)); }

Json named(const std::vector<std::string>& names, const std::vector<double>& values) {
  Json json = Json::object();
  for (std::size_t i = 0; i < names.size(); ++i) json[names[i]] = values[i];
  return json;
}

std::vector<std::string> objective_names(const SweepSpec& spec) {
  std::vector<std::string> names;
  for (const SweepObjective& each : spec.objectives) names.push_back(each.figure.text);
  return names;
}

std::vector<std::string> requirement_names(const SweepSpec& spec) {
  std::vector<std::string> names;
  for (const Requirement& each : spec.require) names.push_back(each.comparison.text);
  return names;
}

Json row_json(const Sweep& sweep, const SweepReport& report, const PointRow& row) {
  Json json = {{"id", row.id},
               {"key", row.key},
               {"axes", axes_json(sweep, row.id)},
               {"status", status_of(row)},
               {"on_front", on_front(report, row.id)}};
  if (!row.done()) {
    json["failure"] = row.failure;
    return json;
  }
  const PointFigures& figures = row.figures;
  json["objectives"] = named(objective_names(sweep.spec()), figures.answers.objectives);
  json["requirements"] = named(requirement_names(sweep.spec()), figures.answers.requirements);
  json["time_s"] = figures.time_s;
  json["cycles"] = figures.cycles;
  json["macs"] = figures.macs;
  json["utilization"] = figures.utilization;
  json["dram_bytes"] = figures.dram_bytes;
  json["least_dram_bytes"] = figures.least_dram_bytes;
  json["lower_bound_bytes"] = figures.lower_bound_bytes;
  json["bound"] = figures.bound;
  return json;
}

Json effect_json(const Sweep& sweep, const Effect& effect) {
  Json values = Json::array();
  for (std::size_t v = 0; v < effect.values.size(); ++v) {
    values.push_back({{"value", effect.values[v]},
                      {"points", effect.counts[v]},
                      {"mean", named(objective_names(sweep.spec()), effect.means[v])}});
  }
  return {{"axis", effect.axis},
          {"values", values},
          {"share_of_variance", named(objective_names(sweep.spec()), effect.shares)}};
}

Json judgement_json(const std::optional<Judgement>& judgement) {
  if (!judgement) return nullptr;
  return {{"simulated", judgement->simulated},
          {"out_of_reach", judgement->selection.out_of_reach},
          {"left_out", judgement->selection.left_out},
          {"estimated_front", judgement->selection.front},
          {"estimated_front_not_on_front", judgement->not_on_front},
          {"front_not_on_estimated_front", judgement->missed},
          {"requirements_misjudged", judgement->wrong_feasible},
          {"mean_error", judgement->mean_error},
          {"largest_error", judgement->largest_error}};
}

Json knees_json(const std::vector<Knee>& knees) {
  Json json = Json::array();
  for (const Knee& knee : knees) {
    json.push_back({{"axis", knee.axis},
                    {"value", knee.value},
                    {"operand", knee.operand},
                    {"combinations", knee.combinations},
                    {"of", knee.of}});
  }
  return json;
}

Json needs_json(const std::vector<Need>& needs) {
  Json json = Json::array();
  for (const Need& need : needs) {
    json.push_back({{"requirement", need.requirement},
                    {"macs_per_cycle", need.macs_per_cycle},
                    {"bytes_per_second", need.bytes_per_second}});
  }
  return json;
}

const std::vector<std::string>& figure_names() {
  static const std::vector<std::string> names{"time_s",
                                              "cycles",
                                              "macs",
                                              "utilization",
                                              "dram_bytes",
                                              "least_dram_bytes",
                                              "lower_bound_bytes",
                                              "bound",
                                              "failure"};
  return names;
}

std::vector<std::string> csv_header(const SweepSpec& spec) {
  std::vector<std::string> header{"sweep", "id", "key"};
  for (const Axis& axis : spec.axes) header.push_back(axis.name);
  for (const char* name : {"status", "on_front"}) header.emplace_back(name);
  for (const auto& names : {objective_names(spec), requirement_names(spec), figure_names()}) {
    header.insert(header.end(), names.begin(), names.end());
  }
  return header;
}

std::vector<std::string> csv_figures(const PointFigures& f) {
  const auto number = [](double value) { return Json(value).dump(); };
  std::vector<std::string> cells;
  for (const double value : f.answers.objectives) cells.push_back(number(value));
  for (const double value : f.answers.requirements) cells.push_back(number(value));
  const std::vector<std::string> fixed{number(f.time_s),
                                       std::to_string(f.cycles),
                                       std::to_string(f.macs),
                                       number(f.utilization),
                                       std::to_string(f.dram_bytes),
                                       std::to_string(f.least_dram_bytes),
                                       std::to_string(f.lower_bound_bytes),
                                       f.bound,
                                       ""};
  cells.insert(cells.end(), fixed.begin(), fixed.end());
  return cells;
}

std::vector<std::string> csv_row(const Sweep& sweep, const SweepReport& report, const PointRow& row,
                                 std::size_t columns) {
  const SweepSpec& spec = sweep.spec();
  std::vector<std::string> cells{report.head.sweep, std::to_string(row.id), row.key};
  const Choices& choices = sweep.points()[static_cast<std::size_t>(row.id)];
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    cells.push_back(value_label(spec, choices, a));
  }
  cells.push_back(status_of(row));
  cells.emplace_back(on_front(report, row.id) ? "1" : "0");
  if (row.done()) {
    for (std::string& cell : csv_figures(row.figures)) cells.push_back(std::move(cell));
  }
  cells.resize(columns);
  if (!row.done()) cells.back() = row.failure;
  return cells;
}

/// A figure that an objective asks for as well stands there only.
std::vector<bool> first_of_their_name(const std::vector<std::string>& header) {
  std::vector<bool> first;
  for (auto name = header.begin(); name != header.end(); ++name) {
    first.push_back(std::find(header.begin(), name, *name) == name);
  }
  return first;
}

}  // namespace

Json sweep_json(const Sweep& sweep, const SweepReport& report) {
  Json json = {{"schema", "tessera-sweep/1"},
               {"tool_version", report.head.tool_version},
               {"model_version", report.head.model_version},
               {"sweep", report.head.sweep},
               {"title", sweep.spec().title},
               {"fidelity", to_string(sweep.spec().fidelity)},
               {"points", report.head.points},
               {"done", report.rows.size()},
               {"failed", report.failed},
               {"feasible", report.feasible},
               {"needs", needs_json(report.needs)},
               {"front", report.front},
               {"hypervolume", report.hypervolume}};
  json["nearest_miss"] =
      report.nearest ? row_json(sweep, report, report.rows[*report.nearest]) : Json(nullptr);
  json["effects"] = Json::array();
  for (const Effect& each : report.effects) json["effects"].push_back(effect_json(sweep, each));
  json["knees"] = knees_json(report.knees);
  json["estimates"] = judgement_json(report.judgement);
  json["rows"] = Json::array();
  for (const PointRow& row : report.rows) json["rows"].push_back(row_json(sweep, report, row));
  return json;
}

std::string sweep_csv(const Sweep& sweep, const SweepReport& report) {
  const std::vector<std::string> header = csv_header(sweep.spec());
  const std::vector<bool> kept = first_of_their_name(header);
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (kept[i]) text += (i == 0 ? "" : ",") + csv_cell(cells[i]);
    }
    return text + "\n";
  };
  std::string csv = line(header);
  for (const PointRow& row : report.rows) csv += line(csv_row(sweep, report, row, header.size()));
  return csv;
}

}  // namespace tessera::sim
