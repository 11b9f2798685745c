// report.json (schema tessera-report/1), its rows and the host's figures.
#include "sim/report/rows.h"
#include "sim/report/writers.h"

namespace tessera::sim {
namespace {

using Json = nlohmann::ordered_json;

/// Null in an analytical report.
Json simulated(const Report& report, std::int64_t value) {
  return report.simulated ? Json(value) : Json(nullptr);
}

Json traffic_json(const hw::TrafficByClass& traffic, bool is_known) {
  const auto bytes = [&](Bytes value) { return is_known ? Json(value) : Json(nullptr); };
  Json json = Json::object();
  for (int c = 0; c < hw::kTrafficClasses; ++c) {
    json[to_string(static_cast<hw::TrafficClass>(c))] = {{"read_bytes", bytes(traffic[c].read)},
                                                         {"write_bytes", bytes(traffic[c].write)}};
  }
  return json;
}

Json traffic_json(const ReportRow& row, const Report& report) {
  const auto& buffers = report.buffers;
  Json json;
  json["dram"] = traffic_json(row.dram, true);
  json["dram"]["bus_bytes"] = row.dram_bus_bytes;
  json["dram"]["compulsory_bytes"] = row.compulsory_bytes;
  json["dram"]["fusion_saved_bytes"] = row.fusion_saved_bytes;
  json["dram"]["residency_saved_bytes"] = row.residency_saved_bytes;
  for (std::size_t b = 0; b < buffers.size() && b < row.buffers.size(); ++b) {
    json[buffers[b].name] = traffic_json(row.buffers[b], report.simulated);
  }
  return json;
}

Json bounds_json(const Bounds& bounds, const Report& report) {
  return {{"compute_cycles", bounds.compute_cycles},
          {"as_mapped_cycles", bounds.as_mapped_cycles},
          {"dram_cycles", bounds.dram_cycles},
          {"dram_as_mapped_cycles", bounds.dram_as_mapped_cycles},
          {"scratchpad_cycles", simulated(report, bounds.scratchpad_cycles)},
          {"vector_cycles", bounds.vector_cycles}};
}

Json attribution_json(const std::array<Cycles, hw::kCauses>& attribution, const Report& report) {
  Json json;
  for (int c = 0; c < hw::kCauses; ++c) {
    json[to_string(static_cast<hw::Cause>(c))] = simulated(report, attribution[c]);
  }
  return json;
}

/// Null when nothing of the class was loaded.
Json reuse_json(double reuse, Bytes loaded) { return loaded > 0 ? Json(reuse) : Json(nullptr); }

Json reuse_json(const ReportRow& row) {
  const auto loaded = [&](hw::TrafficClass c) { return row.dram[static_cast<int>(c)].read; };
  return {
      {"weights", reuse_json(row.reuse_weights, loaded(hw::TrafficClass::kWeights))},
      {"activations", reuse_json(row.reuse_activations, loaded(hw::TrafficClass::kActivations))}};
}

Json roofline_json(const std::optional<Roofline>& roofline) {
  if (!roofline) return nullptr;
  const bool moves = roofline->bytes > 0;  // else all of it stays on chip
  return {{"operational_intensity", moves ? Json(roofline->operational_intensity) : Json(nullptr)},
          {"ridge", roofline->ridge},
          {"ridge_bandwidth", roofline->ridge_bandwidth},
          {"bound", roofline->bound},
          {"achieved_fraction", roofline->achieved_fraction},
          {"next_bound", roofline->next_bound},
          {"next_bound_distance", roofline->next_bound_distance},
          {"as_mapped_bound", roofline->as_mapped_bound},
          {"as_mapped_next_bound", roofline->as_mapped_next_bound},
          {"as_mapped_next_share", roofline->as_mapped_next_share},
          {"bytes", roofline->bytes}};
}

Json mapping_json(const std::optional<MappingSummary>& mapping) {
  if (!mapping) return nullptr;
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json json;
  json["dataflow"] = or_null(mapping->dataflow);
  json["tile"] = {{"m", mapping->tile_m}, {"k", mapping->tile_k}, {"n", mapping->tile_n}};
  json["loop_order"] = or_null(mapping->loop_order);
  json["double_buffered"] = mapping->double_buffered;
  json["resident"] = mapping->resident;
  json["dram_bytes"] = mapping->dram_bytes;
  json["least_dram_bytes"] = mapping->least_dram_bytes;
  json["lower_bound_bytes"] = mapping->lower_bound_bytes;
  json["gap"] = mapping->least_dram_bytes > 0 ? Json(mapping->gap) : Json(nullptr);
  json["analytical_cycles"] = mapping->analytical_cycles;
  return json;
}

/// All null without a model of rows; rates are null where nothing moved.
Json streams_json(const ReportRow& row, const Report& report) {
  Json json;
  for (int c = 0; c < hw::kTrafficClasses; ++c) {
    const hw::DramStream& stream = row.dram_streams[c];
    const bool moved = report.dram_has_rows && stream.bursts > 0;
    const double rate = stream_bytes_per_second(stream, report.dram_burst_bytes);
    json[to_string(static_cast<hw::TrafficClass>(c))] = {
        {"bursts", report.dram_has_rows ? Json(stream.bursts) : Json(nullptr)},
        {"row_hit_rate", moved ? Json(row_hit_rate(stream)) : Json(nullptr)},
        {"sustained_fraction",
         moved ? Json(ratio(rate, report.dram_peak_bytes_per_second)) : Json(nullptr)}};
  }
  return json;
}

/// Null without a model of rows.
Json commands_json(const Report& report) {
  if (!report.dram_has_rows) return nullptr;
  const hw::DramCommandCounts& counts = report.dram_commands;
  return {{"activates", counts.activates},
          {"precharges", counts.precharges},
          {"reads", counts.reads},
          {"writes", counts.writes},
          {"refreshes_all", counts.refreshes_all},
          {"refreshes_bank", counts.refreshes_bank}};
}

/// Null where no figure is known; parts of it where it has none.
Json energy_json(const Report& report) {
  if (!report.dram_energy) return nullptr;
  const hw::DramJoules& joules = report.dram_energy->joules;
  const auto part = [](std::optional<double> value) { return value ? Json(*value) : Json(); };
  return {{"activate_j", part(joules.activate)},
          {"read_j", joules.read},
          {"write_j", joules.write},
          {"refresh_j", part(joules.refresh)},
          {"background_j", part(joules.background)},
          {"total_j", joules.total()},
          {"by", report.dram_energy->by_command ? "command" : "bit"},
          {"source", report.dram_energy->source}};
}

/// What totals, phases and operators have in common.
void append_figures(Json& json, const ReportRow& row, const Report& report) {
  json["cycles"] = row.cycles;
  json["span_cycles"] = simulated(report, row.span_cycles);
  json["time_s"] = row.time_s;
  json["macs"] = row.macs;
  json["utilization"] = row.utilization;
  json["energy_j"] = row.energy_j ? Json(*row.energy_j) : Json(nullptr);
  json["bounds"] = bounds_json(row.bounds, report);
  json["attribution"] = attribution_json(row.attribution, report);
  json["traffic"] = traffic_json(row, report);
  json["dram_streams"] = streams_json(row, report);
  json["reuse"] = reuse_json(row);
  json["roofline"] = roofline_json(row.roofline);
  json["vector"] = {{"hidden_cycles", simulated(report, row.vector_hidden)},
                    {"exposed_cycles", simulated(report, row.vector_busy - row.vector_hidden)}};
}

Json operator_json(const ReportRow& row, const Report& report) {
  Json json;
  json["name"] = row.name;
  json["phase"] = row.phase;
  json["layer"] = row.layer < 0 ? Json(nullptr) : Json(row.layer);
  json["core"] = row.core;
  json["kind"] = row.kind;
  json["m"] = row.m;
  json["k"] = row.k;
  json["n"] = row.n;
  json["count"] = row.count;
  json["members"] = row.members;
  append_figures(json, row, report);
  json["mapping"] = mapping_json(row.mapping);
  return json;
}

Json phase_json(const ReportRow& row, const Report& report) {
  Json json;
  json["name"] = row.name;
  json["title"] = row.title;
  json["unit"] = row.unit;
  json["units"] = row.units;
  json["repeat"] = row.repeat;
  append_figures(json, row, report);
  return json;
}

Json totals_json(const Report& report) {
  const ReportRow& row = report.totals;
  Json json;
  json["title"] = row.title;
  json["unit"] = row.unit;
  json["units"] = row.units;
  append_figures(json, row, report);
  return json;
}

Json units_json(const std::map<std::string, hw::UnitCounters>& units) {
  Json json = Json::object();
  for (const auto& [name, unit] : units) {
    json[name] = {
        {"busy_cycles", unit.busy}, {"stalled_cycles", unit.stalled}, {"idle_cycles", unit.idle}};
  }
  return json;
}

Json buffers_json(const Report& report) {
  Json json = Json::object();
  for (const auto& buffer : report.buffers) {
    Json& entry = json[buffer.name];
    entry["capacity_bytes"] = buffer.capacity_bytes;
    entry["peak_bytes"] = simulated(report, buffer.peak_bytes);
    const auto& change = buffer.first_size_that_changes;
    entry["first_size_that_changes"] = change.empty() ? Json(nullptr) : Json(change);
  }
  return json;
}

void append_head(Json& json, const Report& report) {
  json["schema"] = "tessera-report/1";
  json["tool_version"] = report.tool_version;
  json["model_version"] = report.model_version;
  json["run"] = report.run_name;
  json["hardware"] = report.hardware_name;
  json["precision"] = report.precision;
  json["fidelity"] = report.fidelity;
  json["config"] = report.config;
}

void append_machine(Json& json, const Report& report) {
  json["units"] = units_json(report.units);
  json["vector"] = {{"hidden_cycles", simulated(report, report.vector_hidden_cycles)},
                    {"exposed_cycles", simulated(report, report.vector_exposed_cycles)}};
  json["buffers"] = buffers_json(report);
  json["dram"] = {
      {"sustained_fraction",
       report.simulated ? Json(report.dram_sustained_fraction) : Json(nullptr)},
      {"row_hit_rate",
       report.dram_has_rows ? Json(row_hit_rate(all_streams(report.totals))) : Json(nullptr)},
      {"bursts", simulated(report, report.dram_bursts)},
      {"commands", commands_json(report)},
      {"energy", energy_json(report)},
      {"peak_bytes_per_second", report.dram_peak_bytes_per_second}};
  json["array"] = {{"peak_macs_per_cycle", report.peak_macs_per_cycle},
                   {"core_hz", report.core_hz}};
  json["model_notes"] = report.model_notes;
}

}  // namespace

nlohmann::ordered_json report_json(const Report& report) {
  Json json;
  append_head(json, report);
  json["totals"] = totals_json(report);
  json["phases"] = Json::array();
  for (const auto& row : report.phases) json["phases"].push_back(phase_json(row, report));
  json["operators"] = Json::array();
  for (const auto& row : report.operators) json["operators"].push_back(operator_json(row, report));
  append_machine(json, report);
  json["expectations"] = Json::array();
  for (const auto& each : report.expectations) {
    json["expectations"].push_back(expressions::to_json(each));
  }
  return json;
}

nlohmann::ordered_json host_json(const HostFigures& host) {
  return {
      {"schema", "tessera-host/1"},
      {"wall_s", host.wall_s},
      {"cpu_s", host.cpu_s},
      {"map_s", host.map_s},
      {"peak_memory_bytes", host.peak_memory},
      {"cycles_per_cpu_second", host.simulated ? Json(host.cycles_per_cpu_second) : Json(nullptr)},
      {"events", host.simulated ? Json(host.events) : Json(nullptr)}};
}

}  // namespace tessera::sim
